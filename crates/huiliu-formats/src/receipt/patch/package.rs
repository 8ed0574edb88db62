//! The zip file of a workbook: parts by name, relationships between them.
//!
//! What a zip file may hold is decided in one place, where files are read; here it is opened through that door, and
//! every part that is looked into comes through it. Only what is copied as it lies is taken from the file itself.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::read::ZipFile;

use super::xml::{Splices, attribute, escape, walk};
use super::{PatchError, held, unfit};
use crate::read::{Limits, package};

/// Most bytes of a sheet.
pub(super) const MAX_SHEET_BYTES: u64 = 1 << 30;
/// Most bytes of a part that has to be held in memory.
pub(super) const MAX_HELD_BYTES: u64 = 8 << 20;

/// A workbook's zip file.
pub(super) struct Package {
    archive: ZipArchive<BufReader<File>>,
    guarded: package::Package,
    /// Names in lower case, since references to parts need not agree in case.
    names: HashMap<String, usize>,
}

impl Package {
    pub(super) fn open(source: &Path) -> Result<Self, PatchError> {
        let guarded = package::Package::open(File::open(source)?, &Limits::default())
            .map_err(|error| PatchError::Unfit(error.to_string()))?;
        let mut archive = ZipArchive::new(BufReader::with_capacity(1 << 16, File::open(source)?))?;
        let mut names = HashMap::new();
        for index in 0..archive.len() {
            if names.insert(archive.by_index_raw(index)?.name()?.to_lowercase(), index).is_some() {
                return unfit("two of its parts have the same name");
            }
        }
        Ok(Self { archive, guarded, names })
    }

    pub(super) fn len(&self) -> usize {
        self.archive.len()
    }

    pub(super) fn name(&mut self, index: usize) -> Result<String, PatchError> {
        Ok(self.archive.by_index_raw(index)?.name()?.into_owned())
    }

    pub(super) fn size(&mut self, index: usize) -> Result<u64, PatchError> {
        Ok(self.archive.by_index_raw(index)?.size())
    }

    /// The entry as it lies.
    pub(super) fn raw(&mut self, index: usize) -> Result<ZipFile<'_, BufReader<File>>, PatchError> {
        Ok(self.archive.by_index_raw(index)?)
    }

    /// The content of an entry: exactly what it declares, or an error.
    pub(super) fn stream(&mut self, index: usize, limit: u64) -> Result<impl Read + use<>, PatchError> {
        let name = self.name(index)?;
        let entry = self.guarded.entry(&name).map_err(|error| PatchError::Unfit(error.to_string()))?;
        match (entry, self.guarded.size(&name)) {
            (Some(entry), Some(size)) if size <= limit => Ok(entry),
            (_, Some(size)) => unfit(format!("a part takes {size} bytes")),
            _ => unfit(format!("the part `{name}` is missing")),
        }
    }

    /// The name of a part as it is written in the file.
    pub(super) fn find(&mut self, part: &str) -> Result<Option<String>, PatchError> {
        match self.names.get(&part.to_lowercase()).copied() {
            Some(index) => self.name(index).map(Some),
            None => Ok(None),
        }
    }

    pub(super) fn part(&mut self, part: &str) -> Result<impl Read + use<>, PatchError> {
        match self.names.get(&part.to_lowercase()).copied() {
            Some(index) => self.stream(index, MAX_SHEET_BYTES),
            None => unfit(format!("the part `{part}` is missing")),
        }
    }

    /// The text of a small part.
    pub(super) fn text(&mut self, part: &str) -> Result<String, PatchError> {
        held(&mut self.part(part)?, MAX_HELD_BYTES)
    }

    /// The names of all parts that end so.
    pub(super) fn ending(&mut self, end: &str) -> Result<Vec<String>, PatchError> {
        let mut found: Vec<usize> =
            self.names.iter().filter(|(name, _)| name.ends_with(end)).map(|(_, &index)| index).collect();
        found.sort_unstable();
        found.into_iter().map(|index| self.name(index)).collect()
    }

    /// A name for a new part, such as `xl/comments7.xml`, that neither is in the file nor in `taken`.
    pub(super) fn free(&self, stem: &str, end: &str, taken: impl Fn(&str) -> bool) -> String {
        (1_u32..)
            .map(|number| format!("{stem}{number}{end}"))
            .find(|name| !self.names.contains_key(&name.to_lowercase()) && !taken(name))
            .unwrap_or_default()
    }
}

/// What a part refers to.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its type, such as `worksheet`.
    pub(super) kind: String,
    /// The part it points to; empty for one outside the file.
    pub(super) part: String,
    /// Whether it is of the strict kind of the format.
    pub(super) strict: bool,
}

/// The relationships of a part and their text.
pub(super) struct Relations {
    pub(super) name: String,
    pub(super) list: Vec<Relation>,
    text: String,
    added: String,
}

const NO_RELATIONS: &str = concat!(
    r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
    "\n",
    r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"></Relationships>"#
);

impl Relations {
    /// Those of `part`; of the whole file where it is empty.
    pub(super) fn of(package: &mut Package, part: &str) -> Result<Self, PatchError> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let name = match folder.is_empty() {
            true => format!("_rels/{file}.rels"),
            false => format!("{folder}/_rels/{file}.rels"),
        };
        let (name, text) = match package.find(&name)? {
            Some(name) => (name.clone(), package.text(&name)?),
            None => (name, NO_RELATIONS.to_owned()),
        };
        let mut list = Vec::new();
        walk(&text, |node| {
            if node.begins(1, "Relationship") {
                let get = |name| Ok::<_, PatchError>(attribute(&node.tag, name)?.unwrap_or_default());
                let (kind, target) = (get("Type")?, get("Target")?);
                let outside = get("TargetMode")?.eq_ignore_ascii_case("external");
                list.push(Relation {
                    id: get("Id")?,
                    strict: kind.starts_with("http://purl.oclc.org/"),
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    part: if outside { String::new() } else { resolve(folder, &target) },
                });
            }
            Ok(())
        })?;
        Ok(Self { name, list, text, added: String::new() })
    }

    pub(super) fn by_kind(&self, kind: &str) -> Option<&Relation> {
        self.list.iter().find(|relation| relation.kind == kind && !relation.part.is_empty())
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&Relation> {
        self.list.iter().find(|relation| relation.id == id && !relation.part.is_empty())
    }

    /// Adds a relationship and gives back its name.
    pub(super) fn add(&mut self, kind: &str, part: &str, strict: bool) -> String {
        let id = (1_u32..)
            .map(|number| format!("rIdHuiliu{number}"))
            .find(|id| self.list.iter().all(|relation| relation.id != *id))
            .unwrap_or_default();
        let space = relations_space(strict);
        self.added.push_str(&format!(
            r#"<Relationship xmlns="http://schemas.openxmlformats.org/package/2006/relationships" Id="{id}" Type="{space}/{kind}" Target="/{}"/>"#,
            escape(part)
        ));
        self.list.push(Relation { id: id.clone(), kind: kind.to_owned(), part: part.to_owned(), strict });
        id
    }

    /// Their text with what was added; `None` if nothing was.
    pub(super) fn changed(&self) -> Result<Option<String>, PatchError> {
        if self.added.is_empty() {
            return Ok(None);
        }
        let mut splices = Splices::default();
        walk(&self.text, |node| {
            if node.ends(0, "Relationships") {
                splices.append(&node, &self.added);
            }
            Ok(())
        })?;
        Ok(Some(splices.apply(&self.text)))
    }
}

/// The name space of relationships in either kind of the format.
pub(super) fn relations_space(strict: bool) -> &'static str {
    match strict {
        true => "http://purl.oclc.org/ooxml/officeDocument/relationships",
        false => "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    }
}

/// The name space of sheets in either kind of the format.
pub(super) fn main_space(strict: bool) -> &'static str {
    match strict {
        true => "http://purl.oclc.org/ooxml/spreadsheetml/main",
        false => "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    }
}

/// The part that `target` means when it stands in a part of `folder`.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut path: Vec<&str> = match target.starts_with('/') {
        true => Vec::new(),
        false => folder.split('/').filter(|step| !step.is_empty()).collect(),
    };
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved_against_the_folder_of_their_part() {
        for (folder, target, part) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl/worksheets", "../comments1.xml", "xl/comments1.xml"),
            ("xl/worksheets", "/xl/comments1.xml", "xl/comments1.xml"),
            ("", "./xl/workbook.xml", "xl/workbook.xml"),
            ("xl", "../../../a.xml", "a.xml"),
        ] {
            assert_eq!(resolve(folder, target), part);
        }
    }
}
