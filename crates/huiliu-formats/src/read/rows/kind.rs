//! What a row can be instead of data, and by which of its words and places that is told.

use super::RowKinds;
use super::group::{Style, Title, is_numbered, lone_number, numeral};
use super::sums::is_han;
use super::words::{
    begins_like_footer, count_alone, ends_counted, is_day, is_essay, is_footer, is_label, is_letter, is_mark,
    is_marked_note, is_note, is_numeric, is_page, is_summary, tells_count,
};
use crate::read::checks::Serial;
use crate::read::chunk::View;
use crate::read::header::{self, tidy};

/// What a row is instead of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but delimiters, such as spreadsheet programs write behind a table; passed over silently.
    Blank,
    Header,
    /// A title of the sheet printed again.
    Heading,
    /// Its words stand in this column.
    Total(usize),
    Group(usize, Title),
    /// Part of a total.
    Share,
    Note,
    Footer,
    /// Another unit for what follows, or for what stands above.
    OtherUnit(String),
    /// The unit of the amounts once more.
    Unit,
    /// The header of another table.
    OtherTable,
    /// A row of another table; told with its header.
    OtherRow,
}

impl RowKinds {
    /// Whether a row is worth a close look.
    pub(super) fn suspicious(&self, view: View<'_>, row: usize) -> bool {
        self.leading.iter().any(|&column| {
            let cell = view.get(row, column);
            match cell.as_bytes() {
                [] => true,
                // 合, 总, 小, 共, 全; and blanks, behind which these may stand.
                [0xe5, 0x90, 0x88, ..]
                | [0xe6, 0x80, 0xbb, ..]
                | [0xe5, 0xb0, 0x8f, ..]
                | [0xe5, 0x85, 0xb1 | 0xa8, ..] => true,
                // Marks in place of a record.
                [b'/' | b'-' | b'\\', ..] | [0xe2, 0x80, ..] => true,
                // 其中, 平均, and all that ends like 小计.
                [0xe5, 0x85, 0xb6, ..] | [0xe5, 0xb9, 0xb3, ..] | [.., 0xe8, 0xae, 0xa1] => true,
                [0xe4..=0xe9, ..] if begins_like_footer(cell) => true,
                // （以上项目均已开工） and *为新增项目
                [0xef, 0xbc, 0x88, ..] | [b'(' | b'*', ..] | [0xe2, 0x98, 0x85, ..] => true,
                [b' ' | b'\t', ..] | [0xe3, 0x80, 0x80, ..] | [0xc2, 0xa0, ..] => true,
                // 个) and 项), in either width, end the title of a group.
                [.., b')'] | [.., 0xef, 0xbc, 0x89] if ends_counted(cell) => true,
                // 一, 三 and their like, with 、 behind them.
                [0xe4 | 0xe5, ..] if is_numbered(cell) => true,
                [first, ..] if self.is_serial(column) => {
                    !first.is_ascii_digit() || self.numbers_next(view, row)
                }
                _ => self.header.get(column).is_some_and(|header| header == cell),
            }
        })
    }

    /// Whether a column holds serial numbers.
    pub(super) fn is_serial(&self, column: usize) -> bool {
        self.serial.as_ref().is_some_and(|serial| serial.column == column)
    }

    /// What a row is, if it is no data.
    pub(super) fn kind(&self, view: View<'_>, row: usize, number: u32) -> Option<Kind> {
        let filled = view.filled(row);
        // A number that was written before its record, and marks in place of one.
        if filled.iter().all(|(column, cell)| is_mark(cell) || self.is_serial(*column) && is_numeric(cell)) {
            return Some(Kind::Blank);
        }
        self.header_again(&filled)
            .or_else(|| self.unit_row(&filled))
            .or_else(|| self.heading_again(&filled))
            .or_else(|| self.total(&filled))
            .or_else(|| self.share(&filled))
            .or_else(|| self.last_share(view, row, &filled))
            .or_else(|| self.summed_title(view, row, &filled))
            .or_else(|| self.next_share(view, row, &filled))
            .or_else(|| self.note(&filled))
            .or_else(|| self.footer(&filled))
            .or_else(|| {
                let above = self.numbers_next(view, row);
                let counts = above || self.counts() || self.is_numbered(view, row + 1);
                self.title(&filled[usize::from(above)..], number, counts)
            })
    }

    /// Whether a row has a serial number.
    fn is_numbered(&self, view: View<'_>, row: usize) -> bool {
        let number = |serial: &Serial| view.get(row, serial.column).trim().parse::<u32>().is_ok();
        self.serial.as_ref().is_some_and(number)
    }

    /// Whether the numbers of the rows below are those of this row and more: 1, 1.1, 1.2.
    fn numbers_next(&self, view: View<'_>, row: usize) -> bool {
        self.serial.as_ref().is_some_and(|serial| {
            let (own, next) = (view.get(row, serial.column).trim(), view.get(row + 1, serial.column).trim());
            let digits = !own.is_empty() && own.bytes().all(|byte| byte.is_ascii_digit());
            digits && next.strip_prefix(own).is_some_and(|rest| rest.starts_with(['.', '-']))
        })
    }

    /// The header printed again.
    fn header_again(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        let same = |(column, cell): &&(usize, &str)| {
            self.texts.get(*column).is_some_and(|texts| texts.contains(&tidy(cell)))
        };
        let said = filled.iter().filter(same).count();
        // The second row of a header printed again may hold one cell only.
        let units = || filled.iter().all(|(_, cell)| header::unit_alone(cell).is_some());
        let goes_on = self.headed && (said == filled.len() || self.height > 1 && units());
        ((said >= 2 && said * 2 > filled.len()) || goes_on).then_some(Kind::Header)
    }

    /// A title of the sheet printed again.
    fn heading_again(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        let is_title = |(_, cell): &(usize, &str)| self.titles.iter().any(|title| title == cell.trim());
        let page = || filled.len() == 1 && is_page(&tidy(filled[0].1));
        (self.header.len() >= 3 && filled.iter().all(is_title) || self.header.len() > 1 && page())
            .then_some(Kind::Heading)
    }

    /// Who filled the form in, or the labels for that where nobody has.
    fn footer(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        let &(column, first) = filled.first()?;
        let labels = || filled.len() > 1 && filled.iter().all(|(_, cell)| is_label(&tidy(cell)));
        let said = is_footer(&tidy(first)) && filled.len() <= 8 && !self.is_named(filled, column);
        // 领导签字：, and the day on which the form was signed.
        let open = || filled.len() == 1 && (first.trim_end().ends_with([':', '：']) || is_day(&tidy(first)));
        (said || labels() || open()).then_some(Kind::Footer)
    }

    /// A note, and the example that a form comes with.
    fn note(&self, filled: &[(usize, &str)]) -> Option<Kind> {
        let &(column, first) = filled.first()?;
        let (word, alone) = (tidy(first), filled.len() == 1);
        let is_note = match self.header.len() {
            0 | 1 => false,
            // Of two columns one is often empty: only words that are no record say so.
            2 => alone && is_note(&word),
            _ => {
                // 备注 | 总投资为立项批复数
                let parted = ["注", "备注", "说明", "附注"].contains(&word.as_str()) && filled.len() == 2;
                let example = ["例", "举例", "示例", "样例", "填写示例"]
                    .contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()))
                    && self.is_serial(column);
                // 2.投资额保留整数, below 注:1.本表由各板块填报; its number may stand beside it.
                let says = |text: &str| {
                    ["填", "以", "按", "为", "请", "应", "须", "指", "含"].iter().any(|w| text.contains(w))
                };
                let parted_number = filled.len() == 2 && self.is_serial(column) && says(filled[1].1);
                let goes_on = self.noted && (alone || parted_number) && !is_footer(&word);
                // 1.总投资为估算数, where numbers stand.
                let listed = alone && self.is_serial(column) && !is_numeric(first) && says(first);
                alone && (is_marked_note(&word) || is_summary(&word))
                    || listed
                    || parted
                    || example
                    || goes_on
                    || (filled.len() <= 2 && is_note(&word))
                    || (alone && is_essay(&word))
            }
        };
        is_note.then_some(Kind::Note)
    }

    /// The title of a group, or what is written in one cell across the table, as no record is; `counts` says whether rows are
    /// numbered here.
    pub(super) fn title(&self, filled: &[(usize, &str)], number: u32, counts: bool) -> Option<Kind> {
        let &(column, first) = filled.first()?;
        match self.header.len() {
            0 | 1 => None,
            2 => self.group(filled, counts).filter(|kind| self.is_of_another_field(kind)),
            _ => self.group(filled, counts).or_else(|| {
                let across = filled.len() == 1 && self.wide.binary_search(&number).is_ok();
                across.then(|| Kind::Group(column, self.meanings.title(first)))
            }),
        }
    }

    /// A title stands alone in its row, but for a number before it and amounts behind it; `counts` as in [`Self::title`].
    fn group(&self, filled: &[(usize, &str)], counts: bool) -> Option<Kind> {
        let (numbering, rest) = match filled {
            [(_, number), rest @ ..] if !rest.is_empty() && lone_number(number).is_some() => {
                (lone_number(number), rest)
            }
            [(column, number), rest @ ..]
                if !rest.is_empty() && self.is_serial(*column) && is_numeric(number) =>
            {
                (None, rest)
            }
            // Ⅰ | 产业项目, A | 产业项目
            [(column, letter), rest @ ..]
                if !rest.is_empty() && self.is_serial(*column) && is_letter(&tidy(letter)) =>
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
        if title.declared.is_none() {
            title.declared = amounts.iter().find_map(|(_, cell)| count_alone(&tidy(cell)));
        }
        if let (Some(style), Some((_, number))) = (numbering, filled.first()) {
            (title.style, title.number) = (style, numeral(tidy(number).trim_start_matches('(')));
        }
        let alone = rest.len() == filled.len();
        let chinese = matches!(title.style, Style::Chinese | Style::ChineseBracket);
        // A name and a value are a record, so a count makes a title only of words that say something or stand alone.
        let counted = title.declared.is_some() && (title.means.is_some() || amounts.is_empty());
        let certain = chinese || counted && ends_counted(&tidy(cell));
        // Without numbering or count the words must say something, and nothing else may stand there but amounts where rows
        // are numbered and this one is not.
        let is_number = |&(column, cell): &(usize, &str)| self.is_serial(column) && is_numeric(cell);
        let unnumbered = counts && !filled.iter().any(is_number);
        let known = title.means.is_some() && (filled.len() == 1 || unnumbered);
        // Where numbers stand a word alone is a title, whatever it says.
        let apart = counts && filled.len() == 1 && self.is_serial(*column) && is_han(cell);
        let said = title.declared.is_some() || title.means.is_some();
        ((certain && (alone || numbering.is_some() || said)) || known || apart)
            .then_some(Kind::Group(*column, title))
    }

    /// Whether a title of a group is no value of the column that it stands in.
    fn is_of_another_field(&self, kind: &Kind) -> bool {
        let Kind::Group(column, title) = kind else { return false };
        title.means.as_ref().is_none_or(|(field, _)| self.filler.column_of(*field) != Some(*column))
    }

    /// Whether a cell may stand in the row of a group's title.
    pub(super) fn is_amount(&self, column: usize, cell: &str) -> bool {
        !self.words.contains(&column) && is_numeric(cell) || tells_count(&tidy(cell))
    }

    /// Whether rows are numbered, as far as they were seen.
    pub(super) fn counts(&self) -> bool {
        self.serial.as_ref().is_some_and(Serial::counts)
    }

    /// Whether a row that begins like a footer fills two columns of words besides.
    fn is_named(&self, filled: &[(usize, &str)], first: usize) -> bool {
        let others = filled.iter().filter(|(column, cell)| {
            *column != first && self.words.contains(column) && !cell.contains([':', '：'])
        });
        others.count() >= 2
    }
}
