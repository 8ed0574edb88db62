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
mod sums;
mod tell;
#[cfg(test)]
mod tests;
mod words;

use huiliu_stage::{FieldType, Finding, RecordSchema};

use self::above::{above, table_above};
use self::fill::{Filler, Given};
use self::group::{Groups, Meanings, Style};
use self::kind::Kind;
pub(super) use self::merged::untaken;
use self::merged::wide;
use self::sums::Shares;
use self::tell::{begins_other, name_only, opened, other_unit, says_sheet, skipped, units_differ};
use self::words::{counted, is_count, is_mark, is_measure, is_numeric, is_subtotal, tells_count};
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
    /// The row above was a total, or a part of one below it.
    totalled: bool,
    shared: bool,
    shares: Shares,
    /// Data was read.
    any: bool,
    /// Titles of groups have their sums beside them.
    summed_titles: bool,
    /// The row above was the header again.
    headed: bool,
    /// Another table is passed; it is one because of its unit.
    other: bool,
    other_unit: bool,
    /// The row above if it was data, 0 if it was not.
    before: Option<u32>,
    /// A blank row stands above.
    gap: bool,
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
            totalled: false,
            shared: false,
            shares: Shares::default(),
            any: false,
            summed_titles: false,
            headed: false,
            other: false,
            other_unit: false,
            before: None,
            gap: false,
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
            // What stands above may go on in any words.
            let close = self.noted || self.shared || self.suspicious(view, row);
            let kind = if close { self.kind(view, row, number) } else { None };
            let kind = self.listed(view, row, kind);
            let kind = self.other_table((view, row, number), kind, names);
            self.remember(view, row, number, kind.as_ref());
            match kind {
                Some(kind) if kind != Kind::Blank || !has_surplus(chunk, row) => {
                    if kind == Kind::Blank {
                        // A number that was written before its record leaves no gap.
                        told.extend(self.step(view, row, number));
                    }
                    told.extend(self.pass_over(view, row, number, row - gone.len(), &kind));
                    if matches!(kind, Kind::Group(..)) {
                        given.push((row - gone.len(), self.values.clone()));
                    }
                    gone.push(row);
                }
                _ => {
                    // One cell alone in its line, where others have theirs, were they empty; or a row without the number
                    // that others have.
                    let alone = chunk.odd.iter().any(|(odd, cells)| *odd == number && *cells == 1);
                    // Among groups it may be a title that says nothing.
                    let grouped = self.groups.is_bare();
                    if (alone || grouped || self.is_unnumbered(view, row)) && self.is_bare(view, row) {
                        bare.push(row - gone.len());
                        if grouped {
                            self.groups.end_bare();
                            self.values = self.groups.values();
                            given.push((row - gone.len(), self.values.clone()));
                        }
                    }
                    self.groups.take_row();
                    told.extend(self.step(view, row, number));
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

    /// Remembers what this row is for those below it.
    fn remember(&mut self, view: View<'_>, row: usize, number: u32, kind: Option<&Kind>) {
        let total = matches!(kind, Some(Kind::Total(_)));
        // The title of a group may have its sums beside it, and their parts below.
        let summed = match kind {
            Some(Kind::Total(column) | Kind::Group(column, _)) => {
                !self.says(view, row, number, *column).printed.is_empty()
            }
            _ => false,
        };
        // 汇总, and what is summed up below.
        self.gap = kind == Some(&Kind::Blank) || total && !summed;
        (self.noted, self.headed) = (kind == Some(&Kind::Note), kind == Some(&Kind::Header));
        self.shared = kind == Some(&Kind::Share) && (self.totalled || self.shared);
        self.totalled = total || summed;
        match kind {
            Some(Kind::Total(_) | Kind::Group(..)) => {
                self.shares.begin(view, row, self.summed.iter().map(|(column, _)| *column));
            }
            Some(Kind::Share) => self.shares.take(view, row),
            None => self.any = true,
            _ => {}
        }
    }

    /// Takes the serial number of a row.
    fn step(&mut self, view: View<'_>, row: usize, number: u32) -> Option<Finding> {
        let serial = self.serial.as_mut()?;
        serial.step(self.sheet, number, view.get(row, serial.column))
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
        self.gap =
            self.gap || self.before.is_some_and(|before| before > 0 && before.checked_add(1) != Some(number));
        self.before = if matches!(kind, None | Some(Kind::Header)) { Some(number) } else { Some(0) };
        match &kind {
            // The rest of a header that is another table's.
            Some(Kind::Header) if number <= self.other_head => return Some(Kind::OtherRow),
            Some(Kind::Header) if self.differs(view, row, names) => {
                self.other = true;
                self.other_head = number.saturating_add(self.height).saturating_sub(1);
                return Some(Kind::OtherTable);
            }
            // The header alone does not bring the unit back.
            Some(Kind::Header) => self.other &= self.other_unit,
            Some(Kind::Unit) if self.other_unit => (self.other, self.other_unit) = (false, false),
            Some(Kind::OtherUnit(_)) if !self.other => {
                (self.other, self.other_unit) = (true, true);
                return kind;
            }
            kind if is_open(kind) && !self.other && (stands_apart || self.names_first_column(view, row)) => {
                let cells: Vec<&str> = view.row(row).collect();
                self.other = header::is_header(&cells, names)
                    || stands_apart && foreign::begins(view, row, &self.figures, names)
                    || self.gap && self.counts_something(view, row);
                if self.other {
                    return Some(Kind::OtherTable);
                }
            }
            _ => {}
        }
        if self.other && (self.other_unit || kind != Some(Kind::Header)) {
            Some(Kind::OtherRow)
        } else {
            kind
        }
    }

    /// Whether a row behind a gap, or the one below its title, says how many or how much there is of something, and is no record:
    /// it has no number where records have theirs, or counts in words, or its own words say so.
    fn counts_something(&self, view: View<'_>, row: usize) -> bool {
        let is_count = |row: usize| {
            let unnumbered = self.serial.as_ref().is_some_and(|serial| {
                let cell = view.get(row, serial.column).trim();
                serial.counts() && (cell.is_empty() || !is_numeric(cell))
            });
            let label = view.row(row).map(tidy).find(|cell| !cell.is_empty()).unwrap_or_default();
            // One record may have a number of buildings among its words; two in a row count something.
            let counts = |row: usize| view.row(row).any(|cell| tells_count(&tidy(cell)));
            let two = || counts(row) && counts(row + 1) && foreign::is_count_of(view, row + 1, &self.words);
            let says = is_measure(&label) || self.meanings.of(&label).is_some() || two();
            (unnumbered || says) && foreign::is_count_of(view, row, &self.words)
        };
        let alone = view.row(row).filter(|cell| !cell.trim().is_empty()).count() == 1;
        is_count(row) || alone && is_count(row + 1)
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
                let says = self.says(view, row, number, *column);
                self.summed_titles |= title.means.is_some() && !says.printed.is_empty();
                self.filler.forget();
                let around = self.groups.open(title);
                self.values = self.groups.values();
                let declared = title.declared;
                let says = Total { part: true, declared, ..says };
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
}

/// Whether a row may belong to another table for all that is known of it: a record, or a title that says nothing.
fn is_open(kind: &Option<Kind>) -> bool {
    match kind {
        None => true,
        Some(Kind::Group(_, title)) => title.means.is_none() && title.declared.is_none(),
        _ => false,
    }
}

/// Whether a row has a value beyond the columns of the table.
fn has_surplus(chunk: &Chunk, row: usize) -> bool {
    let number = chunk.numbers.get(row);
    chunk.surplus.iter().any(|(of, _, cell)| Some(of) == number && !cell.is_empty())
}
