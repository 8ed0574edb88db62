//! V17: levels against the project lists of the year.
//!
//! A row that claims a level (省重大, 市重点, 区重点) must stand on the list of that level and year, by code or by name. A
//! list that the table does not hold says nothing. A project may be on several lists at once.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Date32Type, Int64Type, SchemaRef};
use arrow::temporal_conversions::date32_to_datetime;
use hashbrown::{HashMap, HashSet};
use huiliu_stage::{Findings, Host, Problem, StageError, Text};
use serde::Deserialize;

use super::table::{Indexed, cell, maybe, texts};
use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note};

/// `lists: {table: NAME}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListOptions {
    /// The reference table, with columns `year`, `level`, `project_code`, `project_name`.
    pub table: String,
}

/// Codes and names of the projects of each year and level.
#[derive(Default)]
struct Index(HashMap<(i64, char), HashSet<String>>);

pub(super) struct Lists {
    table: Indexed<Index>,
    level: usize,
    year: Option<usize>,
    month: Option<usize>,
    code: Option<usize>,
    name: Option<usize>,
    note: Note,
}

impl Lists {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
        host: &dyn Host,
        problems: &mut Vec<Problem>,
    ) -> Option<Box<dyn Check>> {
        let chosen = own.lists.as_ref()?;
        let mut table = Indexed::new(&chosen.table);
        if let Err(error) = table.now(host, Index::of) {
            problems.push(Problem { path: "catalogue.lists.table".into(), message: error.to_string() });
        }
        let typed = |name: &str, kind: &DataType| {
            schema.index_of(name).ok().filter(|at| schema.field(*at).data_type() == kind)
        };
        let level = schema.index_of("level").ok()?;
        if !matches!(schema.field(level).data_type(), DataType::List(_)) {
            return None;
        }
        Some(Box::new(Self {
            table,
            level,
            year: typed("list_year", &DataType::Int64),
            month: typed("report_month", &DataType::Date32),
            code: typed("project_code", &DataType::Utf8),
            name: typed("project_name", &DataType::Utf8),
            note: Note::new(options, schema.field(level), Kind::Level)?,
        }))
    }

    /// The year of a row: its own, that of its month, or the present one.
    fn year(&self, sight: &Sight<'_>, at: usize) -> i64 {
        let year = self.year.map(|column| sight.batch.column(column).as_primitive::<Int64Type>());
        if let Some(years) = year.filter(|years| years.is_valid(at)) {
            return years.value(at);
        }
        let months = self.month.map(|column| sight.batch.column(column).as_primitive::<Date32Type>());
        let day =
            months.filter(|months| months.is_valid(at)).map_or(sight.host.today(), |months| months.value(at));
        let text = date32_to_datetime(day).map(|at| at.date().to_string()).unwrap_or_default();
        text.split('-').next().and_then(|year| year.parse().ok()).unwrap_or(0)
    }
}

impl Check for Lists {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        if self.table.now(sight.host, Index::of)?.0.is_empty() {
            return Ok(());
        }
        let lists = sight.batch.column(self.level).as_list::<i32>();
        let text =
            |column: Option<usize>, at| cell(column.map(|c| sight.batch.column(c).as_string::<i32>()), at);
        for at in (0..lists.len()).filter(|&at| lists.is_valid(at) && lists.value_length(at) > 0) {
            let (year, items) = (self.year(sight, at), lists.value(at));
            let (code, name) = (tidy(text(self.code, at)), tidy(text(self.name, at)));
            let index = self.table.now(sight.host, Index::of)?;
            let absent = items.as_string::<i32>().iter().flatten().find(|item| {
                let list = rank(item).and_then(|rank| index.0.get(&(year, rank)));
                list.is_some_and(|list| !list.contains(&code) && !list.contains(&name))
            });
            if let Some(level) = absent {
                let text = Text::new(
                    format!("项目不在{year}年“{level}”名单中；请核对级别，新列入的请管理员更新名单"),
                    format!(
                        "the project is not on the list of {year} for this level; check the level or have the list updated"
                    ),
                );
                findings.push(self.note.about_value(sight.rows[at], level, text));
            }
        }
        Ok(())
    }
}

/// Province, city or district.
fn rank(level: &str) -> Option<char> {
    let district = level.chars().find(|c| matches!(c, '省' | '市' | '区' | '县'))?;
    Some(if district == '县' { '区' } else { district })
}

fn tidy(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

impl Index {
    fn of(table: &RecordBatch) -> Result<Self, StageError> {
        let (years, levels) = (texts(table, "year")?, texts(table, "level")?);
        let (codes, names) = (maybe(table, "project_code"), maybe(table, "project_name"));
        let mut index = Self::default();
        for at in 0..table.num_rows() {
            let Some(rank) = rank(cell(Some(levels), at)) else { continue };
            let Ok(year) = cell(Some(years), at).parse::<i64>() else { continue };
            let list = index.0.entry((year, rank)).or_default();
            list.extend(
                [cell(codes, at), cell(names, at)].map(tidy).into_iter().filter(|text| !text.is_empty()),
            );
        }
        Ok(index)
    }
}
