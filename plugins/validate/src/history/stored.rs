//! A project's past as bytes.
//!
//! It is written anew with each row, so it is a row of numbers and texts: a first byte 1, then the reports, months,
//! stages and the permitted name, numbers with the lowest byte first. Earlier versions wrote JSON, which begins with `{`
//! and is read as ever.

use std::collections::BTreeMap;

use super::past::{Past, Report};

/// First byte of what is written here.
const VERSION: u8 = 1;
/// The flag of a report that bears its month, behind those of its seven amounts and its text.
const DATED: u16 = 1 << 8;
const PROGRESS: u16 = 1 << 7;

/// Writes a past in the place of what `out` holds.
pub(super) fn write(past: &Past, out: &mut Vec<u8>) {
    out.clear();
    out.push(VERSION);
    for report in [&past.last, &past.before] {
        out.push(u8::from(report.is_some()));
        if let Some(report) = report {
            write_report(report, out);
        }
    }
    length(past.months.len(), out);
    for (month, amount) in &past.months {
        out.extend(month.to_le_bytes());
        out.extend(amount.to_le_bytes());
    }
    length(past.stages.len(), out);
    past.stages.iter().for_each(|stage| length(*stage, out));
    out.push(u8::from(past.permitted_as.is_some()));
    if let Some(name) = &past.permitted_as {
        text(name, out);
    }
}

fn write_report(report: &Report, out: &mut Vec<u8>) {
    let amounts = [
        report.total,
        report.plan,
        report.in_month,
        report.ytd,
        report.cumulative,
        report.works,
        report.percent,
    ];
    let there = (0..).zip(amounts).map(|(bit, amount)| u16::from(amount.is_some()) << bit);
    let mut flags = there.fold(0, |flags, flag| flags | flag);
    flags |= if report.progress.is_some() { PROGRESS } else { 0 };
    flags |= if report.dated { DATED } else { 0 };
    out.extend(report.month.to_le_bytes());
    out.extend(flags.to_le_bytes());
    amounts.into_iter().flatten().for_each(|amount| out.extend(amount.to_le_bytes()));
    if let Some(progress) = &report.progress {
        text(progress, out);
    }
    out.extend(report.same.to_le_bytes());
    out.extend(report.idle.to_le_bytes());
}

/// Lengths and places; what is longer than four bytes can say does not fit into a row.
fn length(number: usize, out: &mut Vec<u8>) {
    out.extend(u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes());
}

fn text(text: &str, out: &mut Vec<u8>) {
    length(text.len(), out);
    out.extend(text.as_bytes());
}

/// Reads a past of this version or an earlier one.
pub(super) fn read(bytes: &[u8]) -> Result<Past, String> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => {
            let mut rest = Rest(rest);
            rest.past().filter(|_| rest.0.is_empty()).ok_or_else(|| "it is cut off or too long".to_owned())
        }
        _ => serde_json::from_slice(bytes).map_err(|error| error.to_string()),
    }
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn past(&mut self) -> Option<Past> {
        let last = if self.flag()? { Some(self.report()?) } else { None };
        let before = if self.flag()? { Some(self.report()?) } else { None };
        let mut months = BTreeMap::new();
        for _ in 0..self.number()? {
            months.insert(i32::from_le_bytes(self.bytes()?), self.amount()?);
        }
        let mut stages = Vec::new();
        for _ in 0..self.number()? {
            stages.push(self.number()? as usize);
        }
        let permitted_as = if self.flag()? { Some(self.text()?) } else { None };
        Some(Past { last, before, months, stages, permitted_as })
    }

    fn report(&mut self) -> Option<Report> {
        let month = i32::from_le_bytes(self.bytes()?);
        let flags = u16::from_le_bytes(self.bytes()?);
        let mut amounts = [None; 7];
        for (bit, amount) in (0..).zip(&mut amounts) {
            if flags & (1 << bit) != 0 {
                *amount = Some(self.amount()?);
            }
        }
        let [total, plan, in_month, ytd, cumulative, works, percent] = amounts;
        let progress = if flags & PROGRESS != 0 { Some(self.text()?) } else { None };
        let (same, idle) = (self.number()?, self.number()?);
        let dated = flags & DATED != 0;
        let report = Report {
            month,
            dated,
            total,
            plan,
            in_month,
            ytd,
            cumulative,
            works,
            percent,
            progress,
            same,
            idle,
        };
        Some(report)
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn flag(&mut self) -> Option<bool> {
        self.bytes::<1>().map(|[byte]| byte != 0)
    }

    fn number(&mut self) -> Option<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn amount(&mut self) -> Option<f64> {
        self.bytes().map(f64::from_le_bytes)
    }

    fn text(&mut self) -> Option<String> {
        let length = self.number()? as usize;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Past {
        let report = Report {
            month: 24_316,
            dated: true,
            total: Some(50_000.0),
            plan: None,
            in_month: Some(0.1),
            ytd: Some(-3.5),
            cumulative: None,
            works: Some(0.0),
            percent: Some(41.5),
            progress: Some("主体\n结构".into()),
            same: 2,
            idle: 1,
        };
        Past {
            before: Some(Report { dated: false, progress: None, ..report.clone() }),
            last: Some(report),
            months: BTreeMap::from([(24_315, 1.0), (24_316, 0.1)]),
            stages: vec![0, 2],
            permitted_as: Some("示例".into()),
        }
    }

    #[test]
    fn a_past_comes_back_as_it_was_written() {
        let mut bytes = vec![9];
        for past in [full(), Past::default(), Past { last: None, permitted_as: None, ..full() }] {
            write(&past, &mut bytes);
            assert_eq!(read(&bytes), Ok(past));
        }
    }

    #[test]
    fn the_json_of_earlier_versions_is_read() {
        assert_eq!(read(&serde_json::to_vec(&full()).unwrap()), Ok(full()));
        let old = br#"{"last":{"month":24316,"total":null,"plan":null,"in_month":null,"ytd":7.0,"cumulative":null,"works":null,"percent":null,"progress":null},"before":null}"#;
        assert_eq!(read(old).unwrap().last.unwrap().ytd, Some(7.0));
    }

    #[test]
    fn what_is_cut_off_or_of_another_version_is_broken() {
        let mut bytes = Vec::new();
        write(&full(), &mut bytes);
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end]).is_err(), "{end}");
        }
        bytes.push(0);
        assert!(read(&bytes).is_err());
        bytes[0] = 2;
        assert!(read(&bytes).is_err());
    }
}
