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
mod tests {
    use super::super::sample::sample;
    use super::super::{Language, ReceiptData};
    use super::json;

    fn text(data: &ReceiptData) -> String {
        String::from_utf8(json(data)).unwrap()
    }

    #[test]
    fn a_program_finds_counts_and_every_faulty_cell() {
        insta::assert_snapshot!(text(&sample("xlsx", Language::Zh)), @r#"
        {
          "delivery": "00ff00ff00ff00ff",
          "pipeline": "projects",
          "file": "项目.xlsx",
          "sender": "发改局",
          "received": "2024-06-01T08:00:00+08:00",
          "state": "committed",
          "outcome": "部分接收：2 行有错误，未采用；请改正后重新上传",
          "counts": {
            "rows_in": 4,
            "accepted": 2,
            "quarantined": 2,
            "merged": 0,
            "dropped": 0,
            "refused": 0,
            "errors": 2,
            "warnings": 1,
            "infos": 2
          },
          "codes": {
            "V01": 1,
            "V07": 2,
            "note": 2
          },
          "reading": {
            "format": "xlsx",
            "sheets": [
              {
                "name": "说明",
                "header_rows": [],
                "rows": 0,
                "columns": []
              },
              {
                "name": "项目",
                "header_rows": [
                  2
                ],
                "rows": 4,
                "columns": [
                  {
                    "column": "B",
                    "header": "项目名称",
                    "field": "name",
                    "label": "项目名称",
                    "how": "alias"
                  },
                  {
                    "column": "C",
                    "header": "总投资(亿元)",
                    "field": "total",
                    "label": "总投资",
                    "how": "alias",
                    "unit": "亿元"
                  },
                  {
                    "column": "D",
                    "header": "备注",
                    "field": null,
                    "how": "unknown"
                  }
                ]
              }
            ]
          },
          "findings_total": 5,
          "findings_shown": 4,
          "findings": [
            {
              "sheet": "项目",
              "row": 3,
              "cell": "C3",
              "field": "total",
              "label": "总投资",
              "severity": "error",
              "code": "V07",
              "message": "不是数字；请填写数字",
              "raw": "=待定"
            },
            {
              "sheet": "项目",
              "row": 4,
              "field": "code",
              "label": "项目代码",
              "severity": "error",
              "code": "V01",
              "message": "没有项目代码；请补填"
            },
            {
              "sheet": "项目",
              "row": 6,
              "cell": "B6",
              "field": "name",
              "label": "项目名称",
              "severity": "warning",
              "code": "V07",
              "message": "行是空的"
            },
            {
              "severity": "info",
              "code": "note",
              "message": "第一张表没有表头"
            }
          ]
        }
        "#);
    }

    #[test]
    fn only_sentences_and_labels_depend_on_the_language() {
        insta::assert_snapshot!(text(&sample("csv", Language::En)), @r#"
        {
          "delivery": "00ff00ff00ff00ff",
          "pipeline": "projects",
          "file": "项目.csv",
          "sender": "发改局",
          "received": "2024-06-01T08:00:00+08:00",
          "state": "committed",
          "outcome": "taken in part: 2 rows have errors and were set aside; mend them and send them again",
          "counts": {
            "rows_in": 4,
            "accepted": 2,
            "quarantined": 2,
            "merged": 0,
            "dropped": 0,
            "refused": 0,
            "errors": 2,
            "warnings": 1,
            "infos": 2
          },
          "codes": {
            "V01": 1,
            "V07": 2,
            "note": 2
          },
          "reading": {
            "format": "csv",
            "encoding": "GB18030",
            "delimiter": ",",
            "sheets": [
              {
                "header_rows": [
                  2
                ],
                "rows": 4,
                "columns": [
                  {
                    "column": "B",
                    "header": "项目名称",
                    "field": "name",
                    "label": "项目名称",
                    "how": "alias"
                  },
                  {
                    "column": "C",
                    "header": "总投资(亿元)",
                    "field": "total",
                    "label": "总投资",
                    "how": "alias",
                    "unit": "亿元"
                  },
                  {
                    "column": "D",
                    "header": "备注",
                    "field": null,
                    "how": "unknown"
                  }
                ]
              }
            ]
          },
          "findings_total": 5,
          "findings_shown": 4,
          "findings": [
            {
              "row": 3,
              "cell": "C3",
              "field": "total",
              "label": "总投资",
              "severity": "error",
              "code": "V07",
              "message": "not a number; write digits",
              "raw": "=待定"
            },
            {
              "row": 4,
              "field": "code",
              "label": "项目代码",
              "severity": "error",
              "code": "V01",
              "message": "the code is missing; add it"
            },
            {
              "row": 6,
              "cell": "B6",
              "field": "name",
              "label": "项目名称",
              "severity": "warning",
              "code": "V07",
              "message": "行是空的"
            },
            {
              "severity": "info",
              "code": "note",
              "message": "the first sheet has no header"
            }
          ]
        }
        "#);
    }

    #[test]
    fn lines_of_json_have_no_cells() {
        let receipt: serde_json::Value =
            serde_json::from_slice(&json(&sample("jsonl", Language::En))).unwrap();
        assert_eq!(receipt["findings"][0]["row"], 3);
        assert_eq!(receipt["findings"][0].get("cell"), None);
    }
}
