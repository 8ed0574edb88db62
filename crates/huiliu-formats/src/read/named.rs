//! Does the name of a file say what is in it?
//!
//! A file is read by its content, whatever its name: pages and workbooks under the name `.xls` or `.csv` are what many
//! systems export. The sender is told all the same, since other programs go by the name and open it wrongly or not at all.

use huiliu_stage::{Finding, Severity, Text};

/// Endings of names, and the formats (as in reports) that may stand behind them. Other endings promise nothing.
const PROMISES: [(&[&str], &[&str]); 11] = [
    (&["csv", "tsv", "tab", "psv"], &["csv"]),
    (&["xls", "xlt"], &["xls"]),
    (&["et", "ett"], &["xls", "xlsx"]),
    (&["xlsx", "xlsm", "xltx", "xltm"], &["xlsx"]),
    (&["xlsb"], &["xlsb"]),
    (&["ods", "ots"], &["ods"]),
    (&["fods"], &["fods"]),
    (&["json", "jsonl", "ndjson"], &["json", "jsonl"]),
    (&["xml"], &["xml", "xml-spreadsheet", "fods", "html"]),
    (&["htm", "html"], &["html"]),
    (&["zip"], &["zip"]),
];

/// What to tell the sender of a file that is of another format than its name says.
pub(super) fn otherwise(name: &str, format: &str) -> Option<Finding> {
    let (_, ending) = name.rsplit_once('.')?;
    let ending = ending.to_ascii_lowercase();
    let (_, right) = PROMISES.iter().find(|(endings, _)| endings.contains(&&*ending))?;
    if right.contains(&format) {
        return None;
    }
    let (zh, en) = title(format)?;
    let text = Text::new(
        format!(
            "文件名以 .{ending} 结尾，内容却是{zh}，已按内容读取；请用表格软件另存为 .xlsx 或 .csv，使名称与内容一致"
        ),
        format!(
            "the name ends in .{ending}, what is in the file is {en}, and it was read as that; save it as .xlsx or .csv, so that name and content agree"
        ),
    );
    Some(Finding::new(None, Severity::Info, "wrong-name", text))
}

/// What people call a format; `None` for one that has no name here.
fn title(format: &str) -> Option<(&'static str, &'static str)> {
    Some(match format {
        "csv" => ("文本表格（CSV）", "a table of text (CSV)"),
        "xls" => ("旧版工作簿（xls）", "a workbook of the old kind (xls)"),
        "xlsx" => ("工作簿（xlsx）", "a workbook (xlsx)"),
        "xlsb" => ("二进制工作簿（xlsb）", "a binary workbook (xlsb)"),
        "ods" | "fods" => ("OpenDocument 表格", "an OpenDocument spreadsheet"),
        "html" => ("网页（HTML）", "a web page (HTML)"),
        "json" | "jsonl" => ("JSON 数据", "JSON"),
        "xml" | "xml-spreadsheet" => ("XML 数据", "XML"),
        "zip" => ("压缩包（zip）", "a package (zip)"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_says_another_format_is_told_and_one_that_says_none_is_not() {
        for (name, format, told) in [
            ("月报.csv", "xlsx", Some("工作簿（xlsx）")),
            ("导出.XLS", "html", Some("网页（HTML）")),
            ("导出.xls", "xml-spreadsheet", Some("XML")),
            ("导出.xml", "xml-spreadsheet", None),
            ("月报.xls", "xlsx", Some("工作簿（xlsx）")),
            ("月报.xlsx", "csv", Some("CSV")),
            ("材料.zip", "csv", Some("CSV")),
            ("月报.csv", "csv", None),
            ("月报.tsv", "csv", None),
            ("月报.et", "xls", None),
            ("月报.et", "xlsx", None),
            ("月报.xlsm", "xlsx", None),
            ("月报.json", "jsonl", None),
            ("月报.txt", "html", None),
            ("月报", "xlsx", None),
            ("2026.4", "xlsx", None),
        ] {
            let found = otherwise(name, format).map(|finding| finding.message.zh);
            match told {
                Some(part) => assert!(found.is_some_and(|zh| zh.contains(part)), "{name} {format}"),
                None => assert_eq!(found, None, "{name} {format}"),
            }
        }
    }
}
