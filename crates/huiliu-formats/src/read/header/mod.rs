//! Which rows of a sheet are its header, and which field each column is.
//!
//! The first rows are laid out as a [`Grid`] of texts. Each row, and each two or three rows taken together
//! (a merged header, joined `parent > child`), is tried as header; the one that names most fields wins
//! ([`search`]). How a text names a field is in [`names`], the shipped words in [`dictionary`].

mod assign;
mod declared;
mod dictionary;
mod form;
mod fuzzy;
mod names;
mod neighbours;
mod others;
mod parents;
mod paths;
mod periods;
mod search;
mod tell;
mod units;
mod values;
mod vocabulary;

use assign::assign;
pub(super) use declared::{counted_in, declared_unit};
use dictionary::DICTIONARY;
pub(super) use form::is_form;
pub(super) use names::{Names, Rank, tidy, unit_alone, unit_of};
pub(super) use search::{MOST_HEADER_ROWS, find, joined};
pub(super) use tell::findings;

use std::collections::HashSet;

use huiliu_stage::column_letters;

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
    /// Its words name a field, but the row above them makes it that of something else.
    of_another: bool,
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
    /// A unit of money above the table that is declared in no way that is known.
    unclear_unit: Option<&'static str>,
    /// The unit above the table is that of no amount: all have others in their headers.
    unused_unit: bool,
    /// Columns of amounts whose unit nothing says, the unit that they are read in, and that of another column.
    unsaid_units: Vec<(usize, String, String)>,
    /// One of them says otherwise than the header of an amount.
    pub(super) units_differ: bool,
    /// Columns of a field that are of another period than the column that has it.
    periods: Vec<periods::Other>,
    /// The first and the last column of another table that stands beside this one behind a blank column.
    side: Option<(usize, usize)>,
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
        Self {
            header,
            path,
            claims: None,
            field: None,
            how: "unknown",
            others: Vec::new(),
            unit,
            of_another: false,
        }
    }
}

/// Whether a text firmly names a field.
pub(super) fn is_name_of_field(cell: &str, names: &Names) -> bool {
    names.claims(&[cell.to_owned()]).iter().any(|(_, rank)| *rank != Rank::Weak)
}

/// Whether a row of texts is the header of some table: it firmly names several fields and little else.
pub(super) fn is_header(cells: &[&str], names: &Names) -> bool {
    let firm = |cell: &&&str| is_name_of_field(cell, names);
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

/// All texts of each column's header, from above, as they are compared: what some row of it printed again may hold.
pub(super) fn texts(grid: &Grid, layout: &Layout) -> Vec<Vec<String>> {
    let mut texts = vec![Vec::new(); layout.columns.len()];
    for (_, cells) in grid.iter().filter(|(number, _)| layout.header_rows.contains(number)) {
        for (of, cell) in texts.iter_mut().zip(cells).filter(|(_, cell)| !cell.trim().is_empty()) {
            of.push(tidy(cell));
        }
    }
    texts
}

/// Whether a header names the serial numbers of rows.
pub(super) fn is_serial(header: &str) -> bool {
    const MORE: [&str; 5] = ["顺序号", "顺序", "编序", "排序", "no"];
    let word = tidy(header);
    let of_dictionary = || DICTIONARY.entries.iter().filter(|entry| entry.field == SERIAL);
    MORE.contains(&word.as_str()) || of_dictionary().any(|entry| entry.word == word && !entry.weak)
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
    use crate::read::merged::Merged;

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
        check(
            &[
                "project_name",
                "total_investment",
                "annual_plan_investment",
                "month_investment",
                "progress_text",
            ],
            &[
                &["序号", "项目名称", "年度计划", "", "4月进展", ""],
                &["", "", "投资额（万元）", "年度目标", "完成投资（万元）", "形象进度"],
                &["1", "甲", "50", "封顶", "5", "基础"],
            ],
            "[1, 2] 序号 = -; 项目名称 = project_name; 年度计划 > 投资额（万元） = annual_plan_investment [万元]; \
             年度计划 > 年度目标 = -; 4月进展 > 完成投资（万元） = month_investment [万元]; \
             4月进展 > 形象进度 = progress_text",
        );
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
