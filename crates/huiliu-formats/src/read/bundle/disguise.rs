//! Attachments whose first bytes are of another kind than their name: a program called 现场照片.jpg proves nothing.
//!
//! Only kinds that are known for certain are told. Pictures of one kind under the name of another are what phones send,
//! and old office names stand for whatever an office program opens, so those are left alone.

use huiliu_stage::{Finding, Severity, Text};

use super::text::shown;

/// How far into a file the mark of a PDF may stand.
const PDF_WITHIN: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Program,
    Pdf,
    Picture,
    Zip,
    /// Office documents of the old kind.
    Compound,
    /// Packed otherwise than as zip.
    Packed,
    Page,
}

/// First bytes, and what they tell.
const MARKS: [(&[u8], Kind); 19] = [
    (b"MZ", Kind::Program),
    (b"\x7fELF", Kind::Program),
    (b"#!/", Kind::Program),
    (b"\xca\xfe\xba\xbe", Kind::Program),
    (b"\xfe\xed\xfa\xce", Kind::Program),
    (b"\xfe\xed\xfa\xcf", Kind::Program),
    (b"\xce\xfa\xed\xfe", Kind::Program),
    (b"\xcf\xfa\xed\xfe", Kind::Program),
    (b"\xff\xd8\xff", Kind::Picture),
    (b"\x89PNG", Kind::Picture),
    (b"GIF8", Kind::Picture),
    (b"II*\0", Kind::Picture),
    (b"MM\0*", Kind::Picture),
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"\xd0\xcf\x11\xe0", Kind::Compound),
    (b"Rar!\x1a", Kind::Packed),
    (b"7z\xbc\xaf", Kind::Packed),
    (b"%PDF", Kind::Pdf),
];

/// Endings, and the kinds that may stand behind them. Behind other endings may be anything but a program.
const PROMISES: [(&[&str], &[Kind]); 4] = [
    (&["jpg", "jpeg", "png", "bmp", "gif", "tif", "tiff", "webp", "heic"], &[Kind::Picture]),
    (&["pdf"], &[Kind::Pdf]),
    (&["docx", "xlsx", "pptx", "xlsm", "ofd", "odt", "ods"], &[Kind::Zip, Kind::Compound]),
    (&["zip", "rar", "7z"], &[Kind::Zip, Kind::Packed]),
];

fn kind(head: &[u8]) -> Option<Kind> {
    if let Some((_, kind)) = MARKS.iter().find(|(mark, _)| head.starts_with(mark)) {
        return Some(*kind);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some(Kind::Picture);
    }
    let start = head.get(..head.len().min(PDF_WITHIN)).unwrap_or_default();
    if start.windows(5).any(|bytes| bytes == b"%PDF-") {
        return Some(Kind::Pdf);
    }
    let text =
        String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    ["<!doctype html", "<html"].iter().any(|mark| text.starts_with(mark)).then_some(Kind::Page)
}

/// What the first bytes of a file are, in both languages, if its name says otherwise.
pub(super) fn disguised(name: &str, head: &[u8]) -> Option<(&'static str, &'static str)> {
    let kind = kind(head)?;
    let ending =
        name.rsplit_once('.').map(|(_, ending)| ending.trim().to_ascii_lowercase()).unwrap_or_default();
    let right = PROMISES.iter().find(|(endings, _)| endings.contains(&&*ending));
    let wrong = kind == Kind::Program || right.is_some_and(|(_, kinds)| !kinds.contains(&kind));
    wrong.then_some(match kind {
        Kind::Program => ("可执行程序", "a program"),
        Kind::Pdf => ("PDF", "a PDF"),
        Kind::Picture => ("图片", "a picture"),
        Kind::Zip => ("压缩包或Office文档", "a package or an office document"),
        Kind::Compound => ("旧版Office文档", "an office document of the old kind"),
        Kind::Packed => ("压缩包", "a package"),
        Kind::Page => ("网页", "a web page"),
    })
}

/// What to say of a row's file whose first bytes are of another kind than its name.
pub fn wrong_type(row: i64, field: Option<&str>, name: &str, head: &[u8]) -> Option<Finding> {
    disguised(name, head).map(|what| told(row, field, name, what))
}

pub(super) fn told(row: i64, field: Option<&str>, name: &str, (zh, en): (&str, &str)) -> Finding {
    let name = shown(name);
    let text = Text::new(
        format!(
            "佐证材料“{name}”的内容是{zh}，与文件名不符，不能作为证明；请换成真实的PDF、照片或Office文档"
        ),
        format!(
            "what is in `{name}` is {en}, not what its name says, and proves nothing; send a true PDF, picture or office document"
        ),
    );
    let finding = Finding::new(Some(row), Severity::Error, "evidence-type", text).with_raw(name);
    match field {
        Some(field) => finding.with_field(field),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_of_another_kind_is_told() {
        for (name, head, wrong) in [
            ("现场照片.jpg", b"MZ\x90\0".as_slice(), true),
            ("程序", b"\x7fELF\x02", true),
            ("说明.doc", b"#!/bin/sh", true),
            ("现场照片.jpg", b"\xff\xd8\xff\xe0", false),
            ("现场照片.JPG", b"\x89PNG\r\n", false),
            ("现场照片.jpg", b"%PDF-1.4", true),
            ("施工合同.pdf", b"\xef\xbb\xbf\r\n%PDF-1.4", false),
            ("施工合同.pdf", b"\xff\xd8\xff\xe0", true),
            ("施工合同.pdf", b"\r\n<!DOCTYPE html><html>", true),
            ("施工合同.doc", b"<html>", false),
            ("施工合同.docx", b"PK\x03\x04", false),
            ("施工合同.docx", b"\xd0\xcf\x11\xe0", false),
            ("施工合同.docx", b"%PDF-1.7", true),
            ("图纸.dwg", b"AC1032", false),
            ("照片.jpg", b"a few words", false),
            ("照片.jpg", b"", false),
        ] {
            assert_eq!(wrong_type(2, None, name, head).is_some(), wrong, "{name} {head:?}");
        }
    }
}
