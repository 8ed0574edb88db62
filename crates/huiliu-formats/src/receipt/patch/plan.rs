//! What is to be changed in a workbook, found out before anything is written.

use std::collections::BTreeMap;
use std::io::Read;

use huiliu_stage::{Finding, Severity};
use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::copy::Copied;
use super::super::marks::{heaviest, marks, note_text};
use super::super::{ReceiptData, copy};
use super::book::{Book, Types};
use super::front::Front;
use super::notes::{Drawings, comments};
use super::package::{Package, Relations};
use super::sheet::Changes;
use super::styles::Styles;
use super::tags::{column, row};
use super::window::Window;
use super::xml::{attribute, relation};
use super::{PatchError, Texts, unfit};

/// Most cells that get a note.
const MAX_MARKS: usize = 20_000;

/// The findings of a sheet by row number and column.
type Findings<'a> = BTreeMap<u32, BTreeMap<u16, Vec<&'a Finding>>>;

/// The changes to a workbook.
pub(super) struct Plan {
    /// Parts to be written anew, by name.
    pub(super) texts: Texts,
    /// Sheets to be rewritten, by the name of their part.
    pub(super) sheets: BTreeMap<String, Changes>,
    pub(super) styles: Styles,
    pub(super) styles_part: String,
    /// The ending of the copy's name.
    pub(super) ending: &'static str,
}

impl Plan {
    pub(super) fn make(data: &ReceiptData, package: &mut Package) -> Result<Self, PatchError> {
        let mut book = Book::read(package)?;
        let mut types = Types::read(package)?;
        let name = copy::free_name(data.language.pick("回执", "receipt"), &mut book.names_in_lower_case());
        let mut copied = Copied::default();
        for (ordinal, sheet) in data.sheets.iter().enumerate() {
            // An apostrophe in a quoted name is doubled.
            copied.names.insert(ordinal, sheet.replace('\'', "''"));
        }
        let front = Front::make(data, &copied)?;
        let (styles_part, styles_text) = book.styles(package, &mut types)?;
        let (mut texts, mut sheets) = (Texts::new(), BTreeMap::new());
        let mut found = all_marks(data)?;
        let mut drawings = Drawings::read(package)?;
        for (sheet, part) in book.sheets.clone() {
            let ordinal = data.sheets.iter().position(|name| *name == sheet);
            let findings = ordinal.and_then(|ordinal| found.remove(&ordinal)).unwrap_or_default();
            let mut changes = Changes { strict: book.strict, ..Changes::default() };
            let chosen = if findings.is_empty() {
                head_is_chosen(package.part(&part)?)?
            } else {
                let layout = Layout::read(package.part(&part)?, findings)?;
                let mut links = Relations::of(package, &part)?;
                let notes = note_texts(data, &layout.findings);
                changes.marks = layout.marks();
                comments(package, &mut types, &mut texts, &mut links, &notes, book.strict)?;
                changes.drawing = drawings.add(
                    package,
                    &mut types,
                    &mut texts,
                    &mut links,
                    &notes,
                    layout.drawing,
                    book.strict,
                )?;
                if let Some(text) = links.changed()? {
                    texts.insert(links.name.clone(), text);
                }
                true
            };
            if chosen {
                sheets.insert(part, changes);
            }
        }
        let styles = Styles::new(styles_text, front.styles)?;
        let sheet = front.sheet.at(styles.front_base(), book.strict)?;
        let part = package.free("xl/worksheets/sheet", ".xml", |_| false);
        book.put_in_front(&name, &part, &mut types, &mut texts)?;
        texts.insert(part, sheet);
        texts.insert(types.name.clone(), types.changed()?);
        Ok(Self { texts, sheets, styles, styles_part, ending: types.file_ending() })
    }
}

/// The findings with a place, by the sheet's ordinal.
fn all_marks(data: &ReceiptData) -> Result<BTreeMap<usize, Findings<'_>>, PatchError> {
    let found = marks(data);
    let count: usize = found.values().flat_map(BTreeMap::values).map(BTreeMap::len).sum();
    match count > MAX_MARKS {
        true => unfit(format!("{count} cells would have to be marked")),
        false => Ok(found),
    }
}

/// Address by row and column -> what its note says and how many lines that takes.
pub(super) type NoteTexts = BTreeMap<(u32, u16), (String, usize)>;

fn note_texts(data: &ReceiptData, findings: &Findings<'_>) -> NoteTexts {
    let cells =
        findings.iter().flat_map(|(&row, cells)| cells.iter().map(move |(&column, of)| ((row, column), of)));
    cells.map(|(at, findings)| (at, note_text(data, findings))).collect()
}

/// What has to be known of a sheet before it is rewritten.
struct Layout<'a> {
    findings: Findings<'a>,
    /// The relationship of its old drawing.
    drawing: Option<String>,
}

impl<'a> Layout<'a> {
    /// Reads what stands behind the rows. Findings on merged cells go to the one that is seen.
    fn read(input: impl Read, mut findings: Findings<'a>) -> Result<Self, PatchError> {
        findings.retain(|&row, _| (1..=1_048_576).contains(&row));
        for cells in findings.values_mut() {
            cells.retain(|&column, _| column < 16_384);
        }
        let mut drawing = None;
        tail(input, |tag| {
            match tag.local_name().into_inner() {
                "legacyDrawing" => drawing = relation(tag)?,
                "mergeCell" => {
                    if let Some(area) = attribute(tag, "ref")?.as_deref().and_then(area) {
                        gather(&mut findings, area);
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self { findings, drawing })
    }

    fn marks(&self) -> BTreeMap<u32, BTreeMap<u16, Severity>> {
        let row = |cells: &BTreeMap<u16, Vec<&Finding>>| {
            cells.iter().filter_map(|(&column, findings)| Some((column, heaviest(findings)?))).collect()
        };
        self.findings.iter().map(|(&number, cells)| (number, row(cells))).collect()
    }
}

/// First row and column, last row and column.
type Area = ((u32, u16), (u32, u16));

fn area(text: &str) -> Option<Area> {
    let (from, to) = text.split_once(':')?;
    let cell = |address: &str| Some((row(address)?, column(address)?));
    Some((cell(from)?, cell(to)?))
}

/// Moves the findings of an area to its first cell.
fn gather(findings: &mut Findings<'_>, ((top, left), (bottom, right)): Area) {
    if top > bottom || left > right {
        return;
    }
    let mut moved = Vec::new();
    for (&row, cells) in findings.range_mut(top..=bottom) {
        let hit: Vec<u16> = cells.range(left..=right).map(|(&column, _)| column).collect();
        for column in hit.into_iter().filter(|&column| (row, column) != (top, left)) {
            moved.extend(cells.remove(&column).unwrap_or_default());
        }
    }
    findings.retain(|_, cells| !cells.is_empty());
    if !moved.is_empty() {
        findings.entry(top).or_default().entry(left).or_default().extend(moved);
    }
}

/// Shows the tags behind the rows of a sheet to `see`.
fn tail(
    input: impl Read,
    mut see: impl FnMut(&BytesStart<'_>) -> Result<(), PatchError>,
) -> Result<(), PatchError> {
    let mut window = Window::new(input);
    // The name may have a prefix; a sheet without rows has no such tag, and then nothing to look for either
    // that the rewriting would not find out of order.
    let finder = memmem::Finder::new("sheetData");
    let (mut met, skip) = (0, "sheetData".len());
    while met < 2 {
        let seen = window.seen();
        match finder.find(seen) {
            Some(at) => {
                met += 1;
                let empty = met == 1 && seen.get(at..).is_some_and(empty_tag);
                window.pass(at + skip);
                if empty {
                    break;
                }
            }
            None => {
                let sure = seen.len().saturating_sub(64);
                window.pass(sure);
                if !window.extend()? {
                    return unfit("a sheet has no rows");
                }
            }
        }
    }
    window.allow(1 << 20);
    let mut reader = Reader::from_reader(window);
    reader.config_mut().check_end_names = false;
    reader.config_mut().allow_unmatched_ends = true;
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().allow(1 << 22);
        match reader.read_event_into(&mut buffer)? {
            Event::Start(tag) | Event::Empty(tag) => see(&tag)?,
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Whether the tag whose name begins here has no content.
fn empty_tag(rest: &[u8]) -> bool {
    let end = memchr::memchr(b'>', rest).unwrap_or(0);
    end > 0 && rest.get(end - 1) == Some(&b'/')
}

/// Whether a sheet is among those chosen in the window.
fn head_is_chosen(input: impl Read) -> Result<bool, PatchError> {
    let mut reader = Reader::from_reader(Window::new(input));
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        reader.get_mut().allow(1 << 22);
        match reader.read_event_into(&mut buffer)? {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().into_inner() {
                "sheetView"
                    if attribute(&tag, "tabSelected")?.is_some_and(|is| is == "1" || is == "true") =>
                {
                    return Ok(true);
                }
                "sheetData" => return Ok(false),
                _ => {}
            },
            Event::Eof => return Ok(false),
            _ => {}
        }
    }
}
