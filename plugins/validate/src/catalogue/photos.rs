//! V13: photos whose name bears a day far from the day that they prove (domain.md section 4: 31 days).
//!
//! Cameras and phones put the day into the name (IMG_20260315_1012.jpg), people do too (现场照片2026-03-15.jpg). A photo
//! without one is not judged. It may prove any of the days of the row; the nearest counts.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Date32Type, SchemaRef};
use arrow::temporal_conversions::date32_to_datetime;
use huiliu_stage::{Findings, StageError, Text};

use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note};

/// How many days a photo may lie from its node.
const USUAL_DAYS: u32 = 31;
/// What photos are taken of.
const PROVEN: [&str; 3] = ["start_date", "finish_date", "production_date"];
/// What the names of photos hold, in lower case.
const WORDS: [&str; 6] = ["照片", "影像", "photo", "img", "dsc", "pic"];

pub(super) struct Photos {
    column: usize,
    days: Vec<usize>,
    most: i32,
    note: Note,
}

impl Photos {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
    ) -> Option<Box<dyn Check>> {
        let column = schema.index_of("evidence").ok()?;
        let list = matches!(schema.field(column).data_type(), DataType::List(item) if *item.data_type() == DataType::Utf8);
        let day = |name: &&str| schema.index_of(name).ok();
        let days =
            PROVEN.iter().filter_map(day).filter(|at| schema.field(*at).data_type() == &DataType::Date32);
        let note = Note::new(options, schema.field(column), Kind::PhotoDate).filter(|_| list)?;
        let most = i32::try_from(own.photo_days.unwrap_or(USUAL_DAYS)).unwrap_or(i32::MAX);
        Some(Box::new(Self { column, days: days.collect(), most, note }))
    }
}

impl Check for Photos {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let lists = sight.batch.column(self.column).as_list::<i32>();
        let items = lists.values().as_string::<i32>();
        for (at, ends) in lists.value_offsets().windows(2).enumerate().filter(|(_, ends)| ends[0] < ends[1]) {
            let days: Vec<i32> = self
                .days
                .iter()
                .map(|column| sight.batch.column(*column).as_primitive::<Date32Type>())
                .filter(|days| days.is_valid(at))
                .map(|days| days.value(at))
                .collect();
            if days.is_empty() {
                continue;
            }
            for name in
                (ends[0] as usize..ends[1] as usize).filter(|i| items.is_valid(*i)).map(|i| items.value(i))
            {
                let Some(taken) = taken_on(name) else { continue };
                let off =
                    days.iter().map(|day| (i64::from(*day) - i64::from(taken)).abs()).min().unwrap_or(0);
                if off > i64::from(self.most) {
                    let most = self.most;
                    let text = Text::new(
                        format!("照片日期与填报的节点日期相差{off}天，超过{most}天；请核对日期，或更换照片"),
                        format!(
                            "the photo was taken {off} days from the day that it proves, more than {most}; check the day or send another"
                        ),
                    );
                    findings.push(self.note.about_value(sight.rows[at], name, text));
                }
            }
        }
        Ok(())
    }
}

/// The day in the name of a photo, in days since 1970.
fn taken_on(name: &str) -> Option<i32> {
    let lower = name.to_lowercase();
    if !WORDS.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let text: Vec<char> = lower.chars().collect();
    (0..text.len()).find_map(|start| day_at(&text[start..], start.checked_sub(1).map(|before| text[before])))
}

/// A day at the start of a text: `20260315`, `2026-03-15`, `2026年3月5日`.
fn day_at(text: &[char], before: Option<char>) -> Option<i32> {
    if before.is_some_and(|c| c.is_ascii_digit()) {
        return None;
    }
    let digits = |at: usize, most: usize| -> String {
        text.get(at..).unwrap_or_default().iter().take(most).take_while(|c| c.is_ascii_digit()).collect()
    };
    let year = digits(0, 4);
    if year.len() != 4 {
        return None;
    }
    let plain = digits(4, 4);
    let (month, date, end) = match plain.len() {
        4 => (plain[..2].to_owned(), plain[2..].to_owned(), 8),
        0 => {
            let parted =
                |at: usize| text.get(at).is_some_and(|c| matches!(c, '-' | '.' | '_' | '年' | '月' | '/'));
            let month = digits(5, 2);
            let date = digits(6 + month.len(), 2);
            if !parted(4) || !parted(5 + month.len()) || month.is_empty() || date.is_empty() {
                return None;
            }
            let end = 6 + month.len() + date.len();
            (month, date, end)
        }
        _ => return None,
    };
    if text.get(end).is_some_and(char::is_ascii_digit) {
        return None;
    }
    days(year.parse().ok()?, month.parse().ok()?, date.parse().ok()?)
}

/// Days since 1970 of a day that there is, by trying those that it can be.
fn days(year: i32, month: i32, date: i32) -> Option<i32> {
    if !(1990..2100).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&date) {
        return None;
    }
    let wanted = format!("{year}-{month:02}-{date:02}");
    // A year has 365.2425 days on average: the day lies within two of this.
    let near = ((f64::from(year) - 1970.0) * 365.2425 + (f64::from(month) - 1.0) * 30.44) as i32 + date - 1;
    (near - 4..=near + 4)
        .find(|day| date32_to_datetime(*day).is_some_and(|at| at.date().to_string() == wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_read_off_the_names_of_photos_only() {
        for (name, day) in [
            ("IMG_20260315_101200.jpg", Some("2026-03-15")),
            ("现场照片2026-03-15.jpg", Some("2026-03-15")),
            ("现场照片2026年3月5日.jpg", Some("2026-03-05")),
            ("photo 2024.02.29.png", Some("2024-02-29")),
            ("照片2023-02-29.png", None),
            ("照片.jpg", None),
            ("照片120260315.jpg", None),
            ("施工许可证20260315.pdf", None),
        ] {
            let found = taken_on(name).and_then(date32_to_datetime).map(|at| at.date().to_string());
            assert_eq!(found.as_deref(), day, "{name}");
        }
    }

    #[test]
    fn every_day_of_a_century_is_found() {
        for day in 7_305..47_482 {
            let text = date32_to_datetime(day).unwrap().date().to_string();
            let mut parts = text.split('-').map(|part| part.parse().unwrap());
            let (year, month, date) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
            assert_eq!(days(year, month, date), Some(day), "{text}");
        }
    }
}
