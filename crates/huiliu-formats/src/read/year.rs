//! The year that a table is about, for days such as `3月` that do not name theirs.
//!
//! It is looked for where people write it: in the titles above the table, in the name of the sheet, in that of the file.
//! Where one of these names several years it says nothing; where none says anything, it is the current year.

use super::header::Layout;
use super::value::{strict_date, years};

/// A day of the year that a table is about; `today` if it does not say.
pub(super) fn day_of(layout: &Layout, sheet: &str, file: &str, today: i32) -> i32 {
    let file = file.rsplit(['/', '\\']).next().unwrap_or_default();
    let titles = layout.titles().iter().map(String::as_str);
    let said = [years(titles), years([sheet].into_iter()), years([file].into_iter())];
    let one = said.into_iter().find(|years| !years.is_empty()).filter(|years| years.len() == 1);
    let year = one.and_then(|years| years.first().copied());
    year.and_then(|year| strict_date(&format!("{year:04}-07-01"))).unwrap_or(today)
}
