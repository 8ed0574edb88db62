//! What kind of file it is, by its first bytes. Names lie: `.xls` files are often HTML or xlsx.

use std::borrow::Cow;

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
    // A workbook or a package of files; the directory of the container tells.
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(FormatKind::Xlsx);
    }
    if let Some(error) = foreign(head) {
        return Err(error);
    }
    if head.starts_with(OLE2) {
        return Ok(FormatKind::Xlsx);
    }
    let narrow = narrow(head);
    let text = narrow.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&narrow).trim_ascii_start();
    match text.first() {
        Some(b'{') => Ok(if one_per_line(text) { FormatKind::Jsonl } else { FormatKind::Json }),
        Some(b'[') if looks_like_json(text) => Ok(FormatKind::Json),
        Some(b'<') if markup(text).is_some() => Ok(FormatKind::Xlsx),
        Some(b'<') if looks_like_xml(text) => Ok(FormatKind::Xml),
        _ => Ok(FormatKind::Csv),
    }
}

/// The beginning of a text of two bytes a character, as one byte each; enough to tell kinds by.
fn narrow(head: &[u8]) -> Cow<'_, [u8]> {
    let encoding = match head {
        [0xff, 0xfe, ..] => encoding_rs::UTF_16LE,
        [0xfe, 0xff, ..] => encoding_rs::UTF_16BE,
        _ => return Cow::Borrowed(head),
    };
    Cow::Owned(encoding.decode_with_bom_removal(head).0.into_owned().into_bytes())
}

fn looks_like_json(text: &[u8]) -> bool {
    matches!(text[1..].trim_ascii_start().first(), Some(b'{' | b'[' | b'"' | b']'))
}

/// Whether a text that begins with an object has one object per line. Otherwise it is one value, or several that go
/// over many lines.
fn one_per_line(text: &[u8]) -> bool {
    let (mut open, mut quoted, mut escaped, mut array) = (0_u32, false, false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'\n' => return false,
            b'[' => {
                array |= matches!(text[at + 1..].trim_ascii_start().first(), Some(b'{' | b'['));
                open += 1;
            }
            b'{' => open += 1,
            b'}' | b']' => {
                open = open.saturating_sub(1);
                if open == 0 {
                    // A single line that holds an array of objects or arrays is a table itself.
                    return !array || text[at + 1..].trim_ascii_start().first() == Some(&b'{');
                }
            }
            _ => {}
        }
    }
    !array
}

/// Tables that are written in tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// A web page; many systems export such under the name `.xls`.
    Html,
    /// The XML that Excel wrote in 2003.
    Spreadsheet,
    /// An OpenDocument spreadsheet in one piece (`.fods`).
    Flat,
}

/// Tells tables in tags by the beginning of a text; `None` for other XML and all else.
pub(super) fn markup(head: &[u8]) -> Option<Markup> {
    let narrow = narrow(head);
    let text = narrow.get(..narrow.len().min(8 << 10)).unwrap_or_default().to_ascii_lowercase();
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text).trim_ascii_start();
    let has = |words: &[u8]| memchr::memmem::find(text, words).is_some();
    if !text.starts_with(b"<") {
        return None;
    }
    let html: [&[u8]; 8] =
        [b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<body", b"<style", b"<div"];
    if has(b"urn:schemas-microsoft-com:office:spreadsheet") && has(b"workbook") && !has(b"<html") {
        return Some(Markup::Spreadsheet);
    }
    if has(b"urn:oasis:names:tc:opendocument") && has(b"opendocument.spreadsheet") && !has(b"<html") {
        return Some(Markup::Flat);
    }
    let begins = |text: &[u8]| html.iter().any(|tag| text.starts_with(tag));
    let prologue = text.starts_with(b"<?xml") || text.starts_with(b"<!--");
    (begins(text) || (prologue && html[..2].iter().any(|tag| has(tag)))).then_some(Markup::Html)
}

/// `<` may also begin a heading such as `<10万`.
fn looks_like_xml(text: &[u8]) -> bool {
    let tag = text.get(1).is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let closed =
        || memchr::memmem::find(text, b"</").is_some() || memchr::memmem::find(text, b"/>").is_some();
    text.starts_with(b"<?xml")
        || text.starts_with(b"<!--")
        || text.starts_with(b"<!DOCTYPE")
        || (tag && closed())
}

/// A file that is no table: what it begins with, and what it is in both languages.
type Foreign = (&'static [u8], &'static str, &'static str);

const ARCHIVES: [Foreign; 7] = [
    (b"Rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf\x27\x1c", "7z 压缩包", "a 7z archive"),
    (b"\x1f\x8b", "gzip 压缩包", "a gzip archive"),
    (b"BZh", "bzip2 压缩包", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "xz 压缩包", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "zstd 压缩包", "a zstd archive"),
    (b"MSCF\x00\x00\x00\x00", "cab 压缩包", "a cabinet archive"),
];

const OTHERS: [Foreign; 12] = [
    (b"%PDF", "PDF 文件", "a PDF document"),
    (b"{\\rtf", "RTF 文档", "an RTF document"),
    (b"\x89PNG", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"GIF8", "图片", "a picture"),
    (b"II*\x00", "图片", "a picture"),
    (b"MM\x00*", "图片", "a picture"),
    (b"AC10", "CAD 图纸", "a CAD drawing"),
    (b"PAR1", "Parquet 文件", "a Parquet file"),
    (b"\x7fELF", "程序", "a program"),
    (b"MZ\x90", "程序", "a program"),
    (b"SQLite format 3\x00", "数据库文件", "a database file"),
];

/// The error for a file that is no table.
fn foreign(head: &[u8]) -> Option<ReadError> {
    if head.starts_with(OLE2) {
        // An old workbook, or a new one under a password, whose directory often stands further behind.
        let wide: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
        return memchr::memmem::find(head, &wide).map(|_| ReadError::encrypted());
    }
    let at = |from: usize, bytes: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(bytes));
    // These begin as a text might, so more of them is looked at.
    let sure = |magic: &[u8]| match magic {
        b"BZh" => at(4, b"1AY&SY") || at(4, b"\x17\x72\x45\x38"),
        b"AC10" => head.iter().take(64).any(|byte| *byte == 0),
        _ => true,
    };
    let of = |kinds: &'static [Foreign]| {
        kinds.iter().find(|(magic, ..)| head.starts_with(magic) && sure(magic)).map(|(_, zh, en)| (*zh, *en))
    };
    if let Some((zh, en)) = of(&ARCHIVES) {
        return Some(ReadError::other_archive(zh, en));
    }
    if at(257, b"ustar") {
        return Some(ReadError::other_archive("tar 压缩包", "a tar archive"));
    }
    let bitmap = at(0, b"BM") && at(6, &[0; 4]);
    let picture = bitmap || (at(0, b"RIFF") && at(8, b"WEBP"));
    let (zh, en) = match of(&OTHERS) {
        Some(told) => told,
        None if picture => ("图片", "a picture"),
        // The one container of films and of phones' pictures.
        None if at(4, b"ftyp") => ("图片或视频", "a picture or a film"),
        None => return None,
    };
    Some(ReadError::wrong_type(zh, en))
}

/// Whether a text file ends in zero bytes only: its room was made and not filled.
pub(super) fn ends_in_zeros(sample: &[u8], charset: Charset) -> bool {
    let filled = sample.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    filled > 0 && filled < sample.len() && !is_binary(&sample[..filled], charset, false)
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
            (b"[{}]", Ok(FormatKind::Json)),
            (b"{\"a\":1}\n{\"a\":2}", Ok(FormatKind::Jsonl)),
            (b"{\"a\":[{\"b\":1}]}\n{\"a\":[]}", Ok(FormatKind::Jsonl)),
            (b"{\"a\":[ {\"b\":1}]}\n", Ok(FormatKind::Json)),
            (b"{\n\"a\":1}", Ok(FormatKind::Json)),
            (b"\xff\xfe[\0{\0}\0]\0", Ok(FormatKind::Json)),
            (b"<?xml version=\"1.0\"?><rows><row a=\"1\"/></rows>", Ok(FormatKind::Xml)),
            ("<表><行/></表>".as_bytes(), Ok(FormatKind::Xml)),
            ("<10万,>10万\n1,2\n".as_bytes(), Ok(FormatKind::Csv)),
            (b"<?xml?><?mso-application progid=\"Excel.Sheet\"?><Workbook xmlns=\"urn:schemas-microsoft-com:office:spreadsheet\">", Ok(FormatKind::Xlsx)),
            (b"", Err("the file is empty")),
            (b"%PDF-1.7", Err("this is a PDF document")),
            (b"Rar!\x1a\x07", Err("this is a RAR archive, which is not read; unpack it")),
            (b"BZh91AY&SY", Err("this is a bzip2 archive")),
            (b"BZh,\xd7\xdc\n1,2\n", Ok(FormatKind::Csv)),
            (b"BM\x36\x10\0\0\0\0\0\0", Err("this is a picture")),
            (b"BM,\xd7\xdc\n1,2\n", Ok(FormatKind::Csv)),
            (b"AC10,b\n1,2\n", Ok(FormatKind::Csv)),
            (b"\0\0\0\x18ftypheic", Err("this is a picture or a film")),
            (&[&[b'a'; 257][..], b"ustar\x0000"].concat(), Err("this is a tar archive")),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", Ok(FormatKind::Xlsx)),
            (
                b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
                Err("the file is protected by a password"),
            ),
            (b"\n<html><table>", Ok(FormatKind::Xlsx)),
        ] {
            match (tell(head), expected) {
                (Ok(found), Ok(kind)) => assert_eq!(found, kind),
                (Err(error), Err(start)) => assert!(error.to_string().starts_with(start), "{error}"),
                (found, _) => panic!("{found:?} for {head:?}"),
            }
        }
    }
}
