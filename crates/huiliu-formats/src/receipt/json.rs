//! The receipt as JSON, for programs that send files and read the answer.
//!
//! Keys do not change their meaning; new ones may be added. Codes, severities and states are the words
//! that the rest of the house uses; only `outcome`, `label` and `message` are in the receipt's language.

use std::collections::BTreeMap;

use huiliu_stage::{Fate, Finding, Severity, column_letters};
use serde::Serialize;

use super::ReceiptData;
use crate::report::{ColumnReport, SheetReport};

#[derive(Serialize)]
struct Receipt<'a> {
    delivery: &'a str,
    pipeline: &'a str,
    file: &'a str,
    sender: &'a str,
    received: String,
    state: &'a str,
    outcome: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<Corrects<'a>>,
    counts: Counts,
    codes: &'a BTreeMap<String, u64>,
    reading: Reading<'a>,
    findings_total: u64,
    findings_shown: usize,
    findings: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Counts {
    rows_in: u64,
    accepted: u64,
    quarantined: u64,
    merged: u64,
    dropped: u64,
    refused: u64,
    errors: u64,
    warnings: u64,
    infos: u64,
}

/// The delivery that this one replaces.
#[derive(Serialize)]
struct Corrects<'a> {
    delivery: &'a str,
    received: String,
}

/// How the file was understood.
#[derive(Serialize)]
struct Reading<'a> {
    format: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    encoding: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<&'a str>,
    sheets: Vec<Sheet<'a>>,
}

#[derive(Serialize)]
struct Sheet<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    header_rows: &'a [u32],
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
    rows: u64,
    columns: Vec<Column<'a>>,
}

#[derive(Serialize)]
struct Column<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    header: &'a str,
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    how: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<&'a str>,
}

#[derive(Serialize)]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sheet: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cell: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    severity: Severity,
    code: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fate: Option<Fate>,
}

/// The receipt as indented JSON with a line break at its end.
pub fn json(data: &ReceiptData) -> Vec<u8> {
    let receipt = Receipt {
        delivery: &data.delivery,
        pipeline: &data.pipeline,
        file: &data.file,
        sender: &data.sender,
        received: time(data, data.received_ms),
        state: &data.state,
        outcome: data.outcome(),
        corrects: data.corrects.as_ref().map(|earlier| Corrects {
            delivery: &earlier.delivery,
            received: time(data, earlier.received_ms),
        }),
        counts: counts(data),
        codes: &data.codes,
        reading: Reading {
            format: &data.report.format,
            encoding: &data.report.encoding,
            delimiter: data.report.delimiter.as_deref(),
            sheets: data.report.sheets.iter().map(|report| sheet(data, report)).collect(),
        },
        findings_total: data.findings_total(),
        findings_shown: data.findings.len(),
        findings: data.findings.iter().map(|finding| shown(data, finding)).collect(),
    };
    // Strings, numbers and maps with string keys always serialise.
    let mut bytes = serde_json::to_vec_pretty(&receipt).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn time(data: &ReceiptData, at_ms: i64) -> String {
    data.zone.print(at_ms, "%Y-%m-%dT%H:%M:%S%:z")
}

fn counts(data: &ReceiptData) -> Counts {
    let &ReceiptData { rows_in, accepted, quarantined, merged, dropped, refused, .. } = data;
    let &ReceiptData { errors, warnings, infos, .. } = data;
    Counts { rows_in, accepted, quarantined, merged, dropped, refused, errors, warnings, infos }
}

fn sheet<'a>(data: &'a ReceiptData, report: &'a SheetReport) -> Sheet<'a> {
    let column = |column: &'a ColumnReport| Column {
        column: data.has_cells().then(|| column_letters(column.index)),
        header: &column.header,
        field: column.field.as_deref(),
        label: column.field.as_deref().map(|field| data.title(field)),
        how: &column.how,
        unit: column.unit.as_deref(),
    };
    Sheet {
        name: &report.name,
        header_rows: &report.header_rows,
        unit: report.unit.as_deref(),
        rows: report.rows,
        columns: report.columns.iter().map(column).collect(),
    }
}

fn shown<'a>(data: &'a ReceiptData, finding: &'a Finding) -> Shown<'a> {
    let place = data.place(finding);
    Shown {
        sheet: place.map(|place| place.name).filter(|name| !name.is_empty()),
        row: place.map(|place| place.row),
        cell: place.and_then(|place| place.cell()),
        field: finding.field.as_deref(),
        label: finding.field.as_deref().map(|field| data.title(field)),
        severity: finding.severity,
        code: &finding.code,
        message: finding.message.in_language(data.language.code()),
        raw: finding.raw.as_deref(),
        fate: (finding.fate != Fate::Stays).then_some(finding.fate),
    }
}

#[cfg(test)]
mod tests;
