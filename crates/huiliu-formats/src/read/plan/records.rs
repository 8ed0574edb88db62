//! JSON, JSON Lines and XML: where the records are, and their names.

use std::fs::File;
use std::io::Seek;

use super::Plan;
use super::tell::without_column;
use crate::read::error::ReadError;
use crate::read::header::Layout;
use crate::read::keyed::json::lines::LineRecords;
use crate::read::keyed::json::{self, JsonRecords};
use crate::read::keyed::xml::{self, XmlRecords};
use crate::read::keyed::{KeyedSource, Pieces};
use crate::read::options::FormatKind;
use crate::read::text::{TextReader, encoding_of, encoding_of_markup};
use crate::read::{Reading, Source, raw};

impl Plan<'_> {
    /// JSON, JSON Lines or XML: records of named values.
    pub(super) fn records(&mut self, mut file: File, kind: FormatKind) -> Result<Reading, ReadError> {
        let told = match kind {
            FormatKind::Xml => encoding_of_markup(&mut file, self.options)?,
            _ => encoding_of(&mut file, self.options)?,
        };
        self.expect_text(&told)?;
        self.take_encoding(&told);
        let longest = self.options.limits.max_row_bytes;
        let names = self.known.as_ref().map(|(_, names)| names);
        let reader = |file: &mut File| -> Result<TextReader, ReadError> {
            file.rewind().map_err(|e| ReadError::io(&e))?;
            Ok(TextReader::new(file.try_clone().map_err(|e| ReadError::io(&e))?, told.charset))
        };
        let pieces = match kind {
            FormatKind::Jsonl => Pieces::Lines(LineRecords::open(reader(&mut file)?, longest)),
            FormatKind::Json => {
                let table = json::survey(reader(&mut file)?, longest, names)?;
                self.general.extend(json::others(&table));
                Pieces::Json(Box::new(JsonRecords::open(reader(&mut file)?, longest, &table)?))
            }
            _ => {
                let table = xml::survey(reader(&mut file)?, longest, names)?;
                let units = self.known.is_some();
                Pieces::Xml(Box::new(XmlRecords::open(reader(&mut file)?, longest, table, units)))
            }
        };
        let mut source = KeyedSource::new(pieces);
        let found = source.first_names()?;
        // Lines that are all broken are told one by one.
        if found.is_empty() && (source.is_empty() || !source.has_lines()) {
            return Err(source.no_record());
        }
        let mut layout = Layout::default();
        let (record, names) = self.known.take().unwrap_or_else(|| raw::record(&found));
        source.lay_out(&found, &mut layout, &names);
        self.known = Some((record, names));
        self.add_sheet(String::new(), 0, layout, None);
        self.sheets.iter_mut().flat_map(|sheet| &mut sheet.findings).for_each(without_column);
        self.reading(Source::Keyed(Box::new(source)), vec![String::new()])
    }
}
