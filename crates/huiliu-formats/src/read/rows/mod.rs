//! Rows that are no data, and what they say of those that are.
//!
//! Totals, titles of groups, notes, footers, the header printed again: a row is left out only when its shape and its
//! words both say so, and the sender is told of each. Whatever is in doubt stays a data row: a row lost in
//! silence is worse than a row refused aloud. Rows are looked at closely only when one of their leading cells
//! is empty or begins like a total, so that a clean file costs nothing. Titles of groups give values to the rows
//! below ([`group`], [`fill`]); what totals and titles declare is held against the rows by `checks`.

mod above;
mod doubt;
mod fill;
mod foreign;
mod group;
mod kind;
mod merged;
#[cfg(test)]
mod tests;
mod words;

use huiliu_stage::{FieldType, Finding, RecordSchema};

use self::above::{above, table_above};
use self::fill::{Filler, Given};
use self::group::{Groups, Meanings, Style, is_numbered, lone_number, numeral};
use self::kind::{Kind, begins_other, name_only, opened, other_unit, says_sheet, skipped, units_differ};
pub(super) use self::merged::untaken;
use self::merged::wide;
use self::words::{
    counted, ends_counted, is_count, is_essay, is_footer, is_label, is_mark, is_note, is_numeric, is_share,
    is_subtotal, is_total,
};
use super::build::Assembler;
use super::checks::{Checks, Mark, Marks, Printed, Serial, Total, is_summed};
use super::chunk::{Chunk, View};
use super::header::{self, Grid, Layout, Names, tidy};
use super::merged::Merged;
use super::value::{Unit, is_code};

/// Tells rows apart for one sheet.
#[derive(Debug, Default)]
pub(super) struct RowKinds {
    sheet: u32,
    /// Texts of the header's leaves, as they stand in the file.
    header: Vec<String>,
    /// All texts of the header, those of the rows above its leaves too, by column.
    texts: Vec<Vec<String>>,
    /// The unit in each column's header.
    units: Vec<Option<Unit>>,
    /// Rows of the header, and the row up to which another table's header goes.
    height: u32,
    other_head: u32,
    /// Texts above the header.
    titles: Vec<String>,
    /// Columns that hold words, so that a total has nothing to write there.
    words: Vec<usize>,
    /// Leading columns that a clean row fills.
    leading: Vec<usize>,
    /// Columns that hold numbers or dates.
    figures: Vec<usize>,
    /// First column of words that are no codes, and how many columns have a field.
    noun: Option<usize>,
    mapped: usize,
    /// The unit that amounts are read in, if one is written anywhere.
    unit: Option<Unit>,
    /// The last number of the groups of each style, and the style of a list that is numbered as groups are.
    numbered: Vec<(Style, u32)>,
    list: Option<Style>,
    /// Columns whose totals mean something, and their fields.
    summed: Vec<(usize, usize)>,
    serial: Option<Serial>,
    meanings: Meanings,
    groups: Groups,
    /// What the open groups give to rows.
    values: Vec<(usize, String)>,
    /// Names of the fields, for messages.
    fields: Vec<String>,
    /// The row above was a note.
    noted: bool,
    /// The row above was the header again.
    headed: bool,
    /// Another table is passed.
    other: bool,
    /// The row above if it was data, 0 if it was not.
    before: Option<u32>,
    /// Rows whose first cell is merged over most of the table, ascending.
    wide: Vec<u32>,
    filler: Filler,
    checks: Checks,
    /// What the chunk that was filtered last says of its rows.
    marks: Marks,
    /// Told with the first rows.
    waiting: Vec<Finding>,
}

impl RowKinds {
    /// For the sheet of this name and ordinal; `first` holds its first rows and its merged cells.
    pub(super) fn new(
        record: &RecordSchema,
        layout: &Layout,
        first: (&Grid, &Merged),
        sheet: (&str, u32),
    ) -> Self {
        let ((grid, merged), (name, sheet)) = (first, sheet);
        let of = |column: &usize| layout.columns[*column].field.and_then(|field| record.fields.get(field));
        let all = || 0..layout.columns.len();
        let words: Vec<usize> = all().filter(|c| of(c).is_some_and(|f| f.kind == FieldType::Text)).collect();
        let figures = all().filter(|c| of(c).is_some_and(|f| foreign::is_figure(f.kind))).collect();
        let summed: Vec<(usize, usize)> = all()
            .filter(|column| of(column).is_some_and(is_summed))
            .filter_map(|column| Some((column, layout.columns[column].field?)))
            .collect();
        let noun = |c: &usize| {
            of(c).is_some_and(|f| f.kind == FieldType::Text && !is_code(&f.name) && f.values.is_empty())
        };
        let noun = all().find(noun);
        let money = all().filter(|c| of(c).is_some_and(|f| f.kind == FieldType::Money));
        let unit = layout
            .unit
            .clone()
            .or_else(|| money.clone().find_map(|column| layout.columns[column].unit.clone()));
        let mut leading = vec![0, 1];
        leading.extend(words.first());
        leading.retain(|&column| column < layout.columns.len());
        leading.sort_unstable();
        leading.dedup();
        let leaves = header::leaves(grid, layout);
        let (titles, declared) = above(grid, layout);
        let meanings = Meanings::new(record);
        // 续建项目(597个)
        let means = meanings.of(counted(&tidy(name)).0);
        let serial = leaves.iter().position(|leaf| header::is_serial(leaf)).map(Serial::new);
        let mut kinds = Self {
            sheet,
            header: leaves,
            texts: header::texts(grid, layout),
            units: layout.columns.iter().map(|column| column.unit.clone()).collect(),
            height: u32::try_from(layout.header_rows.len()).unwrap_or(1),
            other_head: 0,
            titles,
            words,
            figures,
            leading,
            checks: Checks::new(sheet, summed.iter().map(|(_, field)| *field).collect(), declared),
            summed,
            serial,
            noun,
            mapped: layout.columns.iter().filter(|column| column.field.is_some()).count(),
            unit,
            numbered: Vec::new(),
            list: None,
            groups: Groups::for_sheet(means.clone()),
            values: means.clone().into_iter().collect(),
            fields: record.fields.iter().map(|field| field.title().to_owned()).collect(),
            filler: Filler::new(record, layout, merged, sheet),
            wide: wide(merged, layout),
            noted: false,
            headed: false,
            other: false,
            before: None,
            meanings,
            marks: Marks::new(),
            waiting: Vec::new(),
        };
        kinds.waiting.extend(table_above(grid, layout));
        kinds.waiting.extend(layout.units_differ.then(units_differ));
        kinds.waiting.extend(untaken(record, layout, merged, sheet));
        kinds.waiting.extend(means.map(|(field, value)| says_sheet(name, &kinds.fields, field, &value)));
        kinds
    }

    /// Takes the rows that are no data out of the chunk, says so, and gives the others what these say of them.
    pub(super) fn filter(&mut self, chunk: &mut Chunk, text: &str, names: &Names) {
        let (mut gone, mut bare) = (Vec::new(), Vec::new());
        let mut told = std::mem::take(&mut self.waiting);
        let mut given: Vec<Given> = vec![(0, self.values.clone())];
        for row in 0..chunk.rows() {
            let view = chunk.view(text);
            let number = chunk.numbers[row];
            let kind = if self.suspicious(view, row) { self.kind(view, row, number) } else { None };
            let kind = self.listed(view, row, kind);
            let kind = self.other_table((view, row, number), kind, names);
            (self.noted, self.headed) = (kind == Some(Kind::Note), kind == Some(Kind::Header));
            match kind {
                Some(kind) if kind != Kind::Blank || !has_surplus(chunk, row) => {
                    told.extend(self.pass_over(view, row, number, row - gone.len(), &kind));
                    if matches!(kind, Kind::Group(..)) {
                        given.push((row - gone.len(), self.values.clone()));
                    }
                    gone.push(row);
                }
                _ => {
                    // One cell alone in its line, where others have theirs, were they empty.
                    if chunk.odd.iter().any(|(odd, cells)| *odd == number && *cells == 1)
                        && self.is_bare(view, row)
                    {
                        bare.push(row - gone.len());
                    }
                    let step =
                        |serial: &mut Serial| serial.step(self.sheet, number, view.get(row, serial.column));
                    told.extend(self.serial.as_mut().and_then(step));
                }
            }
        }
        chunk.findings.append(&mut told);
        if !gone.is_empty() {
            chunk.remove(&gone);
        }
        self.filler.fill(chunk, text, &given);
        // Cells that were filled from above are no less values of the row.
        let view = chunk.view(text);
        let bare: Vec<Finding> = bare
            .into_iter()
            .filter(|row| self.is_bare(view, *row))
            .filter_map(|row| {
                let (at, cell) = view.row(row).enumerate().find(|(_, cell)| !cell.trim().is_empty())?;
                Some(name_only(self.sheet, *chunk.numbers.get(row)?, (at, cell.trim())))
            })
            .collect();
        chunk.findings.extend(bare);
    }

    /// Notices where another table begins below this one and where this one goes on; the rows between have other columns.
    fn other_table(
        &mut self,
        (view, row, number): (View<'_>, usize, u32),
        kind: Option<Kind>,
        names: &Names,
    ) -> Option<Kind> {
        // Behind a gap, a title or a total a table may begin whose words are all different.
        let stands_apart = self.before.is_some_and(|before| before.checked_add(1) != Some(number));
        self.before = if matches!(kind, None | Some(Kind::Header)) { Some(number) } else { Some(0) };
        match &kind {
            // The rest of a header that is another table's.
            Some(Kind::Header) if number <= self.other_head => return Some(Kind::OtherRow),
            Some(Kind::Header) if self.differs(view, row, names) => {
                self.other = true;
                self.other_head = number.saturating_add(self.height).saturating_sub(1);
                return Some(Kind::OtherTable);
            }
            Some(Kind::Header) => self.other = false,
            Some(Kind::OtherUnit(_)) if !self.other => {
                self.other = true;
                return kind;
            }
            None if !self.other && (stands_apart || self.names_first_column(view, row)) => {
                let cells: Vec<&str> = view.row(row).collect();
                self.other = header::is_header(&cells, names)
                    || stands_apart && foreign::begins(view, row, &self.figures, names);
                return self.other.then_some(Kind::OtherTable);
            }
            _ => {}
        }
        if self.other && kind != Some(Kind::Header) { Some(Kind::OtherRow) } else { kind }
    }

    /// Whether a leading cell holds the name of a field, which is no value of any.
    fn names_first_column(&self, view: View<'_>, row: usize) -> bool {
        self.leading.iter().any(|&column| {
            let cell = view.get(row, column);
            !cell.is_empty() && self.leading.iter().any(|&of| self.header.get(of).is_some_and(|h| h == cell))
        })
    }

    /// Holds what was declared against the rows that [`Self::filter`] left, now in the assembler from row `from` on.
    pub(super) fn check(&mut self, assembler: &mut Assembler, from: usize) {
        let marks = self.take_marks();
        self.checks.after(assembler, from..assembler.rows(), marks);
    }

    /// What the chunk that was filtered last says of its rows, for whoever holds it against them.
    pub(super) fn take_marks(&mut self) -> Marks {
        std::mem::take(&mut self.marks)
    }

    /// Hands over what is known for the checks; no check is done here any more.
    pub(super) fn take_checks(&mut self) -> Checks {
        std::mem::take(&mut self.checks)
    }

    /// The sheet is over.
    pub(super) fn finish(&mut self, assembler: &mut Assembler) {
        for finding in self.waiting.drain(..) {
            assembler.find(finding);
        }
        self.checks.finish(assembler);
    }

    /// Takes in what a row says that is no data; `kept` rows of the chunk stand before it.
    fn pass_over(
        &mut self,
        view: View<'_>,
        row: usize,
        number: u32,
        kept: usize,
        kind: &Kind,
    ) -> Option<Finding> {
        if matches!(kind, Kind::Blank | Kind::OtherRow) {
            return None;
        }
        if let (Kind::Group(..) | Kind::Total(_), Some(serial)) = (kind, &mut self.serial) {
            serial.restart();
        }
        match kind {
            Kind::Group(column, title) => {
                self.filler.forget();
                let around = self.groups.open(title);
                self.values = self.groups.values();
                let declared = title.declared;
                let says = Total { part: true, declared, ..self.says(view, row, number, *column) };
                self.marks.push((kept, Mark::Group { around, says }));
                let cell = view.get(row, *column).trim();
                Some(opened(self.sheet, number, (*column, cell), title, &self.fields))
            }
            Kind::OtherUnit(unit) => {
                let own = self.unit.as_ref().map_or("万元", |unit| &unit.name);
                Some(other_unit(number, self.sheet, unit, own))
            }
            Kind::Total(column) => {
                let word = tidy(view.get(row, *column));
                // 合计 | 2个
                let count =
                    || view.row(row).map(tidy).find(|cell| is_count(cell)).and_then(|cell| counted(&cell).1);
                let (part, declared) = (is_subtotal(&word), counted(&word).1.or_else(count));
                let total = Total { part, declared, ..self.says(view, row, number, *column) };
                self.marks.push((kept, Mark::Total(total)));
                Some(skipped(view, row, number, self.sheet, kind))
            }
            Kind::OtherTable => Some(begins_other(number, self.sheet)),
            _ => Some(skipped(view, row, number, self.sheet, kind)),
        }
    }

    /// The amounts in a row of totals.
    fn says(&self, view: View<'_>, row: usize, number: u32, column: usize) -> Total {
        let printed = self.summed.iter().filter_map(|&(column, field)| {
            let text = view.get(row, column).trim();
            (!text.is_empty() && !is_mark(text)).then(|| Printed { column, field, text: text.to_owned() })
        });
        let label = view.get(row, column).trim().to_owned();
        Total { number, column, label, printed: printed.collect(), ..Total::default() }
    }

    fn suspicious(&self, view: View<'_>, row: usize) -> bool {
        self.leading.iter().any(|&column| {
            let cell = view.get(row, column);
            match cell.as_bytes() {
                [] => true,
                // 合, 总, 小, 共, 全; and blanks, behind which these may stand.
                [0xe5, 0x90, 0x88, ..]
                | [0xe6, 0x80, 0xbb, ..]
                | [0xe5, 0xb0, 0x8f, ..]
                | [0xe5, 0x85, 0xb1 | 0xa8, ..] => true,
                [b' ' | b'\t', ..] | [0xe3, 0x80, 0x80, ..] | [0xc2, 0xa0, ..] => true,
                // 个) and 项), in either width, end the title of a group.
                [.., b')'] | [.., 0xef, 0xbc, 0x89] if ends_counted(cell) => true,
                // 一, 三 and their like, with 、 behind them.
                [0xe4 | 0xe5, ..] if is_numbered(cell) => true,
                [first, ..] if !first.is_ascii_digit() && self.is_serial(column) => true,
                _ => self.header.get(column).is_some_and(|header| header == cell),
            }
        })
    }

    fn is_serial(&self, column: usize) -> bool {
        self.serial.as_ref().is_some_and(|serial| serial.column == column)
    }

    fn kind(&self, view: View<'_>, row: usize, number: u32) -> Option<Kind> {
        let filled: Vec<(usize, &str)> =
            view.row(row).enumerate().filter(|(_, cell)| !cell.trim().is_empty()).collect();
        let Some(&(first_column, first)) = filled.first() else { return Some(Kind::Blank) };
        let same = |(column, cell): &&(usize, &str)| {
            self.texts.get(*column).is_some_and(|texts| texts.contains(&tidy(cell)))
        };
        let said = filled.iter().filter(same).count();
        // The second row of a header printed again may hold one cell only.
        let units = || filled.iter().all(|(_, cell)| header::unit_alone(cell).is_some());
        let goes_on = self.headed && (said == filled.len() || self.height > 1 && units());
        if (said >= 2 && said * 2 > filled.len()) || goes_on {
            return Some(Kind::Header);
        }
        if self.header.len() >= 3
            && filled.iter().all(|(_, cell)| self.titles.iter().any(|t| t == cell.trim()))
        {
            return Some(Kind::Heading);
        }
        let word = tidy(first);
        if let Some(kind) = self.unit_row(&filled) {
            return Some(kind);
        }
        if let Some(kind) = self.total(&filled) {
            return Some(kind);
        }
        if let [(_, label), rest @ ..] = filled.as_slice()
            && is_share(&tidy(label))
            && rest.iter().all(|(column, cell)| self.is_amount(*column, cell))
        {
            return Some(Kind::Share);
        }
        // 责任单位 | 联系人 | 联系电话: labels, and nobody filled them in.
        let labels = || filled.len() > 1 && filled.iter().all(|(_, cell)| is_label(&tidy(cell)));
        let footer = is_footer(&word) && filled.len() <= 8 && !self.is_named(&filled, first_column);
        if footer || labels() {
            return Some(Kind::Footer);
        }
        // 备注 | 总投资为立项批复数, and the example that a form comes with.
        let note = ["注", "备注", "说明", "附注"].contains(&word.as_str()) && filled.len() == 2;
        let example =
            ["例", "示例", "样例", "填写示例"].contains(&word.as_str()) && self.is_serial(first_column);
        if self.header.len() > 2 && (note || example) {
            return Some(Kind::Note);
        }
        // Of two columns one is often empty: only words that are no record say so.
        match self.header.len() {
            0 | 1 => return None,
            2 if filled.len() == 1 && is_note(&word) => return Some(Kind::Note),
            2 => return self.group(&filled).filter(|kind| self.is_of_another_field(kind)),
            _ => {}
        }
        // 2.投资额保留整数, below 注:1.本表由各板块填报.
        if self.noted && filled.len() == 1 {
            return Some(Kind::Note);
        }
        if (filled.len() <= 2 && is_note(&word)) || (filled.len() == 1 && is_essay(&word)) {
            return Some(Kind::Note);
        }
        self.group(&filled).or_else(|| {
            // No record is written in one cell across the table.
            let alone = filled.len() == 1 && self.wide.binary_search(&number).is_ok();
            alone.then(|| Kind::Group(first_column, self.meanings.title(first)))
        })
    }

    /// A row of totals: its word, and nothing that a record has besides.
    fn total(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        // A serial number may stand before the word, and the word may be set over two cells.
        let set_wide = match filled {
            [(column, first), (_, second), ..] => {
                let one = |cell: &str| tidy(cell).chars().count() == 1;
                (one(first) && one(second) && is_total(&tidy(&format!("{first}{second}")))).then_some(*column)
            }
            _ => None,
        };
        let total = filled.iter().take(3).find(|(_, cell)| is_total(&tidy(cell))).map(|(column, _)| *column);
        if let Some(column) = total.or(set_wide) {
            // Where serial numbers stand no record has a word, and in its other columns it has no other word: 本月 beside
            // 累计 are the names of two columns.
            let sure = total.is_some() && self.is_serial(column);
            let other_words = |&(at, cell): &(usize, &str)| {
                let word = !sure && self.words.contains(&at) && !is_count(&tidy(cell)) && !is_numeric(cell);
                let figure = self.figures.contains(&at) && !cell.contains(|c: char| c.is_numeric());
                at != column && !is_mark(cell) && (word || figure)
            };
            let behind = if total.is_none() { 2 } else { 0 };
            if !filled.iter().skip(behind).any(other_words) {
                return Some(Kind::Total(column));
            }
        }
        None
    }

    /// A title stands alone in its row, but for a number before it and amounts behind it.
    fn group(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        let (numbering, rest) = match filled {
            [(_, number), rest @ ..] if !rest.is_empty() && lone_number(number).is_some() => {
                (lone_number(number), rest)
            }
            [(column, number), rest @ ..]
                if !rest.is_empty() && self.is_serial(*column) && is_numeric(number) =>
            {
                (None, rest)
            }
            _ => (None, filled),
        };
        let ((column, cell), amounts) = rest.split_first()?;
        if is_numeric(cell) || !amounts.iter().all(|(column, cell)| self.is_amount(*column, cell)) {
            return None;
        }
        let mut title = self.meanings.title(cell);
        if let (Some(style), Some((_, number))) = (numbering, filled.first()) {
            (title.style, title.number) = (style, numeral(tidy(number).trim_start_matches('(')));
        }
        let alone = rest.len() == filled.len();
        let chinese = matches!(title.style, Style::Chinese | Style::ChineseBracket);
        // A name and a value are a record, so a count makes a title only of words that say something or stand alone.
        let counted = title.declared.is_some() && (title.means.is_some() || amounts.is_empty());
        let certain = chinese || counted && ends_counted(&tidy(cell));
        // Without numbering or count the words must say something, and nothing else may stand there.
        let known = title.means.is_some() && filled.len() == 1;
        let said = title.declared.is_some() || title.means.is_some();
        ((certain && (alone || numbering.is_some() || said)) || known).then_some(Kind::Group(*column, title))
    }

    /// Whether a title of a group is no value of the column that it stands in.
    fn is_of_another_field(&self, kind: &Kind) -> bool {
        let Kind::Group(column, title) = kind else { return false };
        title.means.as_ref().is_none_or(|(field, _)| self.filler.column_of(*field) != Some(*column))
    }

    /// Whether a cell may stand in the row of a group's title.
    fn is_amount(&self, column: usize, cell: &str) -> bool {
        !self.words.contains(&column) && is_numeric(cell)
    }

    /// Whether a row that begins like a footer fills two columns of words besides.
    fn is_named(&self, filled: &[(usize, &str)], first: usize) -> bool {
        let others = filled.iter().filter(|(column, cell)| {
            *column != first && self.words.contains(column) && !cell.contains([':', '：'])
        });
        others.count() >= 2
    }
}

/// Whether a row has a value beyond the columns of the table.
fn has_surplus(chunk: &Chunk, row: usize) -> bool {
    let number = chunk.numbers.get(row);
    chunk.surplus.iter().any(|(of, _, cell)| Some(of) == number && !cell.is_empty())
}
