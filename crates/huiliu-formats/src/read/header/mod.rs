//! Which rows of a sheet are its header, and which field each column is.
//!
//! The first rows are laid out as a [`Grid`] of texts. Each row, and each two or three rows taken together
//! (a merged header, joined `parent > child`), is tried as header; the one that names most fields wins
//! ([`find`]). How a text names a field is in [`names`], the shipped words in [`dictionary`].

mod assign;
mod dictionary;
mod form;
mod fuzzy;
mod names;
mod neighbours;
mod paths;
mod tell;
mod units;
mod values;

use assign::assign;
use dictionary::DICTIONARY;
pub(super) use form::is_form;
pub(super) use names::{Names, Rank, declared_unit, tidy, unit_of};
pub(super) use tell::findings;

use std::cmp::Reverse;
use std::collections::HashSet;

use huiliu_stage::column_letters;

use super::merged::{Merged, MergedRows};
use super::value::Unit;
use crate::report::{ColumnReport, SheetReport};

/// Rows looked at when searching for the header.
pub(super) const SEARCH_ROWS: usize = 20;
/// How a column was understood whose word alone may mean several fields.
const NEIGHBOUR: &str = "neighbour";
/// How a column of serial numbers is known, which no field needs to hold.
const NUMBERED: &str = "serial";
/// How a column is known that says which unit each row is in.
const UNITS: &str = "units";
/// What the dictionary calls the serial numbers of rows, which are no field of a record.
const SERIAL: &str = "seq_no";
/// Most rows of one header.
const MOST_HEADER_ROWS: usize = 3;

/// The first rows of a sheet: row number and cells.
pub(super) type Grid = Vec<(u32, Vec<String>)>;

/// A column of a sheet.
#[derive(Clone, Debug)]
pub(super) struct Column {
    /// Header as it is shown to people.
    pub(super) header: String,
    /// Texts that the column goes by, the child last.
    path: Vec<String>,
    /// The fields that these may name, once worked out: that takes long, and a file may have thousands of columns.
    claims: Option<Vec<(usize, Rank)>>,
    /// Index of its field in the record schema.
    pub(super) field: Option<usize>,
    how: &'static str,
    /// Fields that it may mean as well.
    others: Vec<usize>,
    /// The unit in the header.
    pub(super) unit: Option<Unit>,
}

/// How a sheet is laid out.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
    /// Row numbers of the header.
    pub(super) header_rows: Vec<u32>,
    /// A unit that holds for all amounts of the sheet.
    pub(super) unit: Option<Unit>,
    /// Columns that say in each row which unit the amounts beside them are in.
    pub(super) row_units: Vec<usize>,
    /// Columns that name a field which another column has: column, field.
    pub(super) twins: Vec<(usize, usize)>,
    /// Columns whose unit is not understood or not one of their field: column, field, unit. They are not read.
    strange: Vec<(usize, usize, String)>,
    /// Texts above the header.
    titles: Vec<String>,
}

impl Layout {
    /// Index of the column that holds `field`.
    pub(super) fn column_of(&self, field: usize) -> Option<usize> {
        self.columns.iter().position(|column| column.field == Some(field))
    }

    /// Texts above the header.
    pub(super) fn titles(&self) -> &[String] {
        &self.titles
    }

    /// Adds a column behind the others and gives it a field if it names one that is free.
    pub(super) fn push(&mut self, header: &str, names: &Names) {
        let mut column = Column::new(vec![header.to_owned()]);
        let mut found = names.claims(&column.path);
        // 投资.总投资(万元): as the leaf of a header of several rows.
        if let (true, Some((_, leaf))) = (found.is_empty(), header.rsplit_once('.')) {
            found = names.claims(&[leaf.to_owned()]);
        }
        let claims = column.claims.insert(found);
        // One that names nothing changes nothing for the others.
        let changes = !claims.is_empty();
        self.columns.push(column);
        if changes {
            assign(self, names);
        }
    }

    /// Every column a field of its own, in order.
    pub(super) fn plain(header_rows: Vec<u32>, headers: &[String]) -> Self {
        let column = |(index, header): (usize, &String)| Column {
            field: Some(index),
            how: Rank::Name.as_str(),
            ..Column::new(vec![header.clone()])
        };
        Self { columns: headers.iter().enumerate().map(column).collect(), header_rows, ..Self::default() }
    }

    /// The columns without a field and their keys in `_extra`: each its header, or its letters if it has none.
    pub(super) fn extra_keys(&self) -> Vec<(usize, String)> {
        let mut met = HashSet::new();
        let key = |(at, column): (usize, &Column)| {
            let first = met.insert(column.header.clone());
            let key = match (column.header.as_str(), first) {
                ("", _) => column_letters(at),
                (header, true) => header.to_owned(),
                (header, false) => format!("{header} ({})", column_letters(at)),
            };
            (at, key, column.field.is_none())
        };
        let keys = self.columns.iter().enumerate().map(key).collect::<Vec<_>>();
        keys.into_iter().filter(|(.., unknown)| *unknown).map(|(at, key, _)| (at, key)).collect()
    }

    /// For the report; `fields` are the names of the record's fields.
    pub(super) fn report(&self, sheet: &str, fields: &[String]) -> SheetReport {
        let column = |(index, c): (usize, &Column)| ColumnReport {
            index,
            header: c.header.clone(),
            field: c.field.and_then(|field| fields.get(field).cloned()),
            alternatives: c.others.iter().filter_map(|field| fields.get(*field).cloned()).collect(),
            how: c.how.to_owned(),
            unit: c.unit.as_ref().map(|unit| unit.name.clone()),
        };
        SheetReport {
            name: sheet.to_owned(),
            header_rows: self.header_rows.clone(),
            unit: self.unit.as_ref().map(|unit| unit.name.clone()),
            titles: self.titles.clone(),
            columns: self.columns.iter().enumerate().map(column).collect(),
            rows: 0,
        }
    }

    /// Says of columns of serial numbers that they are known, though no field holds them.
    fn note_serials(&mut self) {
        for column in self.columns.iter_mut().filter(|c| c.field.is_none() && c.others.is_empty()) {
            if column.path.last().is_some_and(|leaf| is_serial(leaf)) {
                column.how = NUMBERED;
            }
        }
    }

    fn claimed(&self) -> usize {
        self.columns.iter().filter(|column| column.field.is_some()).count()
    }
}

impl Column {
    fn new(path: Vec<String>) -> Self {
        let shown = path.iter().map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
        let header = shown.collect::<Vec<_>>().join(" > ");
        let unit = path.iter().rev().find_map(|part| names::unit_of(part));
        Self { header, path, claims: None, field: None, how: "unknown", others: Vec::new(), unit }
    }
}

/// Finds the header and gives each column its field. `row` is its number if the caller knows it.
/// `None` if no row names enough fields.
pub(super) fn find(grid: &Grid, merged: &Merged, names: &Names, row: Option<u32>) -> Option<Layout> {
    let merged = &merged.over(grid.iter().map(|(number, _)| *number));
    // A header does not end in the middle of a merged cell, unless the sheet leaves no other.
    search(grid, merged, names, row, true).or_else(|| search(grid, merged, names, row, false))
}

/// What rows are worth as a header, and the columns that they give.
type Candidate = ((usize, Reverse<usize>), Layout);

fn search(grid: &Grid, merged: &MergedRows, names: &Names, row: Option<u32>, whole: bool) -> Option<Layout> {
    // What a row is worth in which every cell firmly names a field: no other can be worth more.
    let perfect = (2 * grid.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0), Reverse(1));
    let mut candidates: Vec<Candidate> = Vec::new();
    for start in 0..grid.len().min(SEARCH_ROWS) {
        if row.is_some_and(|row| grid[start].0 != row) {
            continue;
        }
        let mut best: Option<Candidate> = None;
        let mut most_named = (0, 0);
        for height in 1..=MOST_HEADER_ROWS.min(grid.len() - start) {
            if whole && (cuts(grid, merged, start, height) || parts(grid, start + height)) {
                continue;
            }
            let layout = lay_out(&grid[start..start + height], merged, names);
            let score = score(&layout);
            let worth = (score, Reverse(height));
            // The row that the caller named is the header's first, whatever it is worth.
            // Of rows that are worth the same, those that give more columns a field, or a name.
            let named =
                (layout.claimed(), layout.columns.iter().filter(|column| !column.header.is_empty()).count());
            let better = |(most, _): &Candidate| (worth.0, named, worth.1) > (most.0, most_named, most.1);
            if (score > 0 || row.is_some()) && best.as_ref().is_none_or(better) {
                (best, most_named) = (Some((worth, layout)), named);
            }
        }
        candidates.extend(best);
        if candidates.last().is_some_and(|(worth, _)| *worth == perfect) {
            break;
        }
    }
    let mut layout = choose(grid, candidates)?;
    units::below(grid, &mut layout);
    units::numbers_below(grid, &mut layout);
    values::decide(grid, &mut layout, names);
    units::doubt(&mut layout, names);
    units::of_rows(grid, &mut layout);
    fuzzy::suggest(&mut layout, names);
    layout.note_serials();
    layout.unit = units::of_sheet(grid, &layout);
    layout.titles = above(grid, &layout).map(|cell| cell.trim().chars().take(200).collect()).collect();
    Some(layout)
}

/// The header of the first table: the candidate that is worth most, unless rows stand between it and one above that is
/// a header without doubt. Among equals the first and lowest is taken: titles say nothing.
fn choose(grid: &Grid, mut candidates: Vec<Candidate>) -> Option<Layout> {
    let most = candidates.iter().map(|(worth, _)| *worth).max()?;
    let best = candidates.iter().position(|(worth, _)| *worth == most)?;
    let first = candidates.get(best)?.1.header_rows.first().copied()?;
    let is_above = |(_, layout): &Candidate| {
        let last = layout.header_rows.last().copied().unwrap_or(0);
        let columns = layout.columns.iter().filter(|column| !column.header.is_empty()).count();
        let is_row = |cells: &[String]| {
            let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
            filled >= 2 && filled * 2 >= columns
        };
        let between =
            grid.iter().filter(|(number, cells)| *number > last && *number < first && is_row(cells)).count();
        (is_certain(layout) && between > 0) || (is_small(layout) && between > 1)
    };
    let above = candidates.iter().take(best).position(is_above);
    Some(candidates.swap_remove(above.unwrap_or(best)).1)
}

/// Whether most columns firmly name a field; serial numbers need not.
fn is_certain(layout: &Layout) -> bool {
    let named = layout.columns.iter().filter(|c| !c.header.is_empty() && !is_serial(&c.header)).count();
    let strong = layout.columns.iter().filter(is_firm).count();
    strong >= 3 && strong * 3 > named * 2
}

/// Whether both columns of a narrow table firmly name a field.
fn is_small(layout: &Layout) -> bool {
    let named = layout.columns.iter().filter(|column| !column.header.is_empty()).count();
    named == 2 && layout.columns.iter().filter(is_firm).count() == 2
}

fn is_firm(column: &&Column) -> bool {
    column.field.is_some() && ![Rank::Weak.as_str(), NEIGHBOUR].contains(&column.how)
}

/// Whether a header of these rows would cut a merged cell. Blank rows below belong to it.
fn cuts(grid: &Grid, merged: &MergedRows, start: usize, height: usize) -> bool {
    let number = |at: usize| grid.get(at).map(|(number, _)| *number);
    let Some(first) = number(start) else { return false };
    let last = number(start + height).map_or(u32::MAX - 1, |next| next - 1);
    merged.cut_by(first, last.max(first), MOST_HEADER_ROWS)
}

/// Whether the row at `at` parts what the row above it names, as where merged cells became blanks: its words, no values,
/// stand below names with blanks beside them and below those blanks, and nothing below the first name.
fn parts(grid: &Grid, at: usize) -> bool {
    let (Some((_, row)), Some((_, above))) = (grid.get(at), at.checked_sub(1).and_then(|at| grid.get(at)))
    else {
        return false;
    };
    let blank = |cells: &[String], column: usize| cells.get(column).is_none_or(|cell| cell.trim().is_empty());
    let filled: Vec<usize> = (0..row.len()).filter(|&column| !blank(row, column)).collect();
    let named = |column: usize| column < above.len() && !blank(above, column);
    let spanned = |column: usize| {
        !named(column) || column + 1 < above.len() && !named(column + 1) && !blank(row, column + 1)
    };
    let word = |column: &usize| {
        let text = tidy(&row[*column]);
        !text.trim_end_matches('年').chars().all(|c| c.is_ascii_digit() || ".,-/%".contains(c))
            || text.ends_with('年')
    };
    filled.len() > 1
        && !filled.contains(&0)
        && filled.iter().any(|&column| !named(column) && column < above.len())
        && filled.iter().all(|&column| spanned(column))
        && filled.iter().all(word)
}

/// Whether a row of texts is the header of some table: it firmly names several fields and little else.
pub(super) fn is_header(cells: &[&str], names: &Names) -> bool {
    let firm =
        |cell: &&&str| names.claims(&[(**cell).to_owned()]).iter().any(|(_, rank)| *rank != Rank::Weak);
    let filled: Vec<&str> = cells.iter().copied().filter(|cell| !cell.trim().is_empty()).collect();
    let named = filled.iter().filter(firm).count();
    named >= 2 && named * 3 > filled.len() * 2
}

/// The lowest text of each column's header, as it stands in the file: what a header printed again looks like.
pub(super) fn leaves(grid: &Grid, layout: &Layout) -> Vec<String> {
    let rows: Vec<&Vec<String>> = grid
        .iter()
        .filter(|(number, _)| layout.header_rows.contains(number))
        .map(|(_, cells)| cells)
        .collect();
    let leaf = |column: usize| {
        rows.iter()
            .rev()
            .filter_map(|cells| cells.get(column))
            .find(|cell| !cell.trim().is_empty() && names::unit_alone(cell).is_none())
    };
    (0..layout.columns.len()).map(|column| leaf(column).cloned().unwrap_or_default()).collect()
}

/// Whether a header names the serial numbers of rows.
pub(super) fn is_serial(header: &str) -> bool {
    const MORE: [&str; 5] = ["顺序号", "顺序", "编序", "排序", "no"];
    let word = tidy(header);
    let of_dictionary = || DICTIONARY.entries.iter().filter(|entry| entry.field == SERIAL);
    MORE.contains(&word.as_str()) || of_dictionary().any(|entry| entry.word == word && !entry.weak)
}

/// How well rows do as a header; 0 if they are none.
fn score(layout: &Layout) -> usize {
    let strong = layout.columns.iter().filter(is_firm).count();
    // Serial numbers need no field.
    let is_name = |column: &&Column| {
        !column.header.is_empty()
            && (column.field.is_some() || !column.path.last().is_some_and(|leaf| is_serial(leaf)))
    };
    let (claimed, named) = (layout.claimed(), layout.columns.iter().filter(is_name).count());
    // One name alone may stand in a title; two, or little but names, is a header.
    let most = strong >= 1 && claimed >= 2 && claimed * 2 > named;
    if strong >= 2 || most || (claimed > 0 && claimed == named) { claimed + strong } else { 0 }
}

fn lay_out(rows: &[(u32, Vec<String>)], merged: &MergedRows, names: &Names) -> Layout {
    let mut layout = Layout {
        columns: columns_below(rows, merged).collect(),
        header_rows: rows.iter().map(|(number, _)| *number).collect(),
        ..Layout::default()
    };
    assign(&mut layout, names);
    layout
}

/// The header of each column in words, from the rows of a header.
pub(super) fn joined(rows: &[(u32, Vec<String>)], merged: &MergedRows) -> Vec<String> {
    columns_below(rows, merged).map(|column| column.header).collect()
}

/// The columns that rows of a header make, up to the last one that has a text.
fn columns_below(rows: &[(u32, Vec<String>)], merged: &MergedRows) -> impl Iterator<Item = Column> {
    let mut paths = paths::paths(rows, merged);
    let width = paths.iter().rposition(|path| !path.is_empty()).map_or(0, |at| at + 1);
    paths.truncate(width);
    paths.into_iter().map(Column::new)
}

/// The filled cells above the header.
fn above<'a>(grid: &'a Grid, layout: &Layout) -> impl Iterator<Item = &'a String> {
    let first = layout.header_rows.first().copied().unwrap_or(0);
    let above = grid.iter().filter(move |(number, _)| *number < first).flat_map(|(_, cells)| cells);
    above.filter(|cell| !cell.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use huiliu_stage::{Field, FieldType, RecordSchema, Severity};

    use super::*;

    fn record(names: &[&str]) -> RecordSchema {
        let field = |name: &&str| Field {
            name: (*name).to_owned(),
            label: if *name == "ytd_investment" { "年度累计完成投资".into() } else { String::new() },
            ..Field::default()
        };
        RecordSchema {
            record: "project".into(),
            label: String::new(),
            fields: names.iter().map(field).collect(),
        }
    }

    fn grid(rows: &[&[&str]]) -> Grid {
        rows.iter()
            .enumerate()
            .map(|(i, cells)| (i as u32 + 1, cells.iter().map(|&cell| cell.to_owned()).collect()))
            .collect()
    }

    #[track_caller]
    fn check(fields: &[&str], rows: &[&[&str]], expected: &str) {
        let record = record(fields);
        let found = find(&grid(rows), &Merged::default(), &Names::new(&record, true), None).map(|layout| {
            let column = |c: &Column| {
                let unit = c.unit.as_ref().map_or(String::new(), |u| format!(" [{}]", u.name));
                let field = c.field.map_or("-", |field| fields[field]);
                format!("{} = {field}{unit}", c.header)
            };
            let columns = layout.columns.iter().map(column).collect::<Vec<_>>().join("; ");
            format!("{:?} {columns}", layout.header_rows)
        });
        assert_eq!(found.as_deref().unwrap_or("none"), expected);
    }

    #[test]
    fn a_header_is_found_under_titles_and_in_one_or_two_rows() {
        let fields = ["project_name", "total_investment", "month_investment", "ytd_investment", "remark"];
        check(
            &fields,
            &[
                &["武进区2023年4月重点项目进展情况表"],
                &["填报单位:武进高新区", "", "单位：万元"],
                &["序号", "项 目 名 称\n", "总投资（亿元）", "1-4月完成投资情况", "", "备注"],
                &["", "", "", "本月完成", "年度累计完成", ""],
                &["1", "示例项目", "12.5", "4200", "10740", ""],
            ],
            "[3, 4] 序号 = -; 项 目 名 称 = project_name; 总投资（亿元） = total_investment [亿元]; \
             1-4月完成投资情况 > 本月完成 = month_investment; 1-4月完成投资情况 > 年度累计完成 = ytd_investment; \
             备注 = remark",
        );
        check(
            &["project_name", "total_investment"],
            &[&["project_name", "total_investment"], &["总投资", "项目名称"]],
            "[1] project_name = project_name; total_investment = total_investment",
        );
        check(&["project_name", "total_investment"], &[&["甲", "乙"], &["1", "2"]], "none");
    }

    #[test]
    fn money_of_a_year_is_planned_only_where_the_header_says_so() {
        let fields =
            ["project_name", "annual_plan_investment", "ytd_investment", "prior_cumulative_investment"];
        check(
            &fields,
            &[&["项目名称", "2022年完成投资", "2023年投资", "2023年完成投资额", "2023年计划投资"]],
            "[1] 项目名称 = project_name; 2022年完成投资 = -; 2023年投资 = -; 2023年完成投资额 = -; \
             2023年计划投资 = annual_plan_investment",
        );
        let record = record(&fields);
        let rows = grid(&[&["项目名称", "2023年完成投资", "2023年计划投资"]]);
        let layout = find(&rows, &Merged::default(), &Names::new(&record, true), None).unwrap();
        assert_eq!(layout.columns[1].others, [2, 3]);
    }

    #[test]
    fn a_unit_that_is_not_understood_is_told_and_never_the_usual_one() {
        let fields = ["project_name", "total_investment", "floor_area_m2"];
        let mut record = record(&fields);
        record.fields[1].kind = FieldType::Money;
        record.fields[2].kind = FieldType::Number;
        record.fields[2].unit = Some("平方米".into());
        let names = Names::new(&record, true);
        for (header, unit, told) in [
            ("总投资（亿元/亿美元）", None, true),
            ("总投资（万元或万美元）", None, true),
            ("总投资（亿元）", Some("亿元"), false),
            ("总投资（含税）", None, false),
            ("建筑面积（万方）", Some("万平方米"), false),
            ("建筑面积（万元）", Some("万元"), true),
        ] {
            let rows = grid(&[&["项目名称", header], &["甲", "5"]]);
            let layout = find(&rows, &Merged::default(), &names, None).unwrap();
            let column = &layout.columns[1];
            assert_eq!(column.unit.as_ref().map(|u| u.name.as_str()), unit, "{header}");
            let texts = findings("", &layout, &fields.map(str::to_owned), &fields.map(str::to_owned));
            let errors = texts.iter().filter(|finding| finding.severity == Severity::Error).count();
            assert_eq!((errors, column.field.is_none()), (usize::from(told), told), "{header}");
        }
    }

    #[test]
    fn a_weak_word_names_a_field_only_alone() {
        let fields = ["project_name", "owner_name", "cumulative_investment", "ytd_investment"];
        check(
            &fields,
            &[&["名称", "建设单位", "业主"]],
            "[1] 名称 = project_name; 建设单位 = owner_name; 业主 = -",
        );
        check(
            &fields,
            &[&["名称", "项目名称", "建设单位"]],
            "[1] 名称 = -; 项目名称 = project_name; 建设单位 = owner_name",
        );
        // Two fields may be meant, and a column of the year beside it decides.
        check(
            &["project_name", "annual_plan_investment", "cumulative_investment", "ytd_investment"],
            &[&["项目名称", "年度计划投资", "累计完成投资"]],
            "[1] 项目名称 = project_name; 年度计划投资 = annual_plan_investment; 累计完成投资 = ytd_investment",
        );
        // Two fields may be meant.
        check(
            &fields,
            &[&["项目名称", "建设单位", "累计完成投资"]],
            "[1] 项目名称 = project_name; 建设单位 = owner_name; 累计完成投资 = -",
        );
    }
}
