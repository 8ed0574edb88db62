//! Names of a package's entries, whatever program packed it.
//!
//! The format knows UTF-8 (by a flag) and a code page of 1981; Windows writes neither but the system's own encoding,
//! which here is GBK. So the flag is not asked: what is UTF-8 proves itself, and the rest is GB18030 unless that
//! cannot be.

use encoding_rs::{BIG5, GB18030};

/// The name as its writer saw it. Bytes that mean nothing are marked by U+FFFD.
pub(super) fn decode(raw: &[u8]) -> String {
    if let Ok(name) = std::str::from_utf8(raw) {
        return name.to_owned();
    }
    for encoding in [GB18030, BIG5] {
        if let Some(name) = encoding.decode_without_bom_handling_and_without_replacement(raw) {
            return name.into_owned();
        }
    }
    String::from_utf8_lossy(raw).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_windows_mac_and_old_programs_are_read() {
        let gbk = |text: &str| GB18030.encode(text).0.into_owned();
        for name in ["施工许可证.pdf", "一号泵站/现场照片 (1).jpg", "plain.txt"] {
            assert_eq!(decode(name.as_bytes()), name);
            assert_eq!(decode(&gbk(name)), name);
        }
        // The second byte of this character is a backslash, which parts no folders.
        assert_eq!(decode(&gbk("誠.pdf")), "誠.pdf");
        assert_eq!(decode(b"a\xff\xffb"), "a\u{fffd}\u{fffd}b");
    }
}
