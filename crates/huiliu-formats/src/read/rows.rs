//! Rows that are no data: totals, group titles, notes, footers, the header printed again.
//!
//! A row is left out only when its shape and its words both say so, and the sender is told of each. Whatever is in
//! doubt stays a data row: a row lost in silence is worse than a row refused aloud. Rows are looked at closely
//! only when one of their leading cells is empty or begins like a total, so that a clean file costs nothing.

use huiliu_stage::{Finding, Severity, Text, row_id};

use super::chunk::{Chunk, View};
use super::header::{Layout, tidy};

/// What a row is instead of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing but delimiters, such as spreadsheet programs write behind a table; passed over silently.
    Blank,
    Header,
    Total,
    Group,
    Note,
    Footer,
}

impl Kind {
    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Blank => ("空行", "a blank row"),
            Self::Header => ("重复的表头", "the header again"),
            Self::Total => ("合计行", "a row of totals"),
            Self::Group => ("分类标题行", "the title of a group"),
            Self::Note => ("说明行", "a note"),
            Self::Footer => ("填报信息行", "a footer"),
        }
    }
}

/// Tells rows apart for one sheet.
#[derive(Debug, Default)]
pub(super) struct RowKinds {
    /// Texts of the header's leaves, as they stand in the file.
    header: Vec<String>,
    /// Columns that hold words, so that a total has nothing to write there.
    words: Vec<usize>,
    /// Leading columns that a clean row fills.
    leading: Vec<usize>,
}

impl RowKinds {
    /// `is_text` says of a field's index whether it holds text; `leaves` are the header's lowest texts.
    pub(super) fn new(layout: &Layout, leaves: Vec<String>, is_text: impl Fn(usize) -> bool) -> Self {
        let words: Vec<usize> = (0..layout.columns.len())
            .filter(|&column| layout.columns[column].field.is_some_and(&is_text))
            .collect();
        let mut leading = vec![0, 1];
        leading.extend(words.first());
        leading.retain(|&column| column < layout.columns.len());
        leading.sort_unstable();
        leading.dedup();
        Self { header: leaves, words, leading }
    }

    /// Takes the rows that are no data out of the chunk, and says so.
    pub(super) fn filter(&self, chunk: &mut Chunk, text: &str, sheet: u32) {
        let view = chunk.view(text);
        let mut gone = Vec::new();
        for row in 0..chunk.rows() {
            if self.suspicious(view, row)
                && let Some(kind) = self.kind(view, row)
                && (kind != Kind::Blank || !has_surplus(chunk, row))
            {
                gone.push((row, kind));
            }
        }
        if gone.is_empty() {
            return;
        }
        let told = gone.iter().filter(|(_, kind)| *kind != Kind::Blank);
        let told: Vec<Finding> =
            told.map(|&(row, kind)| skipped(view, row, chunk.numbers[row], sheet, kind)).collect();
        chunk.findings.extend(told);
        let rows: Vec<usize> = gone.into_iter().map(|(row, _)| row).collect();
        chunk.remove(&rows);
    }

    fn suspicious(&self, view: View<'_>, row: usize) -> bool {
        self.leading.iter().any(|&column| {
            let cell = view.get(row, column);
            match cell.as_bytes() {
                [] => true,
                // 合, 总, 小, 共; and blanks, behind which these may stand.
                [0xe5, 0x90, 0x88, ..]
                | [0xe6, 0x80, 0xbb, ..]
                | [0xe5, 0xb0, 0x8f, ..]
                | [0xe5, 0x85, 0xb1, ..] => true,
                [b' ' | b'\t', ..] | [0xe3, 0x80, 0x80, ..] | [0xc2, 0xa0, ..] => true,
                _ => self.header.get(column).is_some_and(|header| header == cell),
            }
        })
    }

    fn kind(&self, view: View<'_>, row: usize) -> Option<Kind> {
        let filled: Vec<(usize, &str)> =
            view.row(row).enumerate().filter(|(_, cell)| !cell.trim().is_empty()).collect();
        let Some(&(first_column, first)) = filled.first() else { return Some(Kind::Blank) };
        let said = filled
            .iter()
            .filter(|(column, cell)| self.header.get(*column).is_some_and(|h| h == cell))
            .count();
        if said >= 2 && said * 2 > filled.len() {
            return Some(Kind::Header);
        }
        let word = tidy(first);
        // A serial number may stand before the word.
        let total = filled.iter().take(3).find(|(_, cell)| is_total(&tidy(cell)));
        if let Some((column, _)) = total {
            let other_words =
                |c: &&(usize, &str)| c.0 != *column && self.words.contains(&c.0) && !is_mark(c.1);
            if !filled.iter().any(|c| other_words(&c)) {
                return Some(Kind::Total);
            }
        }
        if is_footer(&word) && filled.len() <= 8 && !self.is_named(&filled, first_column) {
            return Some(Kind::Footer);
        }
        if filled.len() > 2 || self.header.len() < 3 {
            return None;
        }
        if is_note(&word) {
            return Some(Kind::Note);
        }
        (filled.len() == 1 && is_group(&word)).then_some(Kind::Group)
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

fn skipped(view: View<'_>, row: usize, number: u32, sheet: u32, kind: Kind) -> Finding {
    let (zh, en) = kind.text();
    let cell = view.row(row).find(|cell| !cell.trim().is_empty()).unwrap_or_default().trim();
    let text = Text::new(
        format!("第{number}行是{zh}，没有作为数据读取；如果是项目，请补全项目名称等内容"),
        format!("row {number} is {en} and was not read as data; if it is a record, fill in its columns"),
    );
    Finding::new(Some(row_id(sheet, number)), Severity::Info, "skipped", text).with_raw(cell)
}

fn is_mark(cell: &str) -> bool {
    cell.trim().chars().all(|c| matches!(c, '-' | '—' | '–' | '/' | '\\' | '*'))
}

/// 合计, 小计(5个), 正式项目合计191项; not 某某小区.
fn is_total(word: &str) -> bool {
    const WORDS: [&str; 6] = ["合计", "总计", "小计", "共计", "总合计", "累计"];
    if word.chars().count() > 16 {
        return false;
    }
    let bare = word
        .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '(' | ')' | '个' | '项' | ':' | '共'));
    WORDS.iter().any(|total| bare.ends_with(total))
}

fn is_note(word: &str) -> bool {
    let named = ["注:", "注1", "备注:", "说明:", "填表说明", "填报说明", "注释", "注."]
        .iter()
        .any(|w| word.starts_with(w));
    named || word.chars().count() > 150
}

fn is_footer(word: &str) -> bool {
    const WORDS: [&str; 18] = [
        "填报人",
        "填表人",
        "制表人",
        "审核人",
        "复核人",
        "审批人",
        "联系人",
        "联系电话",
        "填报日期",
        "填表日期",
        "填报时间",
        "制表日期",
        "单位负责人",
        "分管领导",
        "负责人",
        "填报单位",
        "制表单位",
        "分管负责人",
    ];
    WORDS.iter().any(|w| {
        word.strip_prefix(w).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '(', '签']))
    })
}

/// `一、产业项目(180个)`, `(一)科创中心(8项)`, `1、合肥市(915个)`, `续建项目(597个)`.
fn is_group(word: &str) -> bool {
    const ORDINALS: &str = "一二三四五六七八九十百";
    let counted = word.strip_suffix(')').and_then(|open| open.rsplit_once('(')).is_some_and(|(_, inner)| {
        let inner = inner.strip_prefix('共').unwrap_or(inner);
        inner
            .strip_suffix(['个', '项', '件'])
            .is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    let ordinal = |text: &str, ends: &[char]| {
        let rest = text.trim_start_matches(|c: char| ORDINALS.contains(c));
        rest.len() < text.len() && rest.starts_with(ends)
    };
    counted
        || ordinal(word, &['、', '.'])
        || word.strip_prefix('(').is_some_and(|inner| ordinal(inner, &[')']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_totals_groups_and_footers_are_told_from_names_of_projects() {
        for word in ["合计", "合计(5个)", "小计", "正式项目合计191项", "总计:"] {
            assert!(is_total(word), "{word}");
        }
        for word in ["阳光小区", "合计划建设项目", "合肥市", ""] {
            assert!(!is_total(word), "{word}");
        }
        for word in
            ["一、产业项目(180个)", "(一)科创中心(8项)", "1、合肥市(915个)", "续建项目(597个)", "十二、其他"]
        {
            assert!(is_group(word), "{word}");
        }
        for word in ["一汽大众基地", "示例项目(二期)", "武进综合保税区"] {
            assert!(!is_group(word), "{word}");
        }
        assert!(is_footer("填报人:张三") && !is_footer("联系人民医院"));
    }
}
