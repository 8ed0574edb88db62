//! What senders are told of a text file that is not as it should be.

use huiliu_stage::{Finding, Severity, Text, cell_address, row_id};

use super::long::rows_within;
use super::repair::Repair;
use super::table::Row;
use crate::read::chunk::Chunk;

/// Longest piece of a row's text that a finding repeats.
const SHOWN: usize = 200;

/// Tells of lines before the table, or behind it, that were not read.
pub(super) fn outside(rows: &[String], before: bool) -> Option<Finding> {
    let first = rows.first()?;
    let count = rows.len();
    let text = match before {
        true => Text::new(
            format!("表头之前有{count}行说明文字，没有作为数据读取；如果其中有数据，请移到表头下方"),
            format!(
                "{count} lines before the table were not read as data; if they are, move them below the header"
            ),
        ),
        false => Text::new(
            format!("表格之后还有{count}行（附注或其他表格），没有作为数据读取；其他表格请单独成文件上传"),
            format!(
                "{count} lines behind the table (notes or other tables) were not read; send other tables as files of their own"
            ),
        ),
    };
    let severity = if !before && count > 3 { Severity::Warning } else { Severity::Info };
    Some(Finding::new(None, severity, "outline", text).with_raw(first.as_str()))
}

/// Who wrote two delimiters for one may as well have meant empty columns.
pub(super) fn paired() -> Finding {
    let text = Text::new(
        "各格之间都是两个分隔符，已按一个读取，没有当作空列；请核对",
        "two delimiters stand between all cells; they were read as one, not as empty columns; please check",
    );
    Finding::new(None, Severity::Warning, "outline", text)
}

/// A table without a single row must not pass for one that was read.
pub(super) fn no_rows() -> Finding {
    let text = Text::new(
        "没有读到任何数据行；如果文件中有数据，请检查换行和分隔符",
        "no row of data was found; if the file holds some, check its line ends and delimiters",
    );
    Finding::new(None, Severity::Warning, "outline", text)
}

/// The text of a row that was repaired, as a finding to be completed.
pub(super) fn repaired(text: &str) -> Finding {
    let shown: String = text.chars().take(SHOWN).collect();
    Finding::new(None, Severity::Info, "repair", Text::default()).with_raw(shown)
}

/// Says what was done to a row.
pub(super) fn tell_repairs(finding: &mut Finding, row: &Row, number: u32, header: bool) {
    let failed = row.repairs.contains(&Repair::Failed);
    // Where one cell ends and the next begins was guessed: a person must say whether rightly.
    let guessed = row.repairs.iter().any(|repair| matches!(repair, Repair::Parted | Repair::Joined));
    let (zh, en): (Vec<_>, Vec<_>) = row.repairs.iter().map(|repair| said(*repair)).unzip();
    let (zh, en) = (zh.join("、"), en.join(", "));
    finding.message = match failed {
        true => Text::new(
            format!("第{number}行的格数与表头不符，无法可靠拆分，内容全部保留；请检查分隔符和引号"),
            format!(
                "row {number} does not have the table's number of cells and cannot be parted safely; all its text is kept; check its delimiters and quotes"
            ),
        ),
        false => Text::new(
            format!("第{number}行格式有误，读取时：{zh}；请核对"),
            format!("row {number} is malformed; in reading it {en}; please check"),
        ),
    };
    finding.severity = match row.repairs[..] {
        _ if failed || guessed => Severity::Error,
        [Repair::Quote | Repair::Escape | Repair::OtherQuote] => Severity::Info,
        _ => Severity::Warning,
    };
    finding.row = (!header).then(|| row_id(0, number));
}

fn said(repair: Repair) -> (&'static str, &'static str) {
    match repair {
        Repair::Quote => ("多余的引号按文字保留", "a stray quote was kept as text"),
        Repair::Unclosed => ("补上了缺少的引号", "a missing quote was added"),
        Repair::Escape => ("按另一种转义方式读取", "another escape was understood"),
        Repair::OtherQuote => ("按另一种引号读取", "other quotes were understood"),
        Repair::OtherDelimiter => ("按另一种分隔符拆分", "another delimiter was used"),
        Repair::Joined => ("未加引号的分隔符按文字保留", "a delimiter without quotes was kept as text"),
        Repair::LineBreak => ("未加引号的换行按文字保留", "a line break without quotes was kept as text"),
        Repair::Torn => ("把断成两行的一行接上", "a row torn over two lines was joined"),
        Repair::Split => ("把连在一行的两行分开", "two rows on one line were parted"),
        Repair::Surplus => ("去掉了多出的空格子", "a surplus empty cell was left out"),
        Repair::Missing => ("补上了缺少的空格子", "a missing cell was taken as empty"),
        Repair::Parted => ("把粘在一起的两格分开", "two cells without a delimiter were parted"),
        Repair::Unwrapped => ("去掉了整行外面的引号", "quotes around the whole row were taken off"),
        Repair::Remark => ("作为注释没有读取", "it was taken for a remark and left out"),
        Repair::Kept => (
            "整行像是用另一种分隔符或引号写的，无法确定，按原样保留",
            "it was kept as it stands, though it seems to be written in another way than the rest",
        ),
        Repair::Failed => ("无法拆分", "nothing made sense"),
    }
}

/// Tells of a last row that seems to be cut in its last cell.
pub(super) fn cut_off(cell: &str, column: usize, number: u32) -> Finding {
    let address = cell_address(column, number);
    let text = Text::new(
        format!(
            "{address}“{cell}”比同列其他各行短，而且文件在这里结束、没有换行，可能没有传完；请核对后重新上传完整的文件"
        ),
        format!(
            "{address} `{cell}` is shorter than the others of its column, and the file ends there without a line end, as if cut off; check it and send the whole file"
        ),
    );
    Finding::new(Some(row_id(0, number)), Severity::Error, "cut-off", text).with_raw(cell)
}

/// Reports the cells in which a quote stands that begins or ends none.
pub(super) fn tell_stray(chunk: &mut Chunk) {
    let mut last = None;
    for (number, column) in std::mem::take(&mut chunk.stray) {
        if last.replace((number, column)) == Some((number, column)) {
            continue;
        }
        let address = cell_address(column as usize, number);
        let text = Text::new(
            format!("{address} 的引号没有成对，或引号外还有文字，已按文字保留；请核对该格内容"),
            format!(
                "the quotes of {address} do not pair, or text stands outside of them; it was kept as text, please check the cell"
            ),
        );
        chunk.findings.push(Finding::new(Some(row_id(0, number)), Severity::Warning, "repair", text));
    }
}

/// Tells of a last row that has too few cells and no line end.
pub(super) fn ends_early(number: u32) -> Finding {
    let text = Text::new(
        format!(
            "第{number}行是文件的最后一行，格数不足，也没有换行结尾，文件可能没有传完；请核对后重新上传完整的文件"
        ),
        format!(
            "row {number}, the last of the file, has too few cells and no line end, as if cut off; check it and send the whole file"
        ),
    );
    Finding::new(Some(row_id(0, number)), Severity::Error, "cut-off", text)
}

/// Reports the cells that hold rows of the table, which somebody may have meant but for two quotes.
pub(super) fn tell_swallowed(chunk: &mut Chunk, text: &str, delimiter: &str) {
    let (view, width) = (chunk.view(text), chunk.width);
    let mut found = Vec::new();
    for (row, &number) in chunk.numbers.iter().enumerate() {
        for (column, cell) in view.row(row).enumerate().filter(|(_, cell)| cell.contains('\n')) {
            let Some(rows) = rows_within(cell, column, width, delimiter) else { continue };
            let address = cell_address(column, number);
            let text = Text::new(
                format!(
                    "{address} 的引号里有{rows}行像表格的内容，可能是引号没有配对，把后面的行也括了进去；请检查引号后重新上传"
                ),
                format!(
                    "the quotes of {address} hold what looks like {rows} rows of the table, as if one of them were stray; check them and send the file again"
                ),
            );
            // An address of two lines may have as many commas by chance.
            let severity = if rows > 2 || width > 3 { Severity::Error } else { Severity::Warning };
            found.push(Finding::new(Some(row_id(0, number)), severity, "quotes", text).with_raw(cell));
        }
    }
    chunk.findings.extend(found);
}

/// Reports the cells that hold a NUL, which nobody typed and most programs cut the cell at.
pub(super) fn tell_nuls(chunk: &mut Chunk, text: &str) {
    if memchr::memchr(0, text.as_bytes()).or(memchr::memchr(0, chunk.side.as_bytes())).is_none() {
        return;
    }
    let view = chunk.view(text);
    let mut found = Vec::new();
    for (row, &number) in chunk.numbers.iter().enumerate() {
        for (column, cell) in view.row(row).enumerate().filter(|(_, cell)| cell.contains('\0')) {
            let address = cell_address(column, number);
            let text = Text::new(
                format!("{address} 含有不可见的空字符（NUL），已原样保留；请核对该格内容"),
                format!("{address} holds a NUL character, which was kept; please check the cell"),
            );
            found.push(
                Finding::new(Some(row_id(0, number)), Severity::Warning, "encoding", text).with_raw(cell),
            );
        }
    }
    chunk.findings.extend(found);
}

/// Reports the cells that hold the mark of bytes that could not be decoded.
pub(super) fn tell_damage(chunk: &mut Chunk, text: &str) {
    let view = chunk.view(text);
    let mut found = Vec::new();
    for (row, &number) in chunk.numbers.iter().enumerate() {
        for (column, cell) in view.row(row).enumerate().filter(|(_, cell)| cell.contains('\u{fffd}')) {
            let address = cell_address(column, number);
            let text = Text::new(
                format!("{address} 含有无法解码的文字；请把文件另存为 UTF-8 编码后重新上传"),
                format!("{address} holds bytes that are no text; save the file in UTF-8 and send it again"),
            );
            found.push(
                Finding::new(Some(row_id(0, number)), Severity::Error, "encoding", text).with_raw(cell),
            );
        }
    }
    chunk.findings.extend(found);
}
