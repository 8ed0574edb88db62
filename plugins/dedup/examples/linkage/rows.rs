//! Rows of comma-separated values, as the data sets are written.

/// All rows of a text.
pub(crate) fn rows(text: &str) -> csv::Result<Vec<Vec<String>>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    reader.deserialize().collect()
}
