//! One total or declared count against the parts of the sheet that it may stand for.

use huiliu_stage::{Field, FieldType, cell_address};

use super::differs;
use crate::read::build::Assembler;

/// A cell of a row of totals.
#[derive(Clone, Debug)]
pub(in crate::read) struct Printed {
    pub(in crate::read) column: usize,
    pub(in crate::read) field: usize,
    pub(in crate::read) text: String,
}

/// What a row says of other rows.
#[derive(Clone, Debug, Default)]
pub(in crate::read) struct Total {
    /// Its row's number.
    pub(in crate::read) number: u32,
    /// Where its words stand.
    pub(in crate::read) column: usize,
    /// Its words, as sent.
    pub(in crate::read) label: String,
    /// Whether it is of a part of the sheet by its words (小计).
    pub(in crate::read) part: bool,
    /// The number of rows that it declares.
    pub(in crate::read) declared: Option<u32>,
    pub(in crate::read) printed: Vec<Printed>,
}

/// Rows and sums of a part of the sheet.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) rows: u64,
    pub(super) sums: Vec<i128>,
}

/// Whether a total of the field means anything: rates and yields cannot be added.
pub(in crate::read) fn is_summed(field: &Field) -> bool {
    match (field.kind, field.unit.as_deref()) {
        (FieldType::Money, unit) => unit.is_none_or(|unit| !unit.contains('/')),
        (FieldType::Number | FieldType::Integer, Some(unit)) => !unit.contains(['/', '%', '分', '年']),
        _ => false,
    }
}

/// A printed amount in the field's terms, and how far off rounding may bring one row.
struct Amount<'a> {
    printed: &'a Printed,
    at: usize,
    value: i128,
    half: i128,
}

impl<'a> Amount<'a> {
    fn of(printed: &'a Printed, fields: &[usize], assembler: &Assembler) -> Option<Self> {
        let at = fields.iter().position(|field| *field == printed.field)?;
        let value = assembler.amount(printed.field, &printed.text)?;
        let half = assembler.amount(printed.field, &half_of_last(&printed.text)).unwrap_or(0);
        Some(Self { printed, at, value, half })
    }

    /// How far off rounding may bring a sum of so many rows. Its errors go both ways and mostly cancel one another, so
    /// they grow with the root of the rows: beyond twice that hardly any sum gets by chance, but a row left out does.
    fn room(&self, rows: u64) -> i128 {
        let rows = i128::from(rows.max(1));
        self.half.saturating_mul(rows.min((2.0 * (rows as f64).sqrt()) as i128).max(1))
    }

    fn fits(&self, part: &Part) -> bool {
        let sum = part.sums.get(self.at).copied().unwrap_or(0);
        self.value.saturating_sub(sum).unsigned_abs() <= self.room(part.rows).unsigned_abs()
    }
}

/// Tells of the differences between a total and the part that it fits best; `likely` is taken among equals.
pub(super) fn compare(
    sheet: u32,
    fields: &[usize],
    assembler: &mut Assembler,
    total: &Total,
    parts: &[Part],
    likely: usize,
) {
    let amounts: Vec<Amount<'_>> =
        total.printed.iter().filter_map(|printed| Amount::of(printed, fields, assembler)).collect();
    let counts = |part: &Part| total.declared.is_none_or(|declared| u64::from(declared) == part.rows);
    let worth = |part: &Part| amounts.iter().filter(|a| a.fits(part)).count() + usize::from(counts(part));
    let best = parts.iter().map(worth).max().unwrap_or(0);
    let likely = parts.get(likely).filter(|part| worth(part) == best);
    let Some(part) = likely.or_else(|| parts.iter().find(|part| worth(part) == best)) else { return };
    let number = total.number;
    let mut found = Vec::new();
    if let Some(declared) = total.declared.filter(|_| !counts(part)) {
        let (address, rows, label) = (cell_address(total.column, number), part.rows, &total.label);
        let finding = differs(
            sheet,
            number,
            format!("{address}“{label}”写明{declared}个，实际读到{rows}行；请核对是否漏填或多填"),
            format!(
                "{address} `{label}` declares {declared}, but {rows} rows were read; look for missing or surplus rows"
            ),
        );
        found.push(finding.with_raw(total.label.as_str()));
    }
    for amount in amounts.iter().filter(|amount| !amount.fits(part)) {
        let Printed { column, field, text } = amount.printed;
        let (address, title, rows) = (cell_address(*column, number), assembler.title(*field), part.rows);
        let sum = part.sums.get(amount.at).copied().unwrap_or(0);
        let sum = written(sum, assembler.amount(*field, "1").unwrap_or(10_000));
        let finding = differs(
            sheet,
            number,
            format!("{address}（{title}）写的是{text}，所属{rows}行之和是{sum}；请核对合计与各行"),
            format!(
                "{address} ({title}) says {text}, but the {rows} rows it stands for add up to {sum}; check both"
            ),
        );
        found.push(finding.with_raw(text.as_str()).with_field(assembler.name(*field)));
    }
    for finding in found {
        assembler.find(finding);
    }
}

/// Half a unit of a number's last printed digit, with the unit that stands behind it: `27.75亿` gives `0.005亿`.
fn half_of_last(text: &str) -> String {
    let end = text.rfind(|c: char| c.is_ascii_digit()).map_or(text.len(), |at| at + 1);
    let (digits, unit) = text.split_at(end);
    let places = digits.rsplit_once('.').map_or(0, |(_, places)| places.len());
    format!("0.{}5{unit}", "0".repeat(places.min(12)))
}

/// A sum in units of `one`, without needless zeros.
fn written(sum: i128, one: i128) -> String {
    let scaled = sum.saturating_mul(10_000) / one.max(1);
    let (whole, part) = ((scaled / 10_000).unsigned_abs(), (scaled % 10_000).unsigned_abs());
    let sign = if scaled < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{part:04}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rounding_excuses_does_not_grow_with_the_rows_as_a_gap_does() {
        let printed = Printed { column: 0, field: 0, text: String::new() };
        let fits = |value: i128, rows, sum| {
            let amount = Amount { printed: &printed, at: 0, value, half: 5_000 };
            amount.fits(&Part { rows, sums: vec![sum] })
        };
        for (value, rows, sum, fit) in [
            (199_100_000, 200, 200_000_000, false),
            (9_950_000, 10, 10_000_000, false),
            (200_060_000, 200, 200_000_000, true),
            (10_020_000, 10, 10_000_000, true),
            (1_004_000, 1, 1_000_000, true),
            (1_006_000, 1, 1_000_000, false),
        ] {
            assert_eq!(fits(value, rows, sum), fit, "{value} for {rows} rows of {sum}");
        }
    }

    #[test]
    fn half_a_unit_of_the_last_digit() {
        for (text, half) in [("27.75", "0.005"), ("70000", "0.5"), ("3.5亿", "0.05亿"), ("1,200.0", "0.05")]
        {
            assert_eq!(half_of_last(text), half);
        }
        assert_eq!(written(2_775_000_000, 100_000_000), "27.75");
        assert_eq!(written(-15_000, 10_000), "-1.5");
    }
}
