//! Where a batch comes from: the engine's columns and the facts that ride on a batch's schema.
//!
//! Every batch has the columns [`SHEET`], [`ROW`] and [`EXTRA`]. What is the same for a whole
//! batch (delivery, sender, file, time, which sheet column each field was read from) is metadata
//! of the batch's schema: a batch never spans two sheets or two deliveries.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

/// Name of the sheet, Utf8; empty for a file without sheets.
pub const SHEET: &str = "_sheet";
/// The row's number in its delivery, Int64, unique there: see [`row_id`].
pub const ROW: &str = "_row";
/// Values of columns that the schema does not know, Utf8: a JSON object, or null.
pub const EXTRA: &str = "_extra";

/// Metadata key of a batch's schema: a JSON object of field -> `_row`s whose cell was there but could not
/// be read. Such a null is not a missing value: the reader has already reported it.
pub const UNREADABLE: &str = "huiliu.unreadable";

/// Metadata key of a batch's schema: a JSON list of `_row`s that files came with (佐证材料). When such a row is merged,
/// the finding that says so names the record in its `raw`, and the files become that record's.
pub const EVIDENCE: &str = "huiliu.evidence";

/// Metadata key of a batch's schema: a JSON object of `_row` -> list of `[name, bytes, hash]`, the files that the rows
/// came with. The hash is BLAKE3 in hex, empty where nobody keeps files.
pub const EVIDENCE_FILES: &str = "huiliu.evidence_files";

/// Metadata key that a stage sets (to `true`) on its output schema when it is opened, to be given also
/// rows that were refused before it, so that a sender hears of all faults of a row at once. Only
/// for stages that check and keep no state.
pub const SEES_REFUSED: &str = "huiliu.sees_refused";

/// Metadata key of a batch's schema: a JSON list of decisions that people took about a stage's records. Only the daemon
/// sets it, on a batch without rows; what such a decision is is the stage's affair.
pub const DECISIONS: &str = "huiliu.decisions";

/// Column that a merging stage may add, Utf8: the id of the record that this one was merged into, because a person said so
/// or because later rows showed that both are one. The register then answers with that record when it is asked for this one.
pub const MERGED_INTO: &str = "_merged_into";

/// Metadata key of a batch that a stage gives: a JSON list of pairs of `_row`s. The row named first stands for the same
/// record as the row named second, which came out with an earlier batch of the delivery: no sink is given that one.
pub const REPLACES: &str = "huiliu.replaces";

const DELIVERY: &str = "huiliu.delivery";
const SENDER: &str = "huiliu.sender";
const FILE: &str = "huiliu.file";
const RECEIVED: &str = "huiliu.received_ms";
const CELLS: &str = "huiliu.columns";

/// `_row` of a row: its number as the sender sees it (1 is the first line of the sheet), plus the
/// sheet's ordinal (0 is the first) in the upper 32 bits. So on the first sheet, and in files
/// without sheets, it is simply the row number.
pub fn row_id(sheet_ordinal: u32, row_number: u32) -> i64 {
    (i64::from(sheet_ordinal) << 32) | i64::from(row_number)
}

/// The row number as the sender sees it.
pub fn row_number(row_id: i64) -> u32 {
    (row_id & 0xffff_ffff) as u32
}

/// The ordinal of the sheet that a `_row` lies in.
pub fn sheet_ordinal(row_id: i64) -> u32 {
    (row_id >> 32) as u32
}

/// `C` for 2, `AA` for 26.
pub fn column_letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        letters.push(b'A' + ((rest - 1) % 26) as u8);
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().map(|&b| b as char).collect()
}

/// `C5` for column index 2 of row number 5.
pub fn cell_address(column: usize, row_number: u32) -> String {
    format!("{}{row_number}", column_letters(column))
}

/// The facts that ride on a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the delivery.
    pub delivery: String,
    /// Who sent it, such as the department's folder.
    pub sender: String,
    /// Name of the file, without folders.
    pub file: String,
    /// When it was received, milliseconds since 1970 UTC.
    pub received_ms: i64,
    /// Field name -> zero-based index of the sheet column it was read from.
    pub columns: HashMap<String, usize>,
}

impl Origin {
    /// Reads the facts off a batch.
    pub fn of(batch: &RecordBatch) -> Self {
        let schema = batch.schema();
        let get = |key: &str| schema.metadata.get(key).cloned().unwrap_or_default();
        Self {
            delivery: get(DELIVERY),
            sender: get(SENDER),
            file: get(FILE),
            received_ms: get(RECEIVED).parse().unwrap_or(0),
            columns: serde_json::from_str(&get(CELLS)).unwrap_or_default(),
        }
    }

    /// The address, such as `C5`, of a field's cell in the row `row_id`; `None` for a field that was not
    /// read from a cell.
    pub fn cell(&self, field: &str, row_id: i64) -> Option<String> {
        self.columns.get(field).map(|&column| cell_address(column, row_number(row_id)))
    }

    /// Puts the facts on a schema.
    #[must_use]
    pub fn mark(&self, schema: &Schema) -> Schema {
        // A sorted map, so that the same origin gives the same bytes.
        let columns: std::collections::BTreeMap<_, _> = self.columns.iter().collect();
        let columns = serde_json::to_string(&columns).unwrap_or_default();
        let mut metadata = schema.metadata.clone();
        metadata.extend([
            (DELIVERY.to_owned(), self.delivery.clone()),
            (SENDER.to_owned(), self.sender.clone()),
            (FILE.to_owned(), self.file.clone()),
            (RECEIVED.to_owned(), self.received_ms.to_string()),
            (CELLS.to_owned(), columns),
        ]);
        Schema::new_with_metadata(schema.fields.clone(), metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_the_spreadsheet() {
        for (index, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")] {
            assert_eq!(column_letters(index), letters);
        }
        assert_eq!(cell_address(2, 5), "C5");
    }

    #[test]
    fn a_row_id_is_the_row_number_on_the_first_sheet() {
        assert_eq!(row_id(0, 7), 7);
        let id = row_id(3, 1_048_576);
        assert_eq!((sheet_ordinal(id), row_number(id)), (3, 1_048_576));
    }

    #[test]
    fn the_facts_ride_on_the_schema() {
        let origin = Origin {
            delivery: "d1".into(),
            sender: "发改局".into(),
            file: "a.xlsx".into(),
            received_ms: 5,
            columns: [("name".to_owned(), 2)].into(),
        };
        let batch = RecordBatch::new_empty(origin.mark(&Schema::empty()).into());
        assert_eq!(Origin::of(&batch), origin);
        assert_eq!(origin.cell("name", row_id(1, 9)).as_deref(), Some("C9"));
    }
}
