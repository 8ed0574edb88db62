//! Encodings of tables, long and short, in the languages that meet in Chinese offices and some more.

use encoding_rs::{
    EUC_KR, ISO_8859_2, ISO_8859_7, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1250, WINDOWS_1253, WINDOWS_1254,
    X_MAC_CYRILLIC,
};

use super::super::languages::LANGUAGES;
use super::*;

fn encode(text: &str, charset: Charset) -> Vec<u8> {
    let big = |unit: u16| unit.to_be_bytes();
    let Charset::Known(encoding) = charset else {
        return match charset {
            Charset::Utf32 { big: true } => text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            Charset::Utf32 { .. } => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            _ => (0..=255_u8)
                .map(|byte| (charset.text(&[byte], true).0, byte))
                .fold(text.to_owned(), |text, (c, byte)| match byte {
                    128.. => text.replace(&c, &format!("\u{1}{byte:02x}")),
                    _ => text,
                })
                .split('\u{1}')
                .enumerate()
                .flat_map(|(at, part)| match at {
                    0 => part.as_bytes().to_vec(),
                    _ => {
                        let mut bytes = vec![u8::from_str_radix(&part[..2], 16).unwrap()];
                        bytes.extend_from_slice(&part.as_bytes()[2..]);
                        bytes
                    }
                })
                .collect(),
        };
    };
    match encoding {
        e if e == UTF_16LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        e if e == UTF_16BE => text.encode_utf16().flat_map(big).collect(),
        e => {
            let (bytes, _, bad) = e.encode(text);
            assert!(!bad, "{text} has no spelling in {}", e.name());
            bytes.into_owned()
        }
    }
}

fn assert_told(text: &str, charset: Charset) {
    let bytes = encode(text, charset);
    let (found, how) = detect(&bytes, true);
    assert_eq!(found.text(&bytes, true), (text.to_owned(), 0), "{} by {how:?}", found.name());
}

const SIMPLIFIED: &str =
    "项目名称,总投资,开工时间\n示例储能电池一期项目,12.5,2023年2月\n示例装备制造基地,10,2022年9月\n";
const TRADITIONAL: &str =
    "專案名稱,總投資,開工時間\n示例儲能電池一期專案,12.5,2023年2月\n示例裝備製造基地,10,2022年9月\n";

#[test]
fn one_table_is_told_in_every_encoding_that_can_spell_it() {
    for encoding in [UTF_8, GB18030, UTF_16LE, UTF_16BE] {
        assert_told(SIMPLIFIED, Charset::Known(encoding));
    }
    assert_told(TRADITIONAL, Charset::Known(BIG5));
    for big in [false, true] {
        assert_told(SIMPLIFIED, Charset::Utf32 { big });
    }
    for mark in [&b"\xff\xfe"[..], b"\xff\xfe\0\0", b"\xef\xbb\xbf"] {
        assert_eq!(detect(&[mark, b"\x61\0\0\0"].concat(), true).1, How::Mark);
    }
}

#[test]
fn a_few_characters_of_one_column_are_enough() {
    for text in ["名稱\n", "縣市\n臺北市\n", "編號,單位\n1,x\n", "投資金額\n100\n", "備註\n", "台中市,12\n"]
    {
        assert_told(text, Charset::Known(BIG5));
    }
    for text in ["名称\n", "项目\n", "县区,合计\n", "备注\n", "武汉市,12\n", "中国\n", "总投资（亿元）\n"]
    {
        assert_told(text, Charset::Known(GB18030));
    }
    for text in ["名前,住所\nたろう,東京都\n", "会社の名前\n", "カテゴリ\n"] {
        assert_told(text, Charset::Known(SHIFT_JIS));
        assert_told(text, Charset::Known(EUC_JP));
    }
    assert_told("이름,주소\n김철수,서울특별시\n", Charset::Known(EUC_KR));
    assert_told("会社の名前\n", Charset::Known(ISO_2022_JP));
}

#[test]
fn alphabets_are_told_by_their_letters() {
    let russian = "Название,Город\nЗавод по производству бумаги,Москва\nСтроительство дороги,Казань\nШкола и детский сад,Пермь\n";
    for encoding in [WINDOWS_1251, KOI8_U, IBM866, ISO_8859_5, X_MAC_CYRILLIC] {
        assert_told(russian, Charset::Known(encoding));
    }
    assert_told(russian, Charset::Ibm855);
    let western = "Prénom,Ville\nHélène,Besançon\nJérôme,Orléans\nFrançois,Nîmes\nThérèse,Sète\n";
    assert_told(western, Charset::Known(WINDOWS_1252));
    assert_told(western, Charset::Known(MACINTOSH));
    assert_told("Straße,Größe\nMünchner Straße,größer\nKöln,süß\n", Charset::Known(WINDOWS_1252));
    let hungarian = "Név,Város\nGyőri Ágnes,Székesfehérvár\nKovács Jenő,Hódmezővásárhely\nűrhajó,szőlő\n";
    for encoding in [WINDOWS_1250, ISO_8859_2] {
        assert_told(hungarian, Charset::Known(encoding));
    }
    let greek = "Όνομα,Πόλη\nΓιώργος Παπαδόπουλος,Θεσσαλονίκη\nΕλένη,Αθήνα και Πειραιάς\n";
    for encoding in [WINDOWS_1253, ISO_8859_7] {
        assert_told(greek, Charset::Known(encoding));
    }
    assert_told("İsim,Şehir\nAyşe Yılmaz,İstanbul\nDoğan Güneş,Eskişehir\n", Charset::Known(WINDOWS_1254));
}

#[test]
fn damage_does_not_change_the_encoding() {
    let mut damaged = SIMPLIFIED.repeat(20).into_bytes();
    damaged[400] = 0xff;
    assert_eq!(detect(&damaged, true).0, Charset::UTF8);
    let mut damaged = encode(&SIMPLIFIED.repeat(20), Charset::Known(GB18030));
    damaged[400] = 0xff;
    assert_eq!(detect(&damaged, true).0, Charset::Known(GB18030));
    // A file with some zero bytes in it is not a wide one.
    let zeros = SIMPLIFIED.replace("项目", "项\0目");
    assert_eq!(detect(zeros.as_bytes(), true).0, Charset::UTF8);
    assert_eq!(detect(b"id,name\n1,a\0b\n2,c\n", true).0, Charset::UTF8);
    // Cut inside a character.
    assert_eq!(detect(&SIMPLIFIED.as_bytes()[..SIMPLIFIED.len() - 2], false).0, Charset::UTF8);
}

#[test]
fn a_few_bad_bytes_make_no_other_encoding_of_utf8() {
    let text = ["a,b\nx,y\n".as_bytes(), "甲,乙\n丙,丁\n戊,己\n".as_bytes(), b"\xb5\xb6,z\n"].concat();
    assert_eq!(detect(&text, true).0, Charset::UTF8);
    let (text, _, _) = GB18030.encode("联通,一动\n项目名称,总投资\n湖塘镇,约十亿\n");
    assert_eq!(detect(&text, true).0, Charset::Known(GB18030));
}

/// Parts of a table: all of it, its first column, and the first rows of both.
fn parts(table: &str) -> Vec<String> {
    let lines: Vec<&str> = table.lines().collect();
    let column: Vec<&str> = lines.iter().filter_map(|line| line.split(',').next()).collect();
    [&lines[..], &lines[..3], &lines[..1], &column, &column[..3]].map(|part| part.join("\n") + "\n").to_vec()
}

#[test]
fn no_table_is_decoded_wrongly_without_a_word() {
    let (mut right, mut tries, mut silent) = (0, 0, Vec::new());
    for language in &LANGUAGES {
        for text in parts(language.table) {
            let known = language.encodings.iter().filter_map(|label| Charset::of_label(label));
            let wide = [UTF_8, UTF_16LE, UTF_16BE].map(Charset::Known);
            let wider = [false, true].map(|big| Charset::Utf32 { big });
            for charset in known.chain(wide).chain(wider) {
                let bytes = encode(&text, charset);
                let (found, how) = detect(&bytes, true);
                let (decoded, bad) = found.text(&bytes, true);
                tries += 1;
                right += usize::from(decoded == text);
                let single = matches!(found, Charset::Known(encoding) if encoding.is_single_byte());
                let told = bad > 0 || how == How::Guess || single && how == How::Statistics;
                if decoded != text && !told {
                    silent.push(format!(
                        "{} in {} as {}: {text}",
                        language.name,
                        charset.name(),
                        found.name()
                    ));
                }
            }
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
    assert!(right * 100 >= tries * 99, "{right} of {tries}");
}

#[test]
fn thin_evidence_is_a_guess() {
    for text in ["学校\n", "医院\n", "联通\n"] {
        let bytes = encode(text, Charset::Known(GB18030));
        assert_eq!(detect(&bytes, true), (Charset::Known(GB18030), How::Guess), "{text}");
    }
    for text in ["é\n", "Город\n", "Größe,°C\n", "Πόλη\n", "№\n", "ä,Город\n"] {
        assert_eq!(detect(text.as_bytes(), true), (Charset::UTF8, How::Strict), "{text}");
    }
    // EUC-JP of one word is as likely Chinese.
    let (_, how) = detect(&encode("音楽\n", Charset::Known(EUC_JP)), true);
    assert_eq!(how, How::Guess);
    for text in ["name\n~{VPND~}\n", "\x1b$)C\nname\n\x0e@L8'\x0f\n"] {
        assert_eq!(detect(text.as_bytes(), true).1, How::Guess, "{text:?}");
    }
    for text in ["a~{b\n", "~{ x ~}\n", "path ~{1~} and ~{home\n", "a,b\n"] {
        assert_eq!(detect(text.as_bytes(), true).1, How::Strict, "{text:?}");
    }
}

#[test]
fn zeros_within_a_narrow_text_make_it_no_wide_one() {
    for text in ["a,b\n1\0,2\n\u{0}3,4\n", "名称,金额\n项目\0,1\n", "Город\0\nМосква\n"] {
        assert_eq!(detect(text.as_bytes(), true).0, Charset::UTF8, "{text:?}");
    }
    let bytes = encode("名称,金额\n项目\0,1\n项目,2\n", Charset::Known(GB18030));
    assert_eq!(detect(&bytes, true).0, Charset::Known(GB18030));
}
