//! What a case sends, as bytes: a table as CSV, a package as zip.

use std::collections::BTreeSet;

use serde_json::Value;

use super::case::Row;

/// A table: the headings of all rows in the order in which they first appear, then the rows.
pub(super) fn csv(rows: &[Row]) -> Vec<u8> {
    let mut headings: Vec<&str> = Vec::new();
    let mut known = BTreeSet::new();
    for heading in rows.iter().flat_map(|row| row.keys()) {
        if known.insert(heading) {
            headings.push(heading);
        }
    }
    let mut text = line(headings.iter().map(|heading| (*heading).to_owned()));
    for row in rows {
        text.push_str(&line(headings.iter().map(|heading| row.get(*heading).map(cell).unwrap_or_default())));
    }
    text.into_bytes()
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join("；"),
        other => other.to_string(),
    }
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells = cells.map(|cell| match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    });
    cells.collect::<Vec<_>>().join(",") + "\n"
}

/// A zip of files that are not packed (PKWARE's APPNOTE, sections 4.3.7, 4.3.12 and 4.3.16); names are UTF-8.
///
/// `None` for what the format has no room for: 4 GiB or 65,535 files.
pub(super) fn zip(files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let place = u32::try_from(zip.len()).ok()?;
        let facts = facts(name, content)?;
        zip.extend([b"PK\x03\x04\x14\0".as_slice(), &facts, name.as_bytes(), content].concat());
        let behind = [&[0; 10], place.to_le_bytes().as_slice()].concat();
        directory.extend([b"PK\x01\x02\x14\0\x14\0".as_slice(), &facts, &behind, name.as_bytes()].concat());
    }
    let (place, length) = (u32::try_from(zip.len()).ok()?, u32::try_from(directory.len()).ok()?);
    let entries = u16::try_from(files.len()).ok()?.to_le_bytes();
    zip.extend_from_slice(&directory);
    zip.extend([b"PK\x05\x06\0\0\0\0".as_slice(), &entries, &entries].concat());
    zip.extend([length.to_le_bytes(), place.to_le_bytes()].concat());
    zip.extend([0, 0]);
    Some(zip)
}

/// What both headers of a file say alike: flags (bit 11: the name is UTF-8), method 0, no time, sum, sizes, lengths.
fn facts(name: &str, content: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(content.len()).ok()?.to_le_bytes();
    let name = u16::try_from(name.len()).ok()?.to_le_bytes();
    let sum = crc(content).to_le_bytes();
    Some([&[0, 8, 0, 0, 0, 0, 0, 0], sum.as_slice(), &length, &length, &name, &[0; 2]].concat())
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_all_headings_and_quotes_what_csv_would_cut() {
        let rows: Vec<Row> =
            serde_json::from_str(r#"[{"甲": 1, "乙": "x,y"}, {"丙": ["a", "b"], "甲": null}]"#).unwrap();
        assert_eq!(String::from_utf8(csv(&rows)).unwrap(), "甲,乙,丙\n1,\"x,y\",\n,,a；b\n");
    }

    #[test]
    fn a_package_holds_the_sum_of_each_file() {
        let zip = zip(&[("a.txt".to_owned(), b"123456789".to_vec())]).unwrap();
        // The published check value of CRC-32.
        assert!(zip.windows(4).any(|four| four == 0xcbf4_3926_u32.to_le_bytes()));
    }
}
