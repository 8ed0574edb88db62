//! Cells that get their value from elsewhere: from the group they stand in, from the cell above, from a neighbour.
//!
//! Only empty cells are filled, and cells that say 同上. What was filled is told once for each group, run or cell.

use huiliu_stage::{Field, FieldType, Finding, RecordSchema, Severity, Text, cell_address, row_id};

use super::words::is_ditto;
use crate::read::chunk::{Chunk, Span};
use crate::read::header::Layout;
use crate::read::merged::Merged;

/// Most findings of one kind for one sheet.
const MOST_TOLD: usize = 200;

/// Values for the rows of a chunk from index `from` on, by field.
pub(super) type Given = (usize, Vec<(usize, String)>);

/// Fills the cells of one sheet.
#[derive(Debug, Default)]
pub(super) struct Filler {
    sheet: u32,
    /// Column of each field.
    columns: Vec<Option<usize>>,
    titles: Vec<String>,
    down: Vec<Down>,
    /// Columns of amounts, those that say which unit each is in, and the unit of an amount beside none.
    units: Vec<(usize, usize, String)>,
    /// Columns of days, and the fields for the plans of these days.
    plans: Vec<(usize, usize)>,
    /// The row above, for 同上; only kept while there is a reason.
    above: Vec<String>,
    told: usize,
}

/// A column in which an empty cell repeats the one above.
#[derive(Debug)]
struct Down {
    column: usize,
    /// The text above, and its row.
    above: (u32, String),
    /// The column's merged cells, first and last row. Where there are none, every empty cell repeats the one above.
    merged: Vec<(u32, u32)>,
}

impl Down {
    /// Whether an empty cell belongs to the text above.
    fn reaches(&self, row: u32) -> bool {
        let at = self.merged.partition_point(|(_, last)| *last < row);
        let within = self.merged.get(at).is_some_and(|&(first, _)| (first..=row).contains(&self.above.0));
        !self.above.1.is_empty() && (self.merged.is_empty() || within)
    }
}

impl Filler {
    pub(super) fn new(record: &RecordSchema, layout: &Layout, merged: &Merged, sheet: u32) -> Self {
        let columns: Vec<Option<usize>> = (0..record.fields.len()).map(|f| layout.column_of(f)).collect();
        let down = |(field, column): (&Field, &Option<usize>)| Some(((*column)?, field.fill_down));
        let down = record.fields.iter().zip(&columns).filter_map(down).filter(|(_, fill)| *fill);
        let plan = |(field, column): (&Field, &Option<usize>)| {
            let column = (*column).filter(|_| field.kind == FieldType::Date)?;
            let name = format!("plan_{}", field.name);
            let plan = record.fields.iter().position(|f| f.name == name && f.kind == FieldType::Date)?;
            Some((column, plan))
        };
        let plans = record.fields.iter().zip(&columns).filter_map(plan).collect();
        let last = layout.header_rows.last().copied().unwrap_or(0);
        let down = down.map(|(column, _)| Down {
            column,
            above: (0, String::new()),
            merged: merged.down(column, last).map(|range| (range.first_row, range.last_row)).collect(),
        });
        let down = down.collect();
        let titles = record.fields.iter().map(|field| field.title().to_owned()).collect();
        let units = units_beside(record, layout);
        Self { sheet, columns, titles, down, units, plans, above: Vec::new(), told: 0 }
    }

    /// Fills the chunk's cells. `given` are values from groups, in order of rows.
    pub(super) fn fill(&mut self, chunk: &mut Chunk, text: &str, given: &[Given]) {
        self.repeat(chunk, text);
        self.fill_down(chunk, text);
        self.add_units(chunk, text);
        self.move_plans(chunk, text);
        for (index, (from, values)) in given.iter().enumerate() {
            let to = given.get(index + 1).map_or(chunk.rows(), |(next, _)| *next);
            for (field, value) in values {
                self.give(chunk, *field, value, *from, to);
            }
        }
    }

    /// The column of a field.
    pub(super) fn column_of(&self, field: usize) -> Option<usize> {
        self.columns.get(field).copied().flatten()
    }

    /// A new group: what stood above is not continued.
    pub(super) fn forget(&mut self) {
        for down in &mut self.down {
            down.above.1.clear();
        }
    }

    fn give(&self, chunk: &mut Chunk, field: usize, value: &str, from: usize, to: usize) {
        if from >= to {
            return;
        }
        let span = chunk.aside(value);
        match self.column_of(field) {
            Some(column) => {
                for row in from..to {
                    chunk.fill_empty(row, column, span);
                }
            }
            None => {
                let cells = chunk.added(field);
                for cell in cells.iter_mut().take(to).skip(from).filter(|cell| cell.is_empty()) {
                    *cell = span;
                }
            }
        }
    }

    /// Puts the unit that stands beside an amount behind it.
    fn add_units(&self, chunk: &mut Chunk, text: &str) {
        for (column, unit, own) in &self.units {
            for row in 0..chunk.rows() {
                let view = chunk.view(text);
                let (amount, unit) = (view.get(row, *column).trim(), view.get(row, *unit).trim());
                if !amount.ends_with(|c: char| c.is_numeric()) {
                    continue;
                }
                if unit.is_empty() {
                    let id = Some(row_id(self.sheet, chunk.numbers[row]));
                    let text = no_unit(&cell_address(*column, chunk.numbers[row]), amount, own);
                    chunk.findings.push(Finding::new(id, Severity::Warning, "unit", text));
                    continue;
                }
                let span = chunk.aside(&format!("{amount}{unit}"));
                let at = row * chunk.width + column;
                if let Some(cell) = chunk.cells.get_mut(at) {
                    *cell = span;
                }
            }
        }
    }

    /// 同上 and 〃 repeat the cell above.
    fn repeat(&mut self, chunk: &mut Chunk, text: &str) {
        let width = chunk.width.max(1);
        let mut found = Vec::new();
        // Each cell of the file comes by here.
        let view = chunk.view(text);
        for (at, span) in chunk.cells.iter().enumerate() {
            if matches!(span.len(), 3 | 6) && is_ditto(view.text(*span)) {
                found.push(at);
            }
        }
        for at in found {
            let (row, column) = (at / width, at % width);
            let span = match row.checked_sub(1) {
                Some(above) => chunk.cells.get(above * width + column).copied().unwrap_or_default(),
                None => {
                    let text = self.above.get(column).cloned().unwrap_or_default();
                    chunk.aside(&text)
                }
            };
            let value = chunk.view(text).text(span).trim().to_owned();
            if let Some(cell) = chunk.cells.get_mut(at).filter(|_| !value.is_empty()) {
                *cell = span;
                let address = cell_address(column, chunk.numbers[row]);
                let zh = format!("{address} 写的是“同上”，按上一行的“{value}”读取");
                let en = format!("{address} repeats the cell above; `{value}` was taken");
                self.tell(chunk, row, "ditto", zh, en);
            }
        }
        if let Some(last) = chunk.rows().checked_sub(1) {
            self.above.clear();
            self.above.extend(chunk.view(text).row(last).map(str::to_owned));
        }
    }

    /// Merged cells hold their value in the first row only.
    fn fill_down(&mut self, chunk: &mut Chunk, text: &str) {
        let mut down = std::mem::take(&mut self.down);
        for down in &mut down {
            let column = down.column;
            let mut value = chunk.aside(&down.above.1);
            for row in 0..chunk.rows() {
                let number = chunk.numbers[row];
                let cell = chunk.view(text).get(row, column).trim().to_owned();
                if !cell.is_empty() {
                    value = chunk.cells.get(row * chunk.width + column).copied().unwrap_or_default();
                    down.above = (number, cell);
                } else if down.reaches(number) && !is_blank(chunk, text, row) {
                    chunk.fill_empty(row, column, value);
                    let (address, above) = (cell_address(column, number), &down.above.1);
                    let zh = format!("{address} 空白，按合并单元格取上方的“{above}”");
                    let en = format!("{address} is empty; `{above}` was taken from the merged cell above");
                    self.tell(chunk, row, "fill_down", zh, en);
                }
            }
        }
        self.down = down;
    }

    /// `计划6月` in the column of a day that has come belongs to the field of plans.
    fn move_plans(&mut self, chunk: &mut Chunk, text: &str) {
        for index in 0..self.plans.len() {
            let (column, plan) = self.plans[index];
            for row in 0..chunk.rows() {
                let cell = chunk.view(text).get(row, column);
                if cell.as_bytes().first().is_none_or(u8::is_ascii_digit) || !is_plan(cell) {
                    continue;
                }
                let cell = cell.trim().to_owned();
                let span = chunk.aside(&cell);
                match self.columns.get(plan).copied().flatten() {
                    Some(to) if chunk.view(text).get(row, to).trim().is_empty() => {
                        // Blanks would keep the plan out.
                        if let Some(cell) = chunk.cells.get_mut(row * chunk.width + to) {
                            *cell = span;
                        }
                    }
                    Some(_) => continue,
                    None => {
                        if let Some(to) = chunk.added(plan).get_mut(row) {
                            *to = span;
                        }
                    }
                }
                // It is no day that cannot be read, so nothing more is said of it.
                if let Some(from) = chunk.cells.get_mut(row * chunk.width + column) {
                    *from = Span::default();
                }
                let address = cell_address(column, chunk.numbers[row]);
                let title = self.titles.get(plan).map_or("", |title| title);
                let zh = format!("{address}“{cell}”是计划，已按“{title}”读取");
                let en = format!("{address} `{cell}` is a plan and was taken for {title}");
                self.tell(chunk, row, "plan", zh, en);
            }
        }
    }

    fn tell(&mut self, chunk: &mut Chunk, row: usize, code: &str, zh: String, en: String) {
        self.told += 1;
        if self.told <= MOST_TOLD {
            let id = row_id(self.sheet, chunk.numbers[row]);
            chunk.findings.push(Finding::new(Some(id), Severity::Info, code, Text::new(zh, en)));
        }
    }
}

fn is_plan(cell: &str) -> bool {
    let cell = cell.trim_start();
    let starts = ["计划", "预计", "拟", "力争", "争取", "预期"].iter().any(|word| cell.starts_with(word));
    starts && cell.chars().any(|c| c.is_numeric() || "一二三四五六七八九十".contains(c))
}

fn is_blank(chunk: &Chunk, text: &str, row: usize) -> bool {
    chunk.view(text).row(row).all(|cell| cell.trim().is_empty())
}

/// Each column of amounts without a unit of its own, with the next column of units behind it, or the only one, and the unit
/// of an amount beside which there is none.
fn units_beside(record: &RecordSchema, layout: &Layout) -> Vec<(usize, usize, String)> {
    let own = |column: usize| {
        let field = record.fields.get(layout.columns[column].field?)?;
        let free = layout.columns[column].unit.is_none() && field.kind == FieldType::Money;
        let sheet = layout.unit.as_ref().map(|unit| unit.name.clone());
        free.then(|| sheet.or_else(|| field.unit.clone()).unwrap_or_else(|| "万元".to_owned()))
    };
    let next = |column: usize| {
        let behind = layout.row_units.iter().find(|unit| **unit > column);
        Some((column, *behind.or(layout.row_units.first())?, own(column)?))
    };
    (0..layout.columns.len()).filter_map(next).collect()
}

/// Word of an amount beside which the column of units is empty.
fn no_unit(address: &str, amount: &str, own: &str) -> Text {
    Text::new(
        format!("{address}“{amount}”旁边的单位是空的，按“{own}”读取；请核对，并填写单位"),
        format!(
            "{address} `{amount}` has no unit beside it and was read in `{own}`; check it and write its unit"
        ),
    )
}
