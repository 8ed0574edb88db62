//! Which part of an Office Open XML package is what: the workbook, its sheets in order, strings and styles.
//!
//! Producers differ: targets are relative or absolute, names differ in case, relationships or whole parts are missing,
//! namespaces are those of the strict or of the transitional standard. So relationships are told by the last word
//! of their type, and what they do not name is looked for under its usual name.

use std::io::Read;

use super::xml::{Scanner, Token};
use crate::read::error::ReadError;
use crate::read::package::Package;

/// Most sheets; programs stop far below.
const MOST_SHEETS: usize = 4096;

/// A sheet of the workbook.
#[derive(Clone, Debug)]
pub(super) struct SheetPart {
    pub(super) name: String,
    /// Shown to whoever opens the workbook, and a sheet of cells.
    pub(super) visible: bool,
    /// Its part in the package.
    pub(super) part: Option<String>,
}

/// Where everything is.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) sheets: Vec<SheetPart>,
    pub(super) strings: Option<String>,
    pub(super) styles: Option<String>,
    pub(super) date1904: bool,
}

/// A relationship: id, last word of its type, target.
struct Relation {
    id: String,
    kind: String,
    target: String,
}

impl Parts {
    /// Follows the relationships of the package.
    pub(super) fn find(package: &Package) -> Result<Self, ReadError> {
        let top = relations(package, "")?;
        let workbook = top.iter().find(|r| r.kind == "officedocument").map(|r| r.target.as_str());
        let workbook = workbook
            .and_then(|name| package.find(name))
            .or_else(|| package.find("xl/workbook.xml"))
            .ok_or_else(|| foreign(package))?
            .to_owned();
        if workbook.ends_with(".bin") {
            return Err(foreign(package));
        }
        let relations = relations(package, &workbook)?;
        let folder = workbook.rsplit_once('/').map_or("", |(folder, _)| folder);
        let named = |kind: &str, usual: &str| {
            let target = relations.iter().find(|r| r.kind == kind).map(|r| r.target.as_str());
            let found = target.and_then(|name| package.find(name));
            found.or_else(|| package.find(&join(folder, usual))).map(str::to_owned)
        };
        let mut parts = Self {
            strings: named("sharedstrings", "sharedStrings.xml"),
            styles: named("styles", "styles.xml"),
            ..Self::default()
        };
        parts.read_workbook(package, &workbook, folder, &relations)?;
        Ok(parts)
    }

    fn read_workbook(
        &mut self,
        package: &Package,
        workbook: &str,
        folder: &str,
        relations: &[Relation],
    ) -> Result<(), ReadError> {
        let Some(entry) = package.entry(workbook)? else { return Err(foreign(package)) };
        let mut scanner = Scanner::new(entry);
        loop {
            match scanner.next()? {
                Token::Open { name: b"workbookPr", attributes, .. } => {
                    self.date1904 = attributes.flag(b"date1904");
                }
                Token::Open { name: b"sheet", attributes, .. } if self.sheets.len() < MOST_SHEETS => {
                    let id = attributes.text(b"id").unwrap_or_default();
                    let relation = relations.iter().find(|r| r.id == id);
                    let usual = format!("worksheets/sheet{}.xml", self.sheets.len() + 1);
                    let part = match relation {
                        Some(relation) => package.find(&relation.target),
                        None => package.find(&join(folder, &usual)),
                    };
                    let of_cells = relation.is_none_or(|r| r.kind == "worksheet");
                    let shown = attributes.get(b"state").is_none_or(|state| state == b"visible");
                    let name = attributes.text(b"name").unwrap_or_default();
                    self.sheets.push(SheetPart {
                        name,
                        visible: shown && of_cells,
                        part: part.filter(|_| of_cells).map(str::to_owned),
                    });
                }
                Token::End => return Ok(()),
                _ => {}
            }
        }
    }
}

/// The relationships of a part; none where the part of relationships is missing.
fn relations(package: &Package, part: &str) -> Result<Vec<Relation>, ReadError> {
    let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
    let Some(entry) = package.entry(&join(folder, &format!("_rels/{file}.rels")))? else {
        return Ok(Vec::new());
    };
    read_relations(entry, folder)
}

fn read_relations(part: impl Read, folder: &str) -> Result<Vec<Relation>, ReadError> {
    let mut scanner = Scanner::new(part);
    let mut relations = Vec::new();
    loop {
        match scanner.next()? {
            Token::Open { name: b"Relationship", attributes, .. } if relations.len() < 4 * MOST_SHEETS => {
                let kind = attributes.text(b"Type").unwrap_or_default().to_lowercase();
                relations.push(Relation {
                    id: attributes.text(b"Id").unwrap_or_default(),
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    target: join(folder, &attributes.text(b"Target").unwrap_or_default()),
                });
            }
            Token::End => return Ok(relations),
            _ => {}
        }
    }
}

/// A target as a name in the package.
fn join(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut path: Vec<&str> = match target.starts_with('/') {
        true => Vec::new(),
        false => folder.split('/').filter(|part| !part.is_empty()).collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            _ => path.push(part),
        }
    }
    path.join("/")
}

/// What a package is that holds no workbook.
fn foreign(package: &Package) -> ReadError {
    let (zh, en) = if package.find("word/document.xml").is_some() {
        ("Word 文档", "a text document")
    } else if package.find("ppt/presentation.xml").is_some() {
        ("演示文稿", "a presentation")
    } else if package.find("OFD.xml").is_some() {
        ("OFD 文件", "an OFD document")
    } else {
        ("无法识别的文件", "a file of no known kind")
    };
    ReadError::wrong_type(zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved_within_the_package() {
        for (folder, target, expected) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/styles.xml", "xl/styles.xml"),
            ("xl", "../docProps/app.xml", "docProps/app.xml"),
            ("", "xl\\workbook.xml", "xl/workbook.xml"),
            ("xl", "../../../x", "x"),
        ] {
            assert_eq!(join(folder, target), expected);
        }
    }
}
