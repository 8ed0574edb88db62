//! The summary as a sheet of the sender's workbook.
//!
//! It is made as a workbook of its own and moved: its texts go into its cells, since the sender's shared
//! texts are not to be touched, and its looks behind the sender's.

use std::io::{Cursor, Read};

use quick_xml::events::BytesStart;
use rust_xlsxwriter::Workbook;

use super::super::ReceiptData;
use super::super::copy::Copied;
use super::super::summary::summary;
use super::package::{MAX_HELD_BYTES, main_space};
use super::xml::{Kind, Node, Splices, attribute, number, walk, with};
use super::{PatchError, held};

/// A summary has at most some hundred thousand lines.
const MAX_FRONT_BYTES: u64 = 256 << 20;

/// The summary, taken out of its workbook.
pub(super) struct Front {
    pub(super) sheet: FrontSheet,
    pub(super) styles: FrontStyles,
}

/// The sheet of the summary and the texts that its cells point at.
pub(super) struct FrontSheet {
    sheet: String,
    texts: Vec<String>,
}

impl Front {
    pub(super) fn make(data: &ReceiptData, copied: &Copied) -> Result<Self, PatchError> {
        let mut book = Workbook::new();
        book.push_worksheet(summary(data, copied)?);
        let mut archive = zip::ZipArchive::new(Cursor::new(book.save_to_buffer()?))?;
        let mut part = |name: &str, limit: u64| held(&mut archive.by_name(name)? as &mut dyn Read, limit);
        let sheet = part("xl/worksheets/sheet1.xml", MAX_FRONT_BYTES)?;
        let shared = part("xl/sharedStrings.xml", MAX_FRONT_BYTES)?;
        let styles = FrontStyles { text: part("xl/styles.xml", MAX_HELD_BYTES)? };
        let (mut texts, mut open) = (Vec::new(), 0);
        walk(&shared, |node| {
            match node.kind {
                Kind::Open if node.begins(1, "si") => open = node.span.end,
                Kind::Close if node.ends(1, "si") => {
                    texts.push(shared.get(open..node.span.start).unwrap_or_default().to_owned());
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(Self { sheet: FrontSheet { sheet, texts }, styles })
    }
}

impl FrontSheet {
    /// The sheet with its looks moved by `base`.
    pub(super) fn at(&self, base: u32, strict: bool) -> Result<String, PatchError> {
        let mut splices = Splices::default();
        let (mut shared, mut open) = (false, 0..0);
        walk(&self.sheet, |node| {
            if node.begins(3, "c") {
                let look = number(&node.tag, "s")?.unwrap_or(0).saturating_add(base).to_string();
                shared = attribute(&node.tag, "t")?.as_deref() == Some("s");
                let mut changes = vec![("s", Some(look))];
                if shared {
                    changes.push(("t", Some("inlineStr".to_owned())));
                }
                let end = if node.kind == Kind::Empty { "/" } else { "" };
                splices.replace(node.span, format!("<{}{end}>", with(&node.tag, &changes)?));
            } else if shared && node.depth == 4 && node.kind == Kind::Open {
                open = node.span;
            } else if shared && node.depth == 4 && node.kind == Kind::Close {
                let number = self.sheet.get(open.end..node.span.start).unwrap_or_default();
                let text = number.parse().ok().and_then(|number: usize| self.texts.get(number));
                let text = text.map_or("", String::as_str);
                splices.replace(open.start..node.span.end, format!("<is>{text}</is>"));
            }
            Ok(())
        })?;
        let sheet = splices.apply(&self.sheet);
        Ok(if strict { sheet.replacen(main_space(false), main_space(true), 1) } else { sheet })
    }
}

/// The looks of the summary.
pub(super) struct FrontStyles {
    text: String,
}

impl FrontStyles {
    /// How many children the list `name` has.
    pub(super) fn count(&self, name: &str) -> u32 {
        let (mut inside, mut count) = (false, 0);
        let counted = walk(&self.text, |node| {
            if node.depth == 1 {
                inside = node.begins(1, name);
            } else if inside && node.depth == 2 && node.kind != Kind::Close {
                count += 1;
            }
            Ok(())
        });
        counted.map_or(0, |()| count)
    }

    pub(super) fn looks(&self) -> u32 {
        self.count("cellXfs")
    }

    pub(super) fn fonts(&self, prefix: &str) -> Result<String, PatchError> {
        self.list("fonts", prefix, |node| Ok(node.tag.to_string()))
    }

    pub(super) fn fills(&self, prefix: &str) -> Result<String, PatchError> {
        self.list("fills", prefix, |node| Ok(node.tag.to_string()))
    }

    pub(super) fn borders(&self, prefix: &str) -> Result<String, PatchError> {
        self.list("borders", prefix, |node| Ok(node.tag.to_string()))
    }

    /// The looks, pointing at the lists behind which theirs were put.
    pub(super) fn looks_moved(
        &self,
        prefix: &str,
        fonts: u32,
        fills: u32,
        borders: u32,
    ) -> Result<String, PatchError> {
        let moved = |tag: &BytesStart<'_>, name, by: u32| {
            Ok::<_, PatchError>(Some(number(tag, name)?.unwrap_or(0).saturating_add(by).to_string()))
        };
        self.list("cellXfs", prefix, |node| {
            if node.depth != 2 {
                return Ok(node.tag.to_string());
            }
            let tag = &node.tag;
            let ids = [
                ("fontId", moved(tag, "fontId", fonts)?),
                ("fillId", moved(tag, "fillId", fills)?),
                ("borderId", moved(tag, "borderId", borders)?),
                ("xfId", Some("0".to_owned())), // The sender's styles by name are not ours.
                ("applyFont", Some("1".to_owned())),
                ("applyFill", Some("1".to_owned())),
            ];
            with(tag, &ids)
        })
    }

    /// The children of a list with every name put under `prefix`.
    fn list(
        &self,
        name: &str,
        prefix: &str,
        tag: impl Fn(&Node<'_>) -> Result<String, PatchError>,
    ) -> Result<String, PatchError> {
        let (mut inside, mut out) = (false, String::new());
        walk(&self.text, |node| {
            if node.depth == 1 {
                inside = node.begins(1, name);
            } else if inside && node.depth > 1 {
                let (slash, end) = match node.kind {
                    Kind::Open => ("", ""),
                    Kind::Empty => ("", "/"),
                    Kind::Close => ("/", ""),
                };
                let tag = if node.kind == Kind::Close { node.tag.to_string() } else { tag(&node)? };
                out.push_str(&format!("<{slash}{prefix}{tag}{end}>"));
            }
            Ok(())
        })?;
        Ok(out)
    }
}
