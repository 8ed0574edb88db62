//! V21: construction permits that lapsed. Works must begin within three months of the issue (domain.md section 11).
//!
//! A start that is later than that is told, and so is a project that has not started by then, where the sender's table has
//! a column for the start. A day that was given as a month or year is its first day, so it lapses early rather than late:
//! it is a warning.

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{DataType, Date32Type, SchemaRef};
use arrow::temporal_conversions::date32_to_datetime;
use huiliu_stage::{Findings, StageError, Text};

use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note, shown};

/// Months from the issue to the start.
const USUAL_MONTHS: u32 = 3;

pub(super) struct Permits {
    permit: usize,
    start: usize,
    started: Option<usize>,
    months: u32,
    note: Note,
}

impl Permits {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
    ) -> Option<Box<dyn Check>> {
        let typed = |name: &str, kind: &DataType| {
            schema.index_of(name).ok().filter(|at| schema.field(*at).data_type() == kind)
        };
        let permit = typed("permit_date", &DataType::Date32)?;
        let start = typed("start_date", &DataType::Date32)?;
        let started = typed("is_started", &DataType::Boolean);
        let months = own.permit_months.unwrap_or(USUAL_MONTHS);
        let note = Note::new(options, schema.field(permit), Kind::PermitLapsed)?;
        Some(Box::new(Self { permit, start, started, months, note }))
    }
}

impl Check for Permits {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let permits = sight.batch.column(self.permit).as_primitive::<Date32Type>();
        if permits.null_count() == permits.len() {
            return Ok(());
        }
        let starts = sight.batch.column(self.start).as_primitive::<Date32Type>();
        let flags: Option<&BooleanArray> = self.started.map(|at| sight.batch.column(at).as_boolean());
        let today = sight.host.today();
        let asked = sight.sent("start_date");
        // Three months have at most 92 days and four at most 123: most rows need no calendar.
        let most = i64::from(self.months) * 31;
        for at in (0..permits.len()).filter(|&at| permits.is_valid(at)) {
            let started = flags.is_some_and(|flags| flags.is_valid(at) && flags.value(at));
            let until = match (starts.is_valid(at), asked && !started) {
                (true, _) => starts.value(at),
                (false, true) => today,
                (false, false) => continue,
            };
            let issued = permits.value(at);
            let days = i64::from(until) - i64::from(issued);
            if days <= most - 3 * i64::from(self.months) - 3 || !later(issued, until, self.months) {
                continue;
            }
            let (row, value) = (sight.rows[at], shown(sight.batch, self.permit, at));
            if !sight.cells.has("start_date", row) {
                findings.push(self.note.about_value(row, &value, text(self.months, starts.is_valid(at))));
            }
        }
        Ok(())
    }
}

fn text(months: u32, started: bool) -> Text {
    match started {
        true => Text::new(
            format!(
                "开工时间晚于领取施工许可后{months}个月，许可可能已失效；请核对两个时间，已办理延期的请在备注中说明"
            ),
            format!(
                "the start is more than {months} months after the permit, which may have lapsed; check both days, or tell of its extension in the remark"
            ),
        ),
        false => Text::new(
            format!("领取施工许可已超过{months}个月仍未填报开工，许可可能失效；请填报开工时间，或申请延期"),
            format!(
                "the permit is older than {months} months and no start is reported; report the start, or have the permit extended"
            ),
        ),
    }
}

/// Whether `until` is later than the same day `months` months after `from`; a month without that day ends before it.
fn later(from: i32, until: i32, months: u32) -> bool {
    let parts = |day: i32| -> Option<(i64, i64)> {
        let text = date32_to_datetime(day)?.date().to_string();
        let mut parts = text.split('-').map(|part| part.parse::<i64>().ok());
        let (year, month, date) = (parts.next()??, parts.next()??, parts.next()??);
        Some((year * 12 + month, date))
    };
    match (parts(from), parts(until)) {
        (Some((month, date)), Some((last, day))) => (last, day) > (month + i64::from(months), date),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::later;

    #[test]
    fn three_months_end_with_the_same_day() {
        let january = 20_454; // 2026-01-01
        for (from, until, lapsed) in [
            (0, 90, false), // 1 April.
            (0, 91, true),
            (0, 89, false),
            (30, 119, false), // 31 January to 30 April.
            (30, 120, true),  // 1 May.
            (0, -5, false),
        ] {
            assert_eq!(later(january + from, january + until, 3), lapsed, "{from} {until}");
        }
    }
}
