//! What was there and could not be read: cells whose formula failed (`#REF!`, `#DIV/0!`), whose value is null and of
//! which the sender is told each, and whole rows.

use huiliu_stage::{Finding, Severity, Text, cell_address, row_id};

use super::Assembler;
use crate::read::chunk::Chunk;

impl Assembler {
    /// Rows of which nothing could be read lack nothing: that they are broken is told already.
    pub(super) fn unread_rows(&mut self, chunk: &Chunk) {
        if chunk.unread.is_empty() {
            return;
        }
        let rows: Vec<i64> = chunk.unread.iter().map(|&number| row_id(self.ordinal, number)).collect();
        for (name, _) in &self.fields {
            self.unreadable.entry(name.clone()).or_default().extend(&rows);
        }
    }

    /// Finds the failed cells of a chunk. One in a column that is no field is only worth a look.
    pub(super) fn broken_cells(&mut self, chunk: &Chunk, text: &str) {
        for &(number, column, span) in &chunk.broken {
            let row = row_id(self.ordinal, number);
            let column = column as usize;
            let (raw, address) = (span.of(text), cell_address(column, number));
            let of = self.sources.iter().position(|source| *source == Some(column));
            let severity = if of.is_some() { Severity::Error } else { Severity::Warning };
            let message = Text::new(
                format!("{address} 的公式出错（{raw}），没有值；请改正公式或直接填写数值"),
                format!(
                    "the formula in {address} failed ({raw}) and gives no value; correct it or write the value itself"
                ),
            );
            let mut finding = Finding::new(Some(row), severity, "formula-error", message).with_raw(raw);
            if let Some((name, _)) = of.and_then(|field| self.fields.get(field)) {
                self.unreadable.entry(name.clone()).or_default().push(row);
                finding = finding.with_field(name.as_str());
            }
            self.findings.push(finding);
        }
    }
}
