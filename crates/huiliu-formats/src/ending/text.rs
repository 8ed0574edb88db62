//! The end of a text: no zeros where text should be, the last bracket of JSON, the last tag of XML, a last row that is
//! as wide as the others.

use std::fs::File;
use std::io::{self, BufReader};

use encoding_rs::{GB18030, UTF_8};

use super::{Depth, Ending, WINDOW, cut, window};

/// Rows in front of the last one that tell how wide rows are.
const ROWS: usize = 200;
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// What the last lines of a table begin with that are no rows.
const FOOTERS: [&str; 7] = ["注", "备注", "说明", "合计", "总计", "小计", "填"];

/// Whether a text's end is there.
pub(super) fn check(file: &File, length: u64, head: &[u8], tail: &[u8], depth: Depth) -> io::Result<Ending> {
    // In UTF-16 and UTF-32 up to three zeros stand in a row.
    let written = head.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let wide = head.iter().take(written.min(4096)).any(|byte| *byte == 0);
    let zeros = tail.iter().rev().take_while(|byte| **byte == 0).count();
    if zeros >= if wide { 4 } else { 1 } {
        return Ok(match row_before_zeros(file, length, wide)? {
            Some(row) => after(row),
            None => cut("末尾全是空字节", "it ends in nothing but zero bytes"),
        });
    }
    if wide {
        return Ok(Ending::Whole);
    }
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let one = length <= WINDOW;
    match start.first() {
        Some(b'<') => Ok(xml(start, tail)),
        Some(b'{') => lines(file, start, tail, one, depth),
        Some(b'[')
            if matches!(
                start.get(1..).unwrap_or_default().trim_ascii_start().first(),
                Some(b'{' | b'[' | b'"' | b']') | None
            ) =>
        {
            json(file, start, tail, depth)
        }
        _ => match narrow(tail, one) {
            true => Ok(after(newlines(file, length)?)),
            false => Ok(Ending::Whole),
        },
    }
}

fn after(row: u64) -> Ending {
    cut(format!("在第 {row} 行之后被截断"), format!("it looks cut off after row {row}"))
}

/// One JSON document: it ends when its brackets are closed.
fn json(file: &File, head: &[u8], tail: &[u8], depth: Depth) -> io::Result<Ending> {
    let missing =
        || cut("JSON 没有写完（括号没有闭合）", "the JSON is not finished (a bracket is not closed)");
    let wanted = if head.first() == Some(&b'[') { b']' } else { b'}' };
    if tail.trim_ascii_end().last() != Some(&wanted) {
        return Ok(missing());
    }
    if depth == Depth::Ends {
        return Ok(Ending::Whole);
    }
    let mut from = file.try_clone()?;
    io::Seek::rewind(&mut from)?;
    let mut values = serde_json::Deserializer::from_reader(BufReader::with_capacity(1 << 16, from))
        .into_iter::<serde::de::IgnoredAny>();
    // Any other mistake is for the reader to tell.
    Ok(if values.by_ref().any(|value| value.is_err_and(|error| error.is_eof())) {
        missing()
    } else {
        Ending::Whole
    })
}

/// Objects in lines, or a single object over many: the last line is finished, or the document is.
fn lines(file: &File, head: &[u8], tail: &[u8], one: bool, depth: Depth) -> io::Result<Ending> {
    let text = tail.trim_ascii_end();
    let last = match memchr::memrchr(b'\n', text) {
        Some(at) => text.get(at + 1..).unwrap_or_default(),
        None if one => text,
        // A line longer than the window: only its last byte can be told.
        None => return Ok(if text.last() == Some(&b'}') { Ending::Whole } else { unfinished_line() }),
    };
    let first = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let whole = |line: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(line);
    if whole(first).is_err_and(|error| error.is_eof()) && first.len() < head.len() {
        return json(file, head, tail, depth);
    }
    match whole(last) {
        Err(error) if error.is_eof() => Ok(unfinished_line()),
        _ => Ok(Ending::Whole),
    }
}

fn unfinished_line() -> Ending {
    cut("最后一行 JSON 没有写完", "the last line of JSON is not finished")
}

/// The root element is closed, with nothing behind it but comments and spaces.
fn xml(head: &[u8], tail: &[u8]) -> Ending {
    let missing =
        || cut("XML 没有写完（根元素没有闭合）", "the XML is not finished (its root is not closed)");
    let Some(root) = root(head) else { return Ending::Whole };
    let mut end = tail.trim_ascii_end();
    while let Some(opened) = end.strip_suffix(b"-->").and_then(|_| memchr::memmem::rfind(end, b"<!--")) {
        end = end.get(..opened).unwrap_or_default().trim_ascii_end();
    }
    let Some(body) = end.strip_suffix(b">") else { return missing() };
    let body = body.trim_ascii_end();
    let closes = body.strip_suffix(root).is_some_and(|front| front.ends_with(b"</"));
    let alone = body.ends_with(b"/")
        && memchr::memrchr(b'<', body)
            .is_some_and(|at| body.get(at + 1..).is_some_and(|tag| tag.starts_with(root)));
    // HTML leaves much open; of a page only the last tag is asked for.
    let page = root.eq_ignore_ascii_case(b"html")
        || root.eq_ignore_ascii_case(b"table")
        || root.eq_ignore_ascii_case(b"meta");
    if closes || alone || page { Ending::Whole } else { missing() }
}

/// The name of the first element.
fn root(head: &[u8]) -> Option<&[u8]> {
    let mut rest = head;
    loop {
        rest = rest.get(memchr::memchr(b'<', rest)?..)?;
        let skip = match rest.get(1)? {
            b'?' => memchr::memmem::find(rest, b"?>")? + 2,
            b'!' if rest.starts_with(b"<!--") => memchr::memmem::find(rest, b"-->")? + 3,
            b'!' => memchr::memchr(b'>', rest)? + 1,
            _ => break,
        };
        rest = rest.get(skip..)?;
    }
    let name = rest.get(1..)?;
    let end = name.iter().position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))?;
    name.get(..end).filter(|name| !name.is_empty())
}

/// Whether the last row has no line end and fewer cells than most rows before it.
fn narrow(tail: &[u8], one: bool) -> bool {
    if tail.ends_with(b"\n") || tail.ends_with(b"\r") {
        return false;
    }
    let text = match UTF_8.decode_without_bom_handling_and_without_replacement(tail) {
        Some(text) => text,
        None => GB18030.decode_without_bom_handling(tail).0,
    };
    let mut rows: Vec<&str> = text.split(['\n', '\r']).filter(|line| !line.is_empty()).collect();
    let Some(last) = rows.pop() else { return false };
    if !one && !rows.is_empty() {
        rows.remove(0); // The window may begin in the middle of a row.
    }
    if is_footer(last) {
        return false;
    }
    let rows = rows.get(rows.len().saturating_sub(ROWS)..).unwrap_or_default();
    DELIMITERS.iter().any(|delimiter| {
        let widths: Vec<usize> = rows.iter().map(|row| width(row, *delimiter)).collect();
        mode(&widths).is_some_and(|usual| usual > 1 && width(last, *delimiter) < usual)
    })
}

/// A line under a table: a note, a sum, who filled it in.
pub(crate) fn is_footer(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '"', '\u{3000}', '\t']);
    line.contains(['：', ':']) || FOOTERS.iter().any(|word| line.starts_with(word))
}

/// Cells of a row, where delimiters between quotes do not count.
fn width(row: &str, delimiter: char) -> usize {
    let mut quoted = false;
    1 + row
        .chars()
        .filter(|c| {
            quoted ^= *c == '"';
            *c == delimiter && !quoted
        })
        .count()
}

/// The width that more than half of the rows have.
fn mode(widths: &[usize]) -> Option<usize> {
    let mut sorted = widths.to_vec();
    sorted.sort_unstable();
    let middle = *sorted.get(sorted.len() / 2)?;
    (widths.iter().filter(|width| **width == middle).count() * 2 > widths.len()).then_some(middle)
}

/// The row in which the zeros at the end begin; `None` where rows cannot be counted by single bytes.
fn row_before_zeros(file: &File, length: u64, wide: bool) -> io::Result<Option<u64>> {
    if wide {
        return Ok(None);
    }
    newlines(file, length).map(Some)
}

/// How many lines end before the end, or before the zeros that fill it.
fn newlines(file: &File, length: u64) -> io::Result<u64> {
    let (mut at, mut rows) = (0, 0);
    while at < length {
        let block = window(file, at, (1 << 20).min(length - at))?;
        if block.is_empty() {
            break;
        }
        at += block.len() as u64;
        rows += memchr::memchr_iter(b'\n', &block).count() as u64;
    }
    Ok(rows)
}
