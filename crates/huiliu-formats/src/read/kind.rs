//! What kind of file it is, by its first bytes. Names lie: `.xls` files are often HTML or xlsx.

use super::error::ReadError;
use super::options::FormatKind;
use super::text::Charset;

/// First bytes of an OLE2 container.
const OLE2: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// Tells the kind of a file that begins with `head` (some thousand bytes).
pub(super) fn tell(head: &[u8]) -> Result<FormatKind, ReadError> {
    if head.is_empty() {
        return Err(ReadError::empty());
    }
    if head.starts_with(b"PK\x03\x04") {
        return Ok(FormatKind::Xlsx);
    }
    if let Some(error) = foreign(head) {
        return Err(error);
    }
    if head.starts_with(OLE2) {
        return Ok(FormatKind::Xlsx);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text.first() {
        Some(b'{') => Ok(FormatKind::Jsonl),
        Some(b'[') if looks_like_json(text) => Err(ReadError::new(
            "这是 JSON 数组；请改为每行一个 JSON 对象（JSON Lines）后上传",
            "this is a JSON array; send one object per line (JSON Lines) instead",
        )),
        _ => Ok(FormatKind::Csv),
    }
}

fn looks_like_json(text: &[u8]) -> bool {
    matches!(text[1..].trim_ascii_start().first(), Some(b'{' | b'[' | b'"' | b']'))
}

/// The error for a file that is no table.
fn foreign(head: &[u8]) -> Option<ReadError> {
    const KINDS: [(&[u8], &str, &str); 12] = [
        (b"%PDF", "PDF 文件", "a PDF document"),
        (b"{\\rtf", "RTF 文档", "an RTF document"),
        (b"\x89PNG", "图片", "a picture"),
        (b"\xff\xd8\xff", "图片", "a picture"),
        (b"GIF8", "图片", "a picture"),
        (b"BM\x00\x00", "图片", "a picture"),
        (b"Rar!", "RAR 压缩包", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c", "7z 压缩包", "a 7z archive"),
        (b"\x1f\x8b", "gzip 压缩包", "a gzip archive"),
        (b"PAR1", "Parquet 文件", "a Parquet file"),
        (b"\x7fELF", "程序", "a program"),
        (b"MZ\x90", "程序", "a program"),
    ];
    if head.starts_with(OLE2) {
        // An old workbook, or a new one under a password, whose directory often stands further behind.
        let wide: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        return memchr::memmem::find(head, &wide).map(|_| ReadError::encrypted());
    }
    if let Some((_, zh, en)) = KINDS.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Some(ReadError::wrong_type(zh, en));
    }
    let start: Vec<u8> = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start()
        .iter()
        .take(16)
        .map(u8::to_ascii_lowercase)
        .collect();
    let html: [&[u8]; 4] = [b"<html", b"<!doctype", b"<table", b"<meta"];
    if html.iter().any(|tag| start.starts_with(tag)) {
        return Some(ReadError::wrong_type("网页（HTML）", "a web page (HTML)"));
    }
    if start.starts_with(b"<?xml") || start.starts_with(b"<workbook") {
        return Some(ReadError::wrong_type("XML 文件", "an XML file"));
    }
    None
}

/// Whether a text file's beginning is no text at all. The separators that some machines write are text, and one that
/// the caller calls text may hold more of what is not.
pub(super) fn is_binary(sample: &[u8], charset: Charset, stated: bool) -> bool {
    let head = &sample[..sample.len().min(64 << 10)];
    let odd = head.iter().filter(|b| matches!(b, 0 | 2..=8 | 14..=26 | 28)).count();
    !charset.is_wide() && odd * (if stated { 5 } else { 50 }) > head.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_bytes_and_foreign_files_by_what_to_do() {
        for (head, expected) in [
            (&b"PK\x03\x04rest"[..], Ok(FormatKind::Xlsx)),
            (b"a,b\n", Ok(FormatKind::Csv)),
            (b"  {\"a\":1}", Ok(FormatKind::Jsonl)),
            (b"[x],y\n", Ok(FormatKind::Csv)),
            (b"[{}]", Err("this is a JSON array")),
            (b"", Err("the file is empty")),
            (b"%PDF-1.7", Err("this is a PDF document")),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", Ok(FormatKind::Xlsx)),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
                Err("the file is protected by a password"),
            ),
            (b"<html><table>", Err("this is a web page")),
        ] {
            match (tell(head), expected) {
                (Ok(found), Ok(kind)) => assert_eq!(found, kind),
                (Err(error), Err(start)) => assert!(error.to_string().starts_with(start), "{error}"),
                (found, _) => panic!("{found:?} for {head:?}"),
            }
        }
    }
}
