//! A sheet with findings, rewritten as a stream.
//!
//! Rows without findings are passed on as bytes; of the others the marked cells get another style, and
//! cells and rows that were not there are put in where they belong.

use std::collections::BTreeMap;
use std::io::{Read, Write};

use huiliu_stage::{Severity, column_letters};
use memchr::memmem;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};

use super::super::sheet::MAX_ROWS;
use super::styles::Styles;
use super::tags::{column, emit, link, row_style, row_tag, write_head_tag};
use super::window::Window;
use super::xml::{Kind, attribute, number, prefix, with};
use super::{PatchError, unfit};

/// Most bytes of one tag or text.
const MAX_EVENT_BYTES: usize = 4 << 20;
/// The children of a sheet that stand behind the link to its old drawing, which holds the notes.
const BEHIND_DRAWING: [&str; 9] = [
    "legacyDrawingHF",
    "drawingHF",
    "picture",
    "oleObjects",
    "controls",
    "AlternateContent",
    "webPublishItems",
    "tableParts",
    "extLst",
];

/// The marks of a row by column, and of a sheet by row number (1 is the first).
pub(super) type RowMarks = BTreeMap<u16, Severity>;

/// What is to be done to a sheet.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) marks: BTreeMap<u32, RowMarks>,
    /// The relationship of the old drawing to be linked, where there was none.
    pub(super) drawing: Option<String>,
    /// Whether relationships are of the strict kind of the format.
    pub(super) strict: bool,
}

/// Copies a sheet with its changes.
pub(super) fn rewrite<R: Read, W: Write>(
    input: R,
    out: W,
    changes: &Changes,
    styles: &mut Styles,
) -> Result<(), PatchError> {
    let mut reader = Reader::from_reader(Window::new(input));
    reader.config_mut().check_end_names = true;
    let columns = BTreeMap::new();
    let mut rewriter = Rewriter {
        reader,
        out: Writer::new(out),
        buffer: Vec::new(),
        prefix: String::new(),
        changes,
        styles,
        columns,
        done: 0,
    };
    rewriter.sheet()
}

struct Rewriter<'a, R, W> {
    reader: Reader<Window<R>>,
    out: Writer<W>,
    buffer: Vec<u8>,
    prefix: String,
    changes: &'a Changes,
    styles: &'a mut Styles,
    /// First column -> last column and style.
    columns: BTreeMap<u32, (u32, u32)>,
    /// Rows up to this number are written.
    done: u32,
}

/// The next event of the reader; a macro since the event borrows the buffer alone.
macro_rules! next {
    ($self:ident) => {{
        $self.buffer.clear();
        $self.reader.get_mut().allow(MAX_EVENT_BYTES);
        $self.reader.read_event_into(&mut $self.buffer)?
    }};
}

impl<'a, R: Read, W: Write> Rewriter<'a, R, W> {
    fn sheet(&mut self) -> Result<(), PatchError> {
        let mut depth = 0_usize;
        let (mut drawing, mut behind) = (self.changes.drawing.clone(), false);
        loop {
            match next!(self) {
                Event::Start(tag) => {
                    let name = tag.local_name().into_inner();
                    if depth == 0 {
                        self.prefix = prefix(&tag);
                    } else if depth == 1 && name == "sheetData" {
                        self.out.write_event(Event::Start(tag))?;
                        self.rows()?;
                        behind = true;
                        continue;
                    } else if behind && depth == 1 && BEHIND_DRAWING.contains(&name) {
                        link(&mut self.out, &self.prefix, drawing.take(), self.changes.strict)?;
                    }
                    write_head_tag(&mut self.out, tag, Kind::Open)?;
                    depth += 1;
                }
                Event::Empty(tag) => {
                    let name = tag.local_name().into_inner();
                    if depth == 1 && name == "sheetData" {
                        let end = tag.to_end().into_owned();
                        self.out.write_event(Event::Start(tag.into_owned()))?;
                        self.missing_rows(u32::MAX)?;
                        self.out.write_event(Event::End(end))?;
                        behind = true;
                        continue;
                    }
                    if behind && depth == 1 && BEHIND_DRAWING.contains(&name) {
                        link(&mut self.out, &self.prefix, drawing.take(), self.changes.strict)?;
                    }
                    if name == "col" {
                        let (from, to) = (number(&tag, "min")?, number(&tag, "max")?);
                        if let (Some(from), Some(to), Some(style)) = (from, to, number(&tag, "style")?) {
                            self.columns.insert(from, (to, style));
                        }
                    }
                    write_head_tag(&mut self.out, tag, Kind::Empty)?;
                }
                Event::End(end) => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        link(&mut self.out, &self.prefix, drawing.take(), self.changes.strict)?;
                    }
                    self.out.write_event(Event::End(end))?;
                }
                Event::DocType(_) => return unfit("a sheet declares a document type"),
                Event::Eof => return if depth == 0 { Ok(()) } else { unfit("a sheet breaks off") },
                event => self.out.write_event(event)?,
            }
        }
    }

    /// The rows of a sheet, up to and with the end of their list.
    fn rows(&mut self) -> Result<(), PatchError> {
        loop {
            let changes = self.changes;
            if changes.marks.range(self.done.saturating_add(1)..).next().is_none() {
                let name = format!("</{}sheetData", self.prefix);
                self.pass_until(&name)?;
            }
            match next!(self) {
                Event::Start(tag) => {
                    let tag = tag.into_owned();
                    match self.begin_row(&tag)? {
                        Some(marks) => {
                            let tag = BytesStart::from_content(
                                row_tag(&tag, marks)?,
                                tag.name().into_inner().len(),
                            );
                            let style = row_style(&tag)?;
                            self.out.write_event(Event::Start(tag))?;
                            self.cells(marks, style)?;
                        }
                        None => {
                            let end = format!("</{}", tag.name().into_inner());
                            self.out.write_event(Event::Start(tag))?;
                            self.pass_until(&end)?;
                            let event = next!(self);
                            self.out.write_event(event)?;
                        }
                    }
                }
                Event::Empty(tag) => {
                    let tag = tag.into_owned();
                    match self.begin_row(&tag)? {
                        Some(marks) => {
                            let style = row_style(&tag)?;
                            let end = tag.to_end().into_owned();
                            let text = row_tag(&tag, marks)?;
                            self.out.write_event(Event::Start(BytesStart::from_content(
                                text,
                                end.name().into_inner().len(),
                            )))?;
                            self.missing_cells(marks, 0, u16::MAX, style)?;
                            self.out.write_event(Event::End(end))?;
                        }
                        None => self.out.write_event(Event::Empty(tag))?,
                    }
                }
                Event::End(end) => {
                    let end = end.into_owned();
                    self.missing_rows(u32::MAX)?;
                    return Ok(self.out.write_event(Event::End(end))?);
                }
                Event::Eof => return unfit("a sheet breaks off"),
                event => self.out.write_event(event)?,
            }
        }
    }

    /// Notes that a row begins, writes what was to come before it and says what is marked in it.
    fn begin_row(&mut self, tag: &BytesStart<'_>) -> Result<Option<&'a RowMarks>, PatchError> {
        if tag.local_name().into_inner() != "row" {
            return unfit("a sheet holds something other than rows");
        }
        let row = number(tag, "r")?.unwrap_or(self.done.saturating_add(1));
        if row <= self.done || row > MAX_ROWS {
            return unfit("the rows of a sheet are not in order");
        }
        self.missing_rows(row)?;
        self.done = row;
        Ok(self.changes.marks.get(&row))
    }

    /// Writes the marked rows before `number` that the sheet does not have.
    fn missing_rows(&mut self, number: u32) -> Result<(), PatchError> {
        let changes = self.changes;
        for (&row, marks) in changes.marks.range(self.done.saturating_add(1)..number.max(self.done + 1)) {
            let name = format!("{}row", self.prefix);
            let text = format!("{name} r=\"{row}\"");
            let tag = BytesStart::from_content(text, name.len());
            let end = tag.to_end().into_owned();
            self.done = row;
            self.out.write_event(Event::Start(tag))?;
            self.missing_cells(marks, 0, u16::MAX, None)?;
            self.out.write_event(Event::End(end))?;
        }
        Ok(())
    }

    /// The cells of a marked row, up to and with the end of the row.
    fn cells(&mut self, marks: &RowMarks, style: Option<u32>) -> Result<(), PatchError> {
        let (mut next, mut depth) = (0_u16, 0_usize);
        loop {
            match next!(self) {
                Event::Start(tag) => {
                    let tag = tag.into_owned();
                    if depth == 0 {
                        self.cell(&tag, Kind::Open, marks, &mut next, style)?;
                    } else {
                        self.out.write_event(Event::Start(tag))?;
                    }
                    depth += 1;
                }
                Event::Empty(tag) if depth == 0 => {
                    let tag = tag.into_owned();
                    self.cell(&tag, Kind::Empty, marks, &mut next, style)?;
                }
                Event::End(end) => {
                    let end = end.into_owned();
                    if depth == 0 {
                        self.missing_cells(marks, next, u16::MAX, style)?;
                        return Ok(self.out.write_event(Event::End(end))?);
                    }
                    depth -= 1;
                    self.out.write_event(Event::End(end))?;
                }
                Event::Eof => return unfit("a sheet breaks off"),
                event => self.out.write_event(event)?,
            }
        }
    }

    /// Writes the tag of a cell; `next` is the first column not yet written.
    fn cell(
        &mut self,
        tag: &BytesStart<'_>,
        kind: Kind,
        marks: &RowMarks,
        next: &mut u16,
        style: Option<u32>,
    ) -> Result<(), PatchError> {
        if tag.local_name().into_inner() != "c" {
            return emit(&mut self.out, tag, kind);
        }
        let column = match attribute(tag, "r")? {
            Some(address) => column(&address).filter(|column| column >= next),
            None => Some(*next),
        };
        let Some(column) = column else { return unfit("the cells of a row are not in order") };
        self.missing_cells(marks, *next, column, style)?;
        *next = column.saturating_add(1);
        let Some(&severity) = marks.get(&column) else {
            return emit(&mut self.out, tag, kind);
        };
        let look = self.styles.marked(number(tag, "s")?.unwrap_or(0), severity)?;
        let text = with(tag, &[("s", Some(look.to_string()))])?;
        emit(&mut self.out, &text, kind)
    }

    /// Writes the marked cells of columns `from` up to but without `to` that the row does not have.
    fn missing_cells(
        &mut self,
        marks: &RowMarks,
        from: u16,
        to: u16,
        style: Option<u32>,
    ) -> Result<(), PatchError> {
        for (&column, &severity) in marks.range(from..to.max(from)) {
            let index = u32::from(column) + 1;
            let of_column = self.columns.range(..=index).next_back();
            let of_column = of_column.filter(|(_, (last, _))| index <= *last).map(|(_, (_, style))| *style);
            let look = self.styles.marked(style.or(of_column).unwrap_or(0), severity)?;
            let (prefix, row) = (&self.prefix, self.done);
            let address = format!("{}{row}", column_letters(usize::from(column)));
            write!(self.out.get_mut(), "<{prefix}c r=\"{address}\" s=\"{look}\"/>")?;
        }
        Ok(())
    }

    /// Passes on the bytes before `end`, which is the beginning of a closing tag.
    fn pass_until(&mut self, end: &str) -> Result<(), PatchError> {
        let finder = memmem::Finder::new(end);
        let window = self.reader.get_mut();
        loop {
            let seen = window.seen();
            let found = finder.find(seen);
            // What may be the beginning of what is looked for is kept back.
            let sure = found.unwrap_or_else(|| seen.len().saturating_sub(end.len() - 1));
            let bytes = seen.get(..sure).unwrap_or_default();
            // In a comment or a section of bare text the bytes looked for would not be a tag.
            if memmem::find(bytes, b"<!").is_some() {
                return unfit("a sheet has comments among its cells");
            }
            self.out.get_mut().write_all(bytes)?;
            window.pass(sure);
            if found.is_some() {
                return Ok(());
            }
            if !window.extend()? {
                return unfit("a sheet breaks off");
            }
        }
    }
}
