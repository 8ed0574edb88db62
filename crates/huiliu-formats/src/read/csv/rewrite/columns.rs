//! Files whose columns stand one under the other, filled up with blanks: what programs print and clerks type.
//!
//! A column ends where a blank stands in every line of the table, its header included. Blanks line up by chance in a few
//! lines of prose, so each column must have a name and the lines must be filled up as prose never is.

use super::super::lex::record;
use super::super::table::{LONGEST_CELL, Plan};
use super::{each_line, put_row};

/// Lines that are looked at, and the least number that tells anything.
const LOOKED_AT: usize = 400;
const LEAST: usize = 3;
/// Lines with which a gap of a single blank is no chance.
const SURE: usize = 6;
/// Most lines before the table, and behind it, without a blank line between.
const MOST_BEFORE: usize = 5;
const MOST_BEHIND: usize = 2;

/// Where the columns of a file begin, in characters or in the places that a screen gives them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::read::csv) struct Columns {
    starts: Vec<usize>,
    /// A Chinese character takes two places.
    wide: bool,
}

impl Columns {
    /// The columns of a sample that the plan's delimiter does not cut evenly.
    pub(super) fn of(sample: &str, plan: &Plan, whole: bool) -> Option<Self> {
        let end = if whole { sample.len() } else { sample.rfind('\n')? };
        let text = &sample[..end];
        if text.contains('\t') || is_even(text, plan) {
            return None;
        }
        let mut blocks: Vec<Vec<&str>> = vec![Vec::new()];
        for line in text.lines().take(LOOKED_AT) {
            match (line.trim().is_empty(), blocks.last_mut()) {
                (false, Some(last)) => last.push(line),
                (true, Some(last)) if !last.is_empty() => blocks.push(Vec::new()),
                _ => {}
            }
        }
        let block = blocks.into_iter().rev().max_by_key(Vec::len)?;
        for before in 0..=MOST_BEFORE {
            for behind in 0..=MOST_BEHIND {
                let lines = block.get(before..block.len().saturating_sub(behind)).unwrap_or_default();
                if lines.len() < LEAST {
                    break;
                }
                let found = [false, true].into_iter().filter_map(|wide| columns_of(lines, wide));
                if let Some(columns) = found.max_by_key(|columns| (columns.starts.len(), !columns.wide)) {
                    return Some(columns);
                }
            }
        }
        None
    }

    /// The columns that a line of strokes below the names draws, as database clients do, if the rows stand in them.
    pub(super) fn ruled(sample: &str, whole: bool) -> Option<Self> {
        let end = if whole { sample.len() } else { sample.rfind('\n')? };
        let lines = || sample[..end].lines().take(LOOKED_AT);
        let drawn = |line: &str| line.contains("--") && line.chars().all(|c| matches!(c, '-' | ' '));
        let at = lines().position(drawn).filter(|at| (1..=MOST_BEFORE + 1).contains(at))?;
        let rule = lines().nth(at)?;
        let begins = |at: &usize| rule[*at..].starts_with('-') && (*at == 0 || rule[..*at].ends_with(' '));
        let starts: Vec<usize> = (0..rule.len()).filter(begins).collect();
        let rows: Vec<&str> = lines().skip(at + 1).take_while(|line| !line.trim().is_empty()).collect();
        let names = lines().nth(at - 1).filter(|names| !names.trim().is_empty())?;
        let fits = |columns: &Self| {
            let like = rows.iter().filter(|row| columns.cut(row).is_some()).count();
            let named = columns.cut(names).is_some_and(|names| names.iter().all(|name| !name.is_empty()));
            named && !rows.is_empty() && like * 20 >= rows.len() * 19
        };
        let mut found = [false, true].into_iter().map(|wide| Self { starts: starts.clone(), wide });
        found.find(|columns| columns.width() > 1 && fits(columns))
    }

    /// Whether a line is cut into these cells; one of blanks or a rule is not cut.
    pub(super) fn cuts(&self, line: &str, cells: &[&str]) -> bool {
        line.trim().is_empty() || is_rule(line) || self.cut(line).is_some_and(|found| found == cells)
    }

    /// How many they are.
    pub(super) fn width(&self) -> usize {
        self.starts.len()
    }

    /// Writes lines as cells with commas between; see [`Rewrite::write`](super::Rewrite::write).
    pub(super) fn write(&self, text: &str, over: bool, into: &mut String) -> usize {
        each_line(text, over, |line| self.write_line(line, into))
    }

    fn write_line(&self, line: &str, into: &mut String) {
        if is_rule(line) {
            into.push('\n');
            return;
        }
        let cells = match self.cut(line) {
            Some(cells) => cells,
            // A note, or a row that is shifted: not cut where a word stands.
            None => vec![line.trim()],
        };
        put_row(&cells, into);
    }

    /// The cells of a line, unless a word stands where one column ends and the next begins.
    fn cut<'a>(&self, line: &'a str) -> Option<Vec<&'a str>> {
        if line.trim().is_empty() {
            return None;
        }
        let (mut cells, mut from, mut place, mut last) = (Vec::new(), 0, 0, ' ');
        let mut starts = self.starts.iter().skip(1).peekable();
        for (at, c) in line.char_indices() {
            if starts.peek().is_some_and(|start| **start <= place) {
                if last != ' ' {
                    return None;
                }
                cells.push(line[from..at].trim());
                from = at;
                starts.next();
            }
            place += width(c, self.wide);
            last = c;
        }
        cells.push(line[from..].trim());
        cells.resize(self.starts.len(), "");
        Some(cells)
    }
}

/// Places that a character takes.
pub(super) fn width(c: char, wide: bool) -> usize {
    if wide
        && matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}')
    {
        2
    } else {
        1
    }
}

/// A line under the names: `----- ----`, or one between rows.
pub(super) fn is_rule(line: &str) -> bool {
    (line.contains("---") || line.contains("===")) && line.chars().all(|c| matches!(c, '-' | '=' | '+' | ' '))
}

/// Whether the plan's delimiter cuts all lines alike, with something in every cell.
fn is_even(text: &str, plan: &Plan) -> bool {
    let delimiter = plan.form.delimiter.as_str();
    let width = plan.outline.width;
    // Single blanks between cells, some of them empty: blanks that set columns are not as many in each line.
    if width > 3 {
        let (mut at, mut like, mut count) = (0, 0, 0);
        while at < text.len() {
            let found = record(text, at, &plan.form, LONGEST_CELL);
            at = found.next.max(at + 1);
            count += usize::from(!found.is_blank());
            like += usize::from(found.cells.len() == width && !found.odd);
        }
        if like * 20 >= count * 19 {
            return true;
        }
    }
    let filled = || text.lines().filter(|line| !line.trim().is_empty());
    let cells = |line: &str| line.split(delimiter).count();
    let first = filled().next().map_or(0, cells);
    first > 1
        && filled().all(|line| cells(line) == first && line.split(delimiter).all(|cell| !cell.is_empty()))
}

/// The columns that these lines stand in, if they do.
fn columns_of(lines: &[&str], wide: bool) -> Option<Columns> {
    let places = |line: &str| {
        let each = line.chars().flat_map(|c| std::iter::repeat_n(c != ' ', width(c, wide)));
        each.collect::<Vec<bool>>()
    };
    let rows: Vec<Vec<bool>> = lines.iter().filter(|line| !is_rule(line)).map(|line| places(line)).collect();
    let longest = rows.iter().map(Vec::len).max()?;
    let inked = |place: usize| rows.iter().any(|row| row.get(place).copied().unwrap_or(false));
    // Runs of places with text in any line.
    let (mut starts, mut ends): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    for place in 0..longest {
        let before = place > 0 && inked(place - 1);
        match (before, inked(place)) {
            (false, true) => starts.push(place),
            (true, false) => ends.push(place),
            _ => {}
        }
    }
    ends.push(longest);
    let (head, body) = rows.split_first()?;
    let has = |row: &Vec<bool>, from: usize, to: usize| row.iter().take(to).skip(from).any(|ink| *ink);
    // A blank that stands in all cells of a column begins none, if no name stands behind it.
    for at in (1..starts.len()).rev() {
        if starts[at] - ends[at - 1] == 1 && !has(head, starts[at], ends[at]) {
            starts.remove(at);
            ends.remove(at - 1);
        }
    }
    let named = starts.iter().zip(&ends).all(|(&from, &to)| has(head, from, to));
    let chance = ends.iter().zip(starts.iter().skip(1)).any(|(&end, &start)| start - end < 2);
    // Cells shorter than their column, with blanks up to the next one.
    let padded = body.iter().filter(|row| row.windows(3).any(|three| three == [false, false, true])).count();
    let full = starts
        .iter()
        .zip(&ends)
        .filter(|&(&from, &to)| body.iter().filter(|row| has(row, from, to)).count() * 2 >= body.len());
    let many = rows.len() >= if chance { SURE } else { LEAST };
    let sound =
        starts.len() > 1 && named && many && padded * 2 >= body.len() && full.count() * 2 > starts.len();
    sound.then_some(Columns { starts, wide })
}
