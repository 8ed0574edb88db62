//! What the sender is told of a file before its rows are read.

use huiliu_stage::{Finding, Severity, Text};

/// What is said about a column, said about a field of records that have no columns.
pub(super) fn without_column(finding: &mut Finding) {
    let Text { zh, en } = &mut finding.message;
    if let Some((_, header)) = zh.split_once("列“") {
        *zh = format!("字段“{header}");
    }
    if let Some(rest) = en.strip_prefix("column ").and_then(|rest| rest.split_once(' ')) {
        *en = format!("field {}", rest.1);
    }
}

/// What to tell of a form.
pub(super) fn form(sheet: &str) -> Text {
    Text::new(
        format!("工作表“{sheet}”是竖排的表单（项目各占一格，名称在左、内容在右）或行列颠倒的表，没有读取；请改成一行一个项目、首行为列名的表格").replace("工作表“”", "本文件"),
        format!("sheet `{sheet}` is a form, each value beside its label, or a table turned on its side, and was not read; send a table with one record per row under a row of headers").replace("sheet `` ", "this file "),
    )
}

/// Names of sheets that nobody expects data in.
const COVERS: [&str; 6] = ["填表说明", "填报说明", "说明", "封面", "目录", "填报须知"];

/// Whether two lines have more cells than a table may, whatever parts them. Such a file is not worth a closer look.
pub(super) fn is_too_wide(sample: &[u8], most: usize) -> bool {
    let lines = sample.split(|byte| *byte == b'\n').filter(|line| line.len() > most).take(4);
    let wide =
        lines.filter(|line| b",;\t|".iter().any(|mark| memchr::memchr_iter(*mark, line).count() >= most));
    wide.count() >= 2
}

/// An encoding in which every byte is some character cannot be proven by decoding without fault.
pub(super) fn guessed(encoding: &str) -> Finding {
    let text = Text::new(
        format!("文字编码按 {encoding} 推断，没有确证；如有乱码，请另存为 UTF-8 后重新上传"),
        format!(
            "the encoding {encoding} is a guess; if characters are wrong, save the file as UTF-8 and send it again"
        ),
    );
    Finding::new(None, Severity::Info, "encoding", text)
}

/// Rows of two encodings: the first line of the other one, and how many of its lines were seen.
pub(super) fn mixed(encodings: &str, (first, count): (usize, usize)) -> Finding {
    let text = Text::new(
        format!(
            "文件里有两种文字编码（{encodings}）：从第{first}行起有{count}行不是 UTF-8，已逐行按各自的编码读取；请核对这些行，并把文件另存为 UTF-8"
        ),
        format!(
            "the file is of two encodings ({encodings}): {count} lines, the first of them line {first}, are no UTF-8; each line was read in its own; check these lines, and save the file as UTF-8"
        ),
    );
    Finding::new(None, Severity::Warning, "encoding", text)
}

/// Rows that end in neither of the usual line ends.
pub(super) fn unusual_line_end(name: &str) -> Finding {
    let text = Text::new(
        format!("各行以 {name} 结束，不是通常的换行，已按此分行读取；请核对行数"),
        format!("rows end in {name} instead of a usual line end and were read so; check their number"),
    );
    Finding::new(None, Severity::Info, "outline", text)
}

pub(super) fn passed_over(sheet: &str) -> Finding {
    let severity = if COVERS.contains(&sheet.trim()) { Severity::Info } else { Severity::Warning };
    let text = Text::new(
        format!("工作表“{sheet}”中没有找到表头，没有读取；如有数据，请补上列名"),
        format!("sheet `{sheet}` has no header and was not read; if it holds data, name its columns"),
    );
    Finding::new(None, severity, "sheet", text)
}

/// A hidden sheet that holds something.
pub(super) fn hidden(sheet: &str) -> Finding {
    let text = Text::new(
        format!("工作表“{sheet}”是隐藏的，没有读取；如需要，请取消隐藏后重新上传"),
        format!("sheet `{sheet}` is hidden and was not read; show it and send the file again if it is meant"),
    );
    Finding::new(None, Severity::Info, "hidden", text)
}
