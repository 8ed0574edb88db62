//! Notes on cells: the comments part, to which the sender's comments stay, and the drawing of their boxes.

use std::collections::BTreeMap;
use std::ops::Range;

use huiliu_stage::cell_address;

use super::book::Types;
use super::package::{Package, Relations, main_space};
use super::plan::NoteTexts;
use super::tags::{column, row};
use super::xml::{Kind, Splices, attribute, escape, number, prefix, walk};
use super::{PatchError, Texts, unfit};

const COMMENTS: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml";
const DRAWING: &str = "application/vnd.openxmlformats-officedocument.vmlDrawing";
const AUTHOR: &str = "huiliu";
/// Shapes of a block of ids.
const BLOCK: usize = 1_024;

/// Writes what the notes say into the comments of a sheet, making that part if need be.
pub(super) fn comments(
    package: &mut Package,
    types: &mut Types,
    texts: &mut Texts,
    links: &mut Relations,
    notes: &NoteTexts,
    strict: bool,
) -> Result<(), PatchError> {
    let old = links.by_kind("comments").map(|link| link.part.clone());
    let (part, text) = match old {
        Some(part) => match package.find(&part)? {
            Some(part) => (part.clone(), package.text(&part)?),
            None => return unfit("the comments of a sheet are missing"),
        },
        None => {
            let part = package.free("xl/comments", ".xml", |name| texts.contains_key(name));
            types.add_part(&part, COMMENTS);
            links.add("comments", &part, strict);
            let space = main_space(strict);
            let head = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#;
            (part, format!("{head}\n<comments xmlns=\"{space}\"><authors/><commentList/></comments>"))
        }
    };
    texts.insert(part, with_comments(&text, notes)?);
    Ok(())
}

/// A comment that was there, on a cell that gets a note.
struct Old {
    at: (u32, u16),
    /// Where what is said is to be added, if it was said as one text: its place, to be put into a run.
    plain: Option<Range<usize>>,
    end: usize,
}

fn with_comments(text: &str, notes: &NoteTexts) -> Result<String, PatchError> {
    let mut splices = Splices::default();
    let (mut own, mut authors, mut author_open) = (String::new(), Vec::new(), 0);
    let mut open: Option<Old> = None;
    let mut kept: Vec<(u32, u16)> = Vec::new();
    let mut list = None;
    walk(text, |node| {
        if node.depth == 0 {
            own = prefix(&node.tag);
        }
        if node.begins(2, "author") {
            author_open = node.span.end;
        }
        if node.ends(2, "author") {
            authors.push(text.get(author_open..node.span.start).unwrap_or_default().to_owned());
        }
        if node.ends(1, "authors") {
            splices.append(&node, &format!("<{own}author>{AUTHOR}</{own}author>"));
        }
        if node.begins(2, "comment") && node.kind == Kind::Open {
            let address = attribute(&node.tag, "ref")?.unwrap_or_default();
            let at = (row(&address).unwrap_or(0), column(&address).unwrap_or(0));
            // A threaded comment is shown instead of the text in here; that one is left alone.
            let author = number(&node.tag, "authorId")?.and_then(|id| authors.get(id as usize));
            if author.is_some_and(|author| author.starts_with("tc=")) {
                kept.push(at);
            } else if notes.contains_key(&at) {
                open = Some(Old { at, plain: None, end: 0 });
            }
        }
        if let Some(old) = &mut open {
            if node.begins(3, "text") && node.kind == Kind::Open {
                old.end = node.span.end;
            } else if node.begins(4, "t") {
                old.plain = Some(node.span.clone());
            }
            if node.ends(4, "t") || node.ends(4, "r") {
                old.end = node.span.end;
                if let Some(plain) = old.plain.as_mut().filter(|_| node.ends(4, "t")) {
                    plain.end = node.span.end;
                }
            }
        }
        if let Some(old) = open.take_if(|_| node.ends(2, "comment")) {
            kept.push(old.at);
            add_to(&mut splices, &own, &old, notes);
        }
        if node.ends(1, "commentList") {
            list = Some((node.span.clone(), node.kind, node.tag.to_string()));
        }
        Ok(())
    })?;
    let Some((span, kind, name)) = list else { return unfit("the comments of a sheet are of another form") };
    let mut new = String::new();
    for (at, (said, _)) in notes.iter().filter(|(at, _)| !kept.contains(at)) {
        let (address, author) = (cell_address(usize::from(at.1), at.0), authors.len());
        new.push_str(&format!(
            r#"<{own}comment ref="{address}" authorId="{author}"><{own}text>{}</{own}text></{own}comment>"#,
            run(&own, said)
        ));
    }
    match kind {
        Kind::Empty => splices.replace(span, format!("<{name}>{new}</{name}>")),
        _ => splices.insert(span.start, new),
    }
    Ok(splices.apply(text))
}

/// What is said goes behind what the sender said.
fn add_to(splices: &mut Splices, own: &str, old: &Old, notes: &NoteTexts) {
    let Some((said, _)) = notes.get(&old.at).filter(|_| old.end > 0) else { return };
    let said = format!("\n{said}");
    match &old.plain {
        Some(plain) if plain.end == old.end => {
            splices.insert(plain.start, format!("<{own}r>"));
            splices.insert(plain.end, format!("</{own}r>{}", run(own, &said)));
        }
        _ => splices.insert(old.end, run(own, &said)),
    }
}

fn run(own: &str, said: &str) -> String {
    let size = format!(r#"<{own}rPr><{own}sz val="9"/></{own}rPr>"#);
    format!(r#"<{own}r>{size}<{own}t xml:space="preserve">{}</{own}t></{own}r>"#, escape(said))
}

/// The old drawings of a workbook, whose shapes must not share ids.
pub(super) struct Drawings {
    /// Texts by part, as they are now.
    texts: BTreeMap<String, String>,
    next_block: usize,
}

impl Drawings {
    pub(super) fn read(package: &mut Package) -> Result<Self, PatchError> {
        let (mut texts, mut next_block) = (BTreeMap::new(), 1);
        for part in package.ending(".vml")? {
            let text = package.text(&part)?;
            for block in
                blocks(&text).iter().flat_map(|span| text.get(span.clone())).flat_map(|t| t.split(','))
            {
                next_block = next_block.max(block.trim().parse().unwrap_or(0_usize).saturating_add(1));
            }
            texts.insert(part, text);
        }
        Ok(Self { texts, next_block })
    }

    /// Draws the boxes of new notes. Gives the relationship to be linked, if the sheet had no old drawing.
    #[expect(clippy::too_many_arguments, reason = "one call; they are the file, its lists and the sheet")]
    pub(super) fn add(
        &mut self,
        package: &mut Package,
        types: &mut Types,
        texts: &mut Texts,
        links: &mut Relations,
        notes: &NoteTexts,
        linked: Option<String>,
        strict: bool,
    ) -> Result<Option<String>, PatchError> {
        let first = self.next_block;
        let count = notes.len() / (BLOCK - 1) + 1;
        self.next_block = first.saturating_add(count);
        let old = match linked.as_ref().map(|id| links.by_id(id)) {
            Some(Some(link)) => match package.find(&link.part)? {
                Some(part) => Some(part),
                None => return unfit("an old drawing is missing"),
            },
            Some(None) => return unfit("an old drawing is not linked"),
            None => None,
        };
        if let Some(part) = old {
            let text = match self.texts.get(&part) {
                Some(text) => text.clone(),
                None => package.text(&part)?,
            };
            texts.insert(part, with_shapes(&text, notes, first, count)?);
            return Ok(None);
        }
        let part = package.free("xl/drawings/vmlDrawing", ".vml", |name| texts.contains_key(name));
        types.add_ending("vml", DRAWING);
        texts.insert(part.clone(), with_shapes(EMPTY_DRAWING, notes, first, count)?);
        Ok(Some(links.add("vmlDrawing", &part, strict)))
    }
}

const EMPTY_DRAWING: &str = concat!(
    r#"<xml xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" "#,
    r#"xmlns:x="urn:schemas-microsoft-com:office:excel"></xml>"#
);

/// Where the lists of blocks of ids stand in an old drawing. It is not always well-formed, so not parsed.
fn blocks(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("<o:idmap") {
        let Some(end) = text.get(at..).and_then(|rest| rest.find('>')).map(|end| at + end) else { continue };
        let tag = text.get(at..end).unwrap_or_default();
        for (key, quote) in [(" data=\"", '"'), (" data='", '\'')] {
            let Some(from) = tag.find(key).map(|from| from + key.len()) else { continue };
            if let Some(length) = tag.get(from..).and_then(|rest| rest.find(quote)) {
                found.push(at + from..at + from + length);
            }
        }
    }
    found
}

/// Adds a box for each note on a cell that has none.
fn with_shapes(text: &str, notes: &NoteTexts, first: usize, count: usize) -> Result<String, PatchError> {
    let Some(end) = text.rfind("</xml>") else { return unfit("an old drawing is of another form") };
    let Some(start) = text.find("<xml").and_then(|at| Some(at + text.get(at..)?.find('>')? + 1)) else {
        return unfit("an old drawing is of another form");
    };
    let mut splices = Splices::default();
    let ids: Vec<String> = (first..first + count).map(|block| block.to_string()).collect();
    let ids = ids.join(",");
    match blocks(text).into_iter().next() {
        Some(span) => splices.insert(span.end, format!(",{ids}")),
        None => splices.insert(
            start,
            format!(r#"<o:shapelayout xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:v="urn:schemas-microsoft-com:vml" v:ext="edit"><o:idmap v:ext="edit" data="{ids}"/></o:shapelayout>"#),
        ),
    }
    let mut shapes = String::from(SHAPE_TYPE);
    let boxed = boxed(text);
    for (number, (at, (_, lines))) in notes.iter().filter(|(at, _)| !boxed.contains(at)).enumerate() {
        let id = (first + number / (BLOCK - 1)) * BLOCK + number % (BLOCK - 1) + 1;
        shapes.push_str(&shape(id, *at, *lines));
    }
    splices.insert(end, shapes);
    Ok(splices.apply(text))
}

/// The cells that have a box, as row (1 is the first) and column.
fn boxed(text: &str) -> Vec<(u32, u16)> {
    let after = |from: usize, tag: &str| {
        let rest = text.get(from..)?;
        let rest = rest.get(..rest.find("</x:ClientData>").unwrap_or(rest.len()))?;
        let rest = rest.get(rest.find(tag)? + tag.len()..)?;
        rest.get(..rest.find('<')?)?.trim().parse::<u32>().ok()
    };
    let cell = |(at, _): (usize, &str)| {
        let head = text.get(at..)?;
        if !head.get(..head.find('>')?)?.contains("Note") {
            return None;
        }
        Some((after(at, "<x:Row>")? + 1, u16::try_from(after(at, "<x:Column>")?).ok()?))
    };
    text.match_indices("<x:ClientData").filter_map(cell).collect()
}

/// Ours has a name of its own, since a drawing made by another program may lack the usual one.
const SHAPE_TYPE: &str = concat!(
    r#"<v:shapetype xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" "#,
    r#"id="huiliu_t202" coordsize="21600,21600" o:spt="202" path="m,l,21600r21600,l21600,xe">"#,
    r#"<v:stroke joinstyle="miter"/><v:path gradientshapeok="t" o:connecttype="rect"/></v:shapetype>"#
);

fn shape(id: usize, (row, column): (u32, u16), lines: usize) -> String {
    // A box of four usual columns, as high as the text; at the edge of the sheet it goes to the left.
    let (row, height) = (row.saturating_sub(1), u32::try_from(lines).unwrap_or(20).clamp(2, 20));
    let left = if column < 16_370 { column + 1 } else { column - 6 };
    let top = row.saturating_sub(1).min(1_048_500);
    let (right, bottom) = (left + 4, top + 1 + height);
    format!(
        concat!(
            r##"<v:shape xmlns:v="urn:schemas-microsoft-com:vml" xmlns:o="urn:schemas-microsoft-com:office:office" "##,
            r##"xmlns:x="urn:schemas-microsoft-com:office:excel" id="_x0000_s{id}" type="#huiliu_t202" "##,
            r##"style="position:absolute;visibility:hidden" fillcolor="#ffffe1" o:insetmode="auto">"##,
            r##"<v:fill color2="#ffffe1"/><v:shadow on="t" color="black" obscured="t"/><v:path o:connecttype="none"/>"##,
            r##"<v:textbox style="mso-direction-alt:auto"><div style="text-align:left"></div></v:textbox>"##,
            r##"<x:ClientData ObjectType="Note"><x:MoveWithCells/><x:SizeWithCells/>"##,
            r##"<x:Anchor>{left}, 15, {top}, 4, {right}, 15, {bottom}, 4</x:Anchor><x:AutoFill>False</x:AutoFill>"##,
            r##"<x:Row>{row}</x:Row><x:Column>{column}</x:Column></x:ClientData></v:shape>"##
        ),
        id = id,
        left = left,
        top = top,
        right = right,
        bottom = bottom,
        row = row,
        column = column
    )
}
