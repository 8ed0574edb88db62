//! Columns of one field for several months or years: 2023年1-12月完成投资 beside 2024年1-4月完成投资.
//!
//! Of two the later one is the field's; of a series (1月, 2月, 3月 …) nobody knows which is meant, so none is.

use std::sync::LazyLock;

use regex::Regex;

use super::names::{Rank, tidy};
use super::{Column, Layout};

static YEAR: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"20\d{2}").ok());
static MONTH: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(\d{1,2})月").ok());

/// A column that is of a field, but for another period than the one that was taken.
#[derive(Clone, Debug)]
pub(super) struct Other {
    pub(super) column: usize,
    pub(super) field: usize,
    /// The column that was taken; none of a series is.
    pub(super) taken: Option<usize>,
}

/// The last year and month that a header speaks of; 0 for what it does not say.
pub(super) fn period(column: &Column) -> Option<(u32, u32)> {
    let text = tidy(&column.path.join(" "));
    let year = YEAR.as_ref()?.find_iter(&text).last().and_then(|found| found.as_str().parse().ok());
    let month = MONTH.as_ref()?.captures_iter(&text).last().and_then(|found| found[1].parse().ok());
    (year.is_some() || month.is_some()).then_some((year.unwrap_or(0), month.unwrap_or(0)))
}

/// Takes their claims from columns of a field that are of another period than the one that counts.
pub(super) fn settle(layout: &mut Layout, claims: &mut [Vec<(usize, Rank)>]) {
    let firm = |claims: &[(usize, Rank)]| claims.iter().find(|(_, rank)| *rank != Rank::Weak).map(|c| c.0);
    let mut of_field: Vec<(usize, (u32, u32), usize)> = Vec::new();
    for (at, (column, claims)) in layout.columns.iter().zip(claims.iter()).enumerate() {
        if let (Some(field), Some(period)) = (firm(claims), period(column)) {
            of_field.push((field, period, at));
        }
    }
    of_field.sort_unstable();
    for columns in of_field.chunk_by(|a, b| a.0 == b.0) {
        let series = columns.chunk_by(|a, b| a.1 == b.1).count();
        let (Some(&first), Some(&last)) = (columns.first(), columns.last()) else { continue };
        if series < 2 {
            continue;
        }
        // Of 12月 and 1月 without a year the latter comes later.
        let turns = first.1.0 == 0 && last.1.0 == 0 && last.1.1 - first.1.1 > 9;
        let (field, latest, last) = if turns { first } else { last };
        let taken = (series == 2).then_some(last);
        for &(_, _, column) in columns.iter().filter(|(_, period, _)| taken.is_none() || *period != latest) {
            claims[column].clear();
            layout.periods.push(Other { column, field, taken });
        }
    }
}
