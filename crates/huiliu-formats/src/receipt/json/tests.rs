//! What the receipt as JSON promises.

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
    let receipt: serde_json::Value = serde_json::from_slice(&json(&sample("jsonl", Language::En))).unwrap();
    assert_eq!(receipt["findings"][0]["row"], 3);
    assert_eq!(receipt["findings"][0].get("cell"), None);
}
