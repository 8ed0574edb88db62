//! What a row reports, read off its columns and the name of its file.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Float64Type, Schema};

use super::past::Report;

/// Where the columns are that it looks at; those that the record lacks are not looked at.
pub(super) struct Fields {
    month: Option<usize>,
    total: Option<usize>,
    plan: Option<usize>,
    in_month: Option<usize>,
    ytd: Option<usize>,
    cumulative: Option<usize>,
    works: Option<usize>,
    installation: Option<usize>,
    percent: Option<usize>,
    progress: Option<usize>,
    pub(super) stage: Option<usize>,
    pub(super) name: Option<usize>,
}

/// The month (counted from the year 0) and the day of the month of a day since 1970.
pub(super) fn month_of_day(day: i32) -> (i32, u32) {
    // Years are counted from March, so that a leap day is the last of its year; an era has 400 of them.
    let days = i64::from(day) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let from_march = (5 * day + 2) / 153;
    let date = day - (153 * from_march + 2) / 5 + 1;
    let month = (era * 400 + year) * 12 + from_march + 2;
    (i32::try_from(month).unwrap_or(0), u32::try_from(date).unwrap_or(1))
}

/// The month that a file's name tells (月报2026年4月, 1-4月), counted from the year 0. Without a year it is the last such
/// month up to `today`.
pub(super) fn month_in(name: &str, today: i32) -> Option<i32> {
    let number = |text: &str| -> Option<(i32, usize)> {
        let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
        Some((text[text.len() - digits..].parse().ok()?, digits))
    };
    let (before, _) = name.rsplit_once('月')?;
    let (month, digits) = number(before).filter(|(month, _)| (1..=12).contains(month))?;
    let before = before[..before.len() - digits]
        .trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '—' | '至' | '~'));
    let year = before.strip_suffix('年').and_then(number).and_then(|(year, digits)| match digits {
        4 => Some(year),
        2 => Some(2000 + year),
        _ => None,
    });
    match year {
        Some(year) => Some(year * 12 + month - 1),
        None => Some(today - (today - (month - 1)).rem_euclid(12)),
    }
}

impl Fields {
    pub(super) fn of(schema: &Schema, month: &str) -> Self {
        let typed = |name: &str, fits: &dyn Fn(&DataType) -> bool| {
            schema.index_of(name).ok().filter(|at| fits(schema.field(*at).data_type()))
        };
        let money = |name| typed(name, &|kind| matches!(kind, DataType::Decimal128(..)));
        let text = |name| typed(name, &|kind| *kind == DataType::Utf8);
        Self {
            month: typed(month, &|kind| *kind == DataType::Date32),
            total: money("total_investment"),
            plan: money("annual_plan_investment"),
            in_month: money("month_investment"),
            ytd: money("ytd_investment"),
            cumulative: money("cumulative_investment"),
            works: money("works_investment"),
            installation: money("installation_investment"),
            percent: typed("progress_percent", &|kind| *kind == DataType::Float64),
            progress: text("progress_text"),
            stage: typed("permit_stage", &|kind| matches!(kind, DataType::List(_))),
            name: text("project_name"),
        }
    }

    /// What a row reports; without a month of its own that of the file's name, or else of `today`.
    pub(super) fn report(&self, batch: &RecordBatch, at: usize, in_name: Option<i32>, today: i32) -> Report {
        let money = |column: Option<usize>| {
            let amounts = batch.column(column?).as_primitive_opt::<Decimal128Type>()?;
            let scale = f64::from(10_u32.pow(u32::from(amounts.scale().unsigned_abs().min(9))));
            amounts.is_valid(at).then(|| amounts.value(at) as f64 / scale)
        };
        let days = self.month.and_then(|column| batch.column(column).as_primitive_opt::<Date32Type>());
        let percent = self.percent.and_then(|column| batch.column(column).as_primitive_opt::<Float64Type>());
        let progress = self.progress.and_then(|column| batch.column(column).as_string_opt::<i32>());
        let works = match (money(self.works), money(self.installation)) {
            (None, None) => None,
            (works, installation) => Some(works.unwrap_or(0.0) + installation.unwrap_or(0.0)),
        };
        let month =
            days.filter(|days| days.is_valid(at)).map(|days| month_of_day(days.value(at)).0).or(in_name);
        Report {
            month: month.unwrap_or(today),
            dated: month.is_some(),
            total: money(self.total),
            plan: money(self.plan),
            in_month: money(self.in_month),
            ytd: money(self.ytd),
            cumulative: money(self.cumulative),
            works,
            percent: percent.filter(|percent| percent.is_valid(at)).map(|percent| percent.value(at)),
            progress: progress.filter(|texts| texts.is_valid(at)).map(|texts| texts.value(at).to_owned()),
            same: 0,
            idle: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for day in (-719_000..800_000).step_by(7).chain([0, -1, 19_782, 19_783, 20_453, 20_454]) {
            let date = arrow::temporal_conversions::date32_to_datetime(day).unwrap().date().to_string();
            let (month, of_month) = month_of_day(day);
            let written =
                format!("{:04}-{:02}-{of_month:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
            assert_eq!(written, date);
        }
    }

    #[test]
    fn the_month_is_read_off_the_name_of_a_file() {
        let may = 2026 * 12 + 4;
        for (name, month) in [
            ("湖塘镇2026年4月.csv", Some(2026 * 12 + 3)),
            ("2026年1-4月完成情况.xlsx", Some(2026 * 12 + 3)),
            ("23年12月.xlsx", Some(2023 * 12 + 11)),
            ("月报4月(最终).xlsx", Some(2026 * 12 + 3)),
            ("12月.xlsx", Some(2025 * 12 + 11)), // The December before this May.
            ("5月.xlsx", Some(may)),
            ("13月.xlsx", None),
            ("月报.xlsx", None),
            ("清单.csv", None),
        ] {
            assert_eq!(month_in(name, may), month, "{name}");
        }
    }
}
