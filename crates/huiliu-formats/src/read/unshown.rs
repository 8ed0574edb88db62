//! Columns of a workbook that does not say how its numbers are shown (`.xlsb`).
//!
//! There a cell shown as 35.8% is the number 0.358, and a code shown as 0000123 the number 123. Which is meant
//! cannot be known; so the number is read as it is stored, and the sender is told where that may be wrong.

use std::collections::BTreeMap;

use huiliu_stage::{FieldType, Finding, RecordSchema, Severity, Text, column_letters};

use super::header::Layout;
use super::value::is_code;
use super::workbook::Bare;

/// What to tell of a sheet's columns.
pub(super) fn findings(
    sheet: &str,
    layout: &Layout,
    record: &RecordSchema,
    bare: &BTreeMap<u32, Bare>,
) -> Vec<Finding> {
    let header = layout.header_rows.iter().copied().max().unwrap_or(0);
    let mut all = Vec::new();
    for (index, column) in layout.columns.iter().enumerate() {
        let Some(field) = column.field.and_then(|field| record.fields.get(field)) else { continue };
        let Some(numbers) = u32::try_from(index).ok().and_then(|index| bare.get(&index)) else { continue };
        let place = format!("{sheet} {}", column_letters(index));
        let title = &column.header;
        let percent = field.kind == FieldType::Number && field.unit.as_deref() == Some("%");
        let text = if percent && numbers.share > header {
            Text::new(
                format!(
                    "{place}列“{title}”：此种文件看不出哪些数显示为百分数，已按存储的数读取；如表中显示为 35.8% 一类，请另存为 .xlsx 后上传"
                ),
                format!(
                    "{place} `{title}`: this kind of file does not say which numbers are shown as percentages, so they were read as stored; if the sheet shows them like 35.8%, send it as .xlsx"
                ),
            )
        } else if field.kind == FieldType::Text && is_code(&field.name) && numbers.whole > header {
            Text::new(
                format!(
                    "{place}列“{title}”：此种文件看不出数字前面显示的零，已按存储的数读取；如代码以 0 开头，请另存为 .xlsx 后上传"
                ),
                format!(
                    "{place} `{title}`: this kind of file does not say which numbers are shown with zeros in front, so they were read as stored; if codes begin with 0, send it as .xlsx"
                ),
            )
        } else {
            continue;
        };
        all.push(
            Finding::new(None, Severity::Warning, "cell-format", text)
                .with_raw(title.as_str())
                .with_field(field.name.as_str()),
        );
    }
    all
}
