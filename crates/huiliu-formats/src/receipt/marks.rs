//! Which cells are marked, in which colour, and what their notes say.

use std::collections::BTreeMap;

use huiliu_stage::{Finding, Severity};
use rust_xlsxwriter::{Color, Format, Note};

use super::ReceiptData;

/// Findings told in one note; the list on the first sheet has all.
const TOLD_IN_NOTE: usize = 5;
/// Characters of a finding told in a note.
const NOTE_CHARS: usize = 400;
const NOTE_WIDTH: u32 = 260;

/// The findings of a sheet: row number -> column -> findings.
pub(super) type SheetMarks<'a> = BTreeMap<u32, BTreeMap<u16, Vec<&'a Finding>>>;

/// The cells to mark, by the sheet's ordinal. A finding about a row, or about a field that the sheet has no
/// column for, marks the first cell of the row.
pub(super) fn marks(data: &ReceiptData) -> BTreeMap<usize, SheetMarks<'_>> {
    let mut sheets: BTreeMap<usize, SheetMarks<'_>> = BTreeMap::new();
    for finding in &data.findings {
        let Some(place) = data.place(finding) else { continue };
        let column = place.column.unwrap_or_else(|| data.first_column(place.sheet));
        let Ok(column) = u16::try_from(column) else { continue };
        let row = sheets.entry(place.sheet).or_default().entry(place.row).or_default();
        row.entry(column).or_default().push(finding);
    }
    sheets
}

/// The heaviest of some findings.
pub(super) fn heaviest(findings: &[&Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

/// The note of a cell.
pub(super) fn note(data: &ReceiptData, findings: &[&Finding]) -> Note {
    let (text, lines) = note_text(data, findings);
    Note::new(text)
        .set_author("huiliu")
        .add_author_prefix(false)
        .set_width(NOTE_WIDTH)
        .set_height(24 + 18 * u32::try_from(lines).unwrap_or(20).min(20))
}

/// What a note says, what is wrong and what to do, and how many lines of its box that takes.
pub(super) fn note_text(data: &ReceiptData, findings: &[&Finding]) -> (String, usize) {
    let say = data.language;
    let mut lines: Vec<String> = Vec::new();
    for finding in findings.iter().take(TOLD_IN_NOTE) {
        let field = match finding.field.as_deref() {
            Some(field) => {
                say.pick(format!("【{}】", data.title(field)), format!("[{}] ", data.title(field)))
            }
            None => String::new(),
        };
        let message = clean(finding.message.in_language(say.code()), NOTE_CHARS);
        let severity = say.severity(finding.severity);
        lines
            .push(say.pick(format!("{severity}：{field}{message}"), format!("{severity}: {field}{message}")));
    }
    if let more @ 1.. = findings.len().saturating_sub(TOLD_IN_NOTE) {
        lines.push(say.pick(format!("另有 {more} 条"), format!("and {more} more")));
    }
    // A line of the box holds about 20 Chinese characters.
    let height = lines.iter().map(|line| line.chars().count() / say.pick(18, 36) + 1).sum();
    (lines.join("\n"), height)
}

/// Text as a cell or a note can hold it: at most `chars` characters, none that XML forbids.
pub(super) fn clean(text: &str, chars: usize) -> String {
    let fit = |c: char| match c {
        '\n' | '\t' => c,
        '\r' => '\n',
        c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => '\u{fffd}',
        c => c,
    };
    let mut clean: String = text.chars().take(chars).map(fit).collect();
    if text.chars().nth(chars).is_some() {
        clean.push('…');
    }
    clean
}

/// How wide a text is in a cell, in digits: Chinese characters are as wide as two.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(|c| if c < '\u{1100}' { 1 } else { 2 }).sum()
}

/// What kind of value a copied cell shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    General,
    Day,
    Time,
    Duration,
}

/// The formats of copied cells: every kind, unmarked and in three colours.
pub(super) struct Looks(Vec<[Format; 4]>);

impl Looks {
    pub(super) fn new() -> Self {
        let numbers = ["", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "[h]:mm:ss"];
        let looks = |number: &&str| {
            let plain = if number.is_empty() { Format::new() } else { Format::new().set_num_format(*number) };
            let filled = |severity| plain.clone().set_background_color(fill(severity));
            let error = filled(Severity::Error).set_font_color(Color::RGB(0x9C_0006));
            [plain.clone(), filled(Severity::Info), filled(Severity::Warning), error]
        };
        Self(numbers.iter().map(looks).collect())
    }

    /// The format of a cell; `None` where none is needed.
    pub(super) fn of(&self, kind: Kind, mark: Option<Severity>) -> Option<&Format> {
        let colour = match mark {
            None if kind == Kind::General => return None,
            None => 0,
            Some(Severity::Info) => 1,
            Some(Severity::Warning) => 2,
            Some(Severity::Error) => 3,
        };
        self.0.get(kind as usize)?.get(colour)
    }
}

/// The colour of a severity: red, yellow, blue-grey.
pub(super) fn fill(severity: Severity) -> Color {
    Color::RGB(fill_rgb(severity))
}

/// The same as red, green and blue.
pub(super) fn fill_rgb(severity: Severity) -> u32 {
    match severity {
        Severity::Error => 0xFF_C7CE,
        Severity::Warning => 0xFF_EB9C,
        Severity::Info => 0xD9_E1F2,
    }
}
