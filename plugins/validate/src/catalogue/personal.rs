//! V25: phone and identity numbers in columns that are not declared to hold personal data.
//!
//! Looked at are texts, lists and the columns that the record does not know (`_extra`). A phone number is 11 digits that
//! begin with 13 to 19 and stand alone; an identity number (GB 11643) is 18 characters with a real birthday and a
//! right check character. Columns of codes are passed over: a credit code may be 18 digits too. The number itself is
//! repeated nowhere.

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::{DataType, SchemaRef};
use huiliu_stage::{EXTRA, Field, Findings, SHEET, StageError, Text};

use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note};

/// The columns to look at.
pub(super) struct Personal(Vec<(usize, Note)>);

impl Personal {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
    ) -> Option<Box<dyn Check>> {
        if own.personal == Some(false) {
            return None;
        }
        let is_code = |name: &str| {
            let checks = &options.checks;
            checks.uscc.iter().any(|check| check.field == name)
                || checks.project_code.iter().any(|check| check.field == name)
        };
        let mut all = Vec::new();
        for (column, field) in schema.fields.iter().enumerate() {
            let text = match field.data_type() {
                DataType::Utf8 => true,
                DataType::List(item) => item.data_type() == &DataType::Utf8,
                _ => false,
            };
            let declared = Field::of(field).is_some_and(|described| described.personal);
            if text && !declared && field.name() != SHEET && !is_code(field.name()) {
                all.extend(Note::new(options, field, Kind::Personal).map(|note| (column, note)));
            }
        }
        (!all.is_empty()).then(|| Box::new(Self(all)) as Box<dyn Check>)
    }
}

impl Check for Personal {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        for (column, note) in &self.0 {
            let array = sight.batch.column(*column);
            match array.data_type() {
                DataType::List(_) => {
                    let lists = array.as_list::<i32>();
                    let found = cells_with_numbers(lists.values().as_string::<i32>());
                    let mut found = found.into_iter().peekable();
                    for (at, ends) in lists.value_offsets().windows(2).enumerate() {
                        while found.next_if(|item| *item < ends[0] as usize).is_some() {}
                        if found.peek().is_some_and(|item| *item < ends[1] as usize) {
                            tell(note, sight.rows[at], findings);
                        }
                    }
                }
                _ => cells_with_numbers(array.as_string::<i32>())
                    .into_iter()
                    .for_each(|at| tell(note, sight.rows[at], findings)),
            }
        }
        Ok(())
    }
}

fn tell(note: &Note, row: i64, findings: &mut Findings) {
    let title = if note.field == EXTRA { "未登记的列" } else { &*note.title };
    let text = Text::new(
        format!("{title}中有手机号或身份证号；请移到联系人、联系电话列，或删去"),
        format!(
            "{} holds a phone or identity number; move it to a column for such data or leave it out",
            note.field
        ),
    );
    findings.push(note.about(row, text));
}

/// The places of the texts in which a number stands. All texts are looked at in one go, since nearly none has one.
fn cells_with_numbers(texts: &StringArray) -> Vec<usize> {
    let (bytes, offsets) = (texts.value_data(), texts.value_offsets());
    let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else { return Vec::new() };
    let (mut at, end) = (first as usize, last as usize);
    let mut found = Vec::new();
    let mut cell = 0;
    while at < end {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        while cell + 1 < offsets.len() && offsets[cell + 1] as usize <= at {
            cell += 1;
        }
        let limit = offsets.get(cell + 1).map_or(end, |next| *next as usize);
        let run = bytes[at..limit].iter().take_while(|b| b.is_ascii_digit()).count();
        let before =
            at.checked_sub(1).filter(|before| *before >= offsets[cell] as usize).map(|before| bytes[before]);
        if is_number(&bytes[at..limit], run, before) && texts.is_valid(cell) && found.last() != Some(&cell) {
            found.push(cell);
        }
        at += run;
    }
    found
}

/// Whether the `run` digits at the start of a text are a phone or identity number; `before` is what stands in front.
fn is_number(text: &[u8], run: usize, before: Option<u8>) -> bool {
    // Part of a longer code or a decimal number.
    let joined = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'.' || *b == b'_');
    if joined(before.as_ref()) {
        return false;
    }
    match run {
        11 => text[0] == b'1' && text[1] >= b'3' && !joined(text.get(11)) && text.get(11) != Some(&b'-'),
        17 => matches!(text.get(17), Some(b'X' | b'x')) && !joined(text.get(18)) && is_identity(&text[..18]),
        18 => !joined(text.get(18)) && is_identity(&text[..18]),
        _ => false,
    }
}

/// GB 11643: region, birthday, order, and the check character by ISO 7064 MOD 11-2.
fn is_identity(code: &[u8]) -> bool {
    let number = |part: &[u8]| part.iter().fold(0_u32, |n, b| n * 10 + u32::from(b - b'0'));
    let (year, month, day) = (number(&code[6..10]), number(&code[10..12]), number(&code[12..14]));
    let born = (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let weights = (0..17).map(|at| 2_u32.pow(17 - at) % 11);
    let sum: u32 = code[..17].iter().zip(weights).map(|(b, weight)| u32::from(b - b'0') * weight).sum();
    born && b"10X98765432"[(sum % 11) as usize] == code[17].to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_people_are_found_and_codes_are_not_taken_for_them() {
        // 11010519491231002X is the example of the standard.
        let table = [
            ("联系人王某 13800138000", true),
            ("电话:13912345678；", true),
            ("11010519491231002X", true),
            ("身份证11010519491231002x。", true),
            ("110105194912310021", false), // Wrong check character.
            ("914403001922038216", false), // A credit code of digits alone.
            ("2306-320412-89-01-830169", false),
            ("12345678901", false), // No phone number begins so.
            ("138001380001", false),
            ("A13800138000", false),
            ("13800138000.5", false),
            ("", false),
        ];
        let texts = StringArray::from(table.map(|(text, _)| text).to_vec());
        let expected: Vec<usize> = (0..table.len()).filter(|&at| table[at].1).collect();
        assert_eq!(cells_with_numbers(&texts), expected);
        let later = texts.slice(2, 4);
        assert_eq!(cells_with_numbers(&later), [0, 1]);
    }
}
