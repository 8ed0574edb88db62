//! V13: files that cells name as evidence and whose type proves nothing.
//!
//! Whether a named file came is told by the reader of packages (`evidence-missing`, `evidence-empty`). A name without an
//! ending is a paper's name, not a file's.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, SchemaRef};
use hashbrown::HashSet;
use huiliu_stage::{Findings, StageError, Text};

use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note};

/// The field with the papers handed in.
const FIELD: &str = "evidence";

/// Papers, pictures and tables as offices make them.
const USUAL: [&str; 20] = [
    "pdf", "ofd", "jpg", "jpeg", "png", "bmp", "tif", "tiff", "heic", "webp", "doc", "docx", "wps", "xls",
    "xlsx", "et", "zip", "rar", "7z", "mp4",
];

/// The endings that are allowed.
pub(super) struct Types {
    column: usize,
    allowed: HashSet<String>,
    note: Note,
}

impl Types {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
    ) -> Option<Box<dyn Check>> {
        let column = schema.index_of(FIELD).ok()?;
        let list = matches!(schema.field(column).data_type(), DataType::List(item) if *item.data_type() == DataType::Utf8);
        let note = Note::new(options, schema.field(column), Kind::EvidenceType).filter(|_| list)?;
        let allowed = match &own.evidence_types {
            Some(types) => types.iter().map(|ending| ending.trim_start_matches('.').to_lowercase()).collect(),
            None => USUAL.map(str::to_owned).into_iter().collect(),
        };
        Some(Box::new(Self { column, allowed, note }))
    }
}

impl Check for Types {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let lists = sight.batch.column(self.column).as_list::<i32>();
        let items = lists.values().as_string::<i32>();
        for (at, ends) in lists.value_offsets().windows(2).enumerate().filter(|(_, ends)| ends[0] < ends[1]) {
            let named = (ends[0] as usize..ends[1] as usize).filter(|item| items.is_valid(*item));
            let wrong = named.map(|item| items.value(item)).find(|name| {
                ending(name).is_some_and(|ending| !self.allowed.contains(&ending.to_lowercase()))
            });
            if let Some(name) = wrong {
                let text = Text::new(
                    "佐证材料的文件类型不能作为证明，请换成PDF、照片或Office文档",
                    "a file of this type proves nothing; send a PDF, a picture or an office document",
                );
                findings.push(self.note.about_value(sight.rows[at], name, text));
            }
        }
        Ok(())
    }
}

/// What follows the last point of a file's name, if it can be an ending.
fn ending(name: &str) -> Option<&str> {
    let (stem, ending) = name.trim().rsplit_once('.')?;
    let fits = !stem.is_empty()
        && (1..=5).contains(&ending.len())
        && ending.chars().all(|c| c.is_ascii_alphanumeric())
        && ending.chars().any(|c| c.is_ascii_alphabetic());
    fits.then_some(ending)
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn only_what_looks_like_an_ending_is_one() {
        for (name, expected) in [
            ("照片.JPG", Some("JPG")),
            ("a.b.pdf", Some("pdf")),
            ("施工许可证", None),
            ("合同2026.3", None),
            (".pdf", None),
            ("第1.二期", None),
            ("x.exe ", Some("exe")),
        ] {
            assert_eq!(ending(name), expected, "{name}");
        }
    }
}
