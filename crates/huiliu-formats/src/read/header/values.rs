//! What the values of a column say of a header whose words may mean several fields.
//!
//! A column of days is no amount, and a column of credit codes is nothing else. Only weak words are decided this way:
//! a header that names its field plainly is believed, and its cells are told one by one.

use huiliu_stage::FieldType;

use super::names::{Names, Rank, tidy};
use super::{Grid, Layout};

/// Fewest values that say anything.
const FEWEST: usize = 2;

/// What the values of a column look like; each is the share of the filled cells, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    numbers: usize,
    days: usize,
    percents: usize,
    credit_codes: usize,
    project_codes: usize,
}

impl Shape {
    /// Of these cells; `None` if they are too few to tell.
    fn of<'a>(cells: impl Iterator<Item = &'a str>) -> Option<Self> {
        let (mut shape, mut filled) = (Self::default(), 0);
        for cell in cells.map(tidy).filter(|cell| !cell.is_empty() && cell != "/" && cell != "-") {
            filled += 1;
            let code = is_credit_code(&cell);
            let day = is_day(&cell);
            let number = !code && !day && is_number(&cell);
            shape.credit_codes += usize::from(code);
            shape.project_codes += usize::from(is_project_code(&cell));
            shape.days += usize::from(day);
            shape.numbers += usize::from(number);
            shape.percents += usize::from(number && cell.ends_with('%'));
        }
        let percent = |count: usize| count * 100 / filled.max(1);
        (filled >= FEWEST).then(|| Self {
            numbers: percent(shape.numbers),
            days: percent(shape.days),
            percents: percent(shape.percents),
            credit_codes: percent(shape.credit_codes),
            project_codes: percent(shape.project_codes),
        })
    }

    /// Whether a field of this kind and name may hold such values.
    fn suits(self, name: &str, kind: FieldType, percent: bool) -> bool {
        const MOST: usize = 80;
        let codes = self.credit_codes.max(self.project_codes);
        if self.credit_codes >= MOST || self.project_codes >= MOST {
            return match name {
                "owner_uscc" => self.credit_codes >= MOST,
                "project_code" => self.project_codes >= MOST,
                _ => false,
            };
        }
        match kind {
            FieldType::Money | FieldType::Integer => self.numbers >= 50 && self.percents < 50 && codes == 0,
            FieldType::Number if percent => self.numbers >= 50,
            FieldType::Number => self.numbers >= 50 && self.percents < 50,
            FieldType::Date | FieldType::Timestamp => self.days >= 50,
            // Words: neither amounts nor days; but numbers may be numbers of something.
            FieldType::Text | FieldType::List if name == "owner_uscc" => false,
            FieldType::Text | FieldType::List => {
                self.days < MOST && self.percents < MOST && (self.numbers < MOST || name.ends_with("_no"))
            }
            FieldType::Boolean => true,
        }
    }
}

/// Of each column what the rows below the header hold.
pub(super) fn shapes(grid: &Grid, layout: &Layout) -> Vec<Option<Shape>> {
    let last = layout.header_rows.last().copied().unwrap_or(0);
    let rows: Vec<&Vec<String>> =
        grid.iter().filter(|(number, _)| *number > last).map(|(_, cells)| cells).collect();
    let column = |at: usize| Shape::of(rows.iter().filter_map(|cells| cells.get(at)).map(String::as_str));
    (0..layout.columns.len()).map(column).collect()
}

/// Takes the weak claims away that the values of a column belie. Gives whether that left one of several.
pub(super) fn sift(claims: &mut Vec<(usize, Rank)>, shape: Option<Shape>, names: &Names) -> bool {
    let Some(shape) = shape else { return false };
    let before = claims.len();
    claims.retain(|&(field, rank)| rank != Rank::Weak || names.kind(field).is_none_or(|of| of.suits(shape)));
    claims.len() == 1 && before > 1
}

/// What is known of a field's values.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) name: String,
    pub(super) kind: FieldType,
    pub(super) percent: bool,
}

impl Kind {
    fn suits(&self, shape: Shape) -> bool {
        shape.suits(&self.name, self.kind, self.percent)
    }
}

fn is_credit_code(cell: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    cell.len() == 18 && cell.bytes().all(allowed) && cell.bytes().take(8).skip(2).all(|b| b.is_ascii_digit())
}

/// `2309-320412-04-01-123456`, with any hyphens or none.
fn is_project_code(cell: &str) -> bool {
    let digits = cell.chars().filter(char::is_ascii_digit).count();
    let others = cell.chars().filter(|c| !c.is_ascii_digit());
    digits >= 20 && others.clone().all(|c| matches!(c, '-' | '–' | '—')) && others.count() <= 5
}

/// A day, month or year by its shape: `2023-03-15`, `2023.3`, `2023年3月`, `2023年底`.
fn is_day(cell: &str) -> bool {
    let year = cell.get(..4).is_some_and(|year| {
        year.bytes().all(|b| b.is_ascii_digit()) && (year.starts_with("20") || year.starts_with("19"))
    });
    let rest = cell.get(4..).unwrap_or_default();
    let marked = rest.starts_with(['-', '/', '.', '年'])
        || (rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit()));
    // 2023.56 is an amount: no month has such a number.
    let month = rest.strip_prefix('.').filter(|month| month.len() <= 2 && !month.contains('.'));
    let month = month.is_none_or(|month| month.parse::<u8>().is_ok_and(|month| (1..=12).contains(&month)));
    (year && marked && month) || (cell.ends_with('月') && cell.chars().any(|c| c.is_ascii_digit()))
}

/// A number with what people write around it: `1,200`, `约3.5亿元`, `35.8%`, `-`.
fn is_number(cell: &str) -> bool {
    let bare = cell.trim_start_matches(['约', '超', '近', '¥', '-']);
    let bare = bare.trim_end_matches(|c| "元万亿亩%人个㎡m2平方米公顷".contains(c) && c != '2');
    !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_known_by_what_most_of_its_cells_are() {
        let shape = |cells: &[&str]| Shape::of(cells.iter().copied()).unwrap();
        let days = shape(&["2023-03-15", "2023.5", "2023年底", "/"]);
        assert!(days.suits("start_date", FieldType::Date, false));
        assert!(!days.suits("total_investment", FieldType::Money, false));
        assert!(!days.suits("progress_text", FieldType::Text, false));
        let money = shape(&["1,200", "3.5亿", "", "2023.56"]);
        assert!(money.suits("total_investment", FieldType::Money, false));
        assert!(!money.suits("start_date", FieldType::Date, false));
        let codes = shape(&["91320412MA00000018", "91320412MA00000026"]);
        assert!(codes.suits("owner_uscc", FieldType::Text, false));
        assert!(!codes.suits("project_code", FieldType::Text, false));
        let rates = shape(&["35.8%", "40%"]);
        assert!(rates.suits("invest_rate", FieldType::Number, true));
        assert!(!rates.suits("total_investment", FieldType::Money, false));
        assert_eq!(Shape::of(["", "x"].into_iter()), None);
    }
}
