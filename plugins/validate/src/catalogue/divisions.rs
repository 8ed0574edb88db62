//! V05: places against the table of divisions (GB/T 2260 with towns, zones, other names and history; domain.md 2.3).
//!
//! A name is resolved by its whole text first, then by the names that stand in it: in 江苏省常州市武进区湖塘镇 the last one
//! counts. What is left behind it must not name a further unit (武进区某某镇 is not resolved by 武进区). A table need not
//! hold everything: below a province or county of which it has no part, any code may be right.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use hashbrown::{HashMap, HashSet};
use huiliu_stage::{Findings, Host, Problem, StageError, Text, column_index};
use serde::Deserialize;

use super::table::{Indexed, cell, maybe, texts};
use super::{CatalogueOptions, Check, Sight};
use crate::options::Options;
use crate::tell::{Kind, Note};

/// Most texts whose answer is remembered.
const REMEMBERED: usize = 100_000;

/// `divisions: {table: NAME, codes: […], names: […]}`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DivisionOptions {
    /// The reference table, with columns `code`, `name`, `parent`, `status` (`abolished`), `aliases` (parted by `;`), `note`.
    pub table: String,
    /// Fields with codes of 6, 9 or 12 digits.
    #[serde(default = "usual_codes")]
    pub codes: Vec<String>,
    /// Fields with names.
    #[serde(default = "usual_names")]
    pub names: Vec<String>,
}

fn usual_codes() -> Vec<String> {
    vec!["region_code".to_owned()]
}

fn usual_names() -> Vec<String> {
    vec!["region_name".to_owned()]
}

/// What a text says of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Known,
    Unknown,
    /// It is no more; what became of it.
    Abolished(String),
}

struct Place {
    abolished: Option<String>,
}

/// The table by codes and names.
#[derive(Default)]
struct Index {
    places: Vec<Place>,
    codes: HashMap<String, usize>,
    /// Full names and aliases, which also count within a longer text.
    names: HashMap<String, usize>,
    /// Names without 区, 镇 and the like, which count alone; not those that two places share.
    short: HashMap<String, Option<usize>>,
    /// Codes of six digits or provinces below which the table has something.
    parted: HashSet<String>,
    /// Characters of the longest name.
    longest: usize,
    remembered: HashMap<String, Answer>,
}

/// The check.
pub(super) struct Divisions {
    table: Indexed<Index>,
    columns: Vec<Column>,
}

struct Column {
    at: usize,
    code: bool,
    unknown: Option<Note>,
    abolished: Option<Note>,
}

impl Divisions {
    pub(super) fn of(
        own: &CatalogueOptions,
        schema: &SchemaRef,
        options: &Options,
        host: &dyn Host,
        problems: &mut Vec<Problem>,
    ) -> Option<Box<dyn Check>> {
        let chosen = own.divisions.as_ref()?;
        let mut table = Indexed::new(&chosen.table);
        if let Err(error) = table.now(host, Index::of) {
            problems.push(Problem { path: "catalogue.divisions.table".into(), message: error.to_string() });
        }
        let mut columns = Vec::new();
        for (key, names, code) in [("codes", &chosen.codes, true), ("names", &chosen.names, false)] {
            for (number, name) in names.iter().enumerate() {
                match column_index(schema, name) {
                    Ok(at) if schema.field(at).data_type() == &DataType::Utf8 => {
                        let note = |kind| Note::new(options, schema.field(at), kind);
                        let (unknown, abolished) =
                            (note(Kind::DivisionUnknown), note(Kind::DivisionAbolished));
                        columns.push(Column { at, code, unknown, abolished });
                    }
                    Ok(_) => problems.push(Problem {
                        path: format!("catalogue.divisions.{key}[{number}]"),
                        message: format!("`{name}` is no text"),
                    }),
                    Err(error) => problems.push(Problem {
                        path: format!("catalogue.divisions.{key}[{number}]"),
                        message: error.to_string(),
                    }),
                }
            }
        }
        Some(Box::new(Self { table, columns }))
    }
}

impl Check for Divisions {
    fn judge(&mut self, sight: &Sight<'_>, findings: &mut Findings) -> Result<(), StageError> {
        let index = self.table.now(sight.host, Index::of)?;
        for column in &self.columns {
            let cells = sight.batch.column(column.at).as_string::<i32>();
            for at in (0..cells.len()).filter(|&at| cells.is_valid(at)) {
                let text = cells.value(at);
                let (note, said) = match index.answer(text, column.code) {
                    Answer::Known => continue,
                    Answer::Unknown => (&column.unknown, unknown(column)),
                    Answer::Abolished(what) => (&column.abolished, gone(&what)),
                };
                if let Some(note) = note {
                    let said = Text::new(
                        format!("{}{}", note.title, said.zh),
                        format!("{} {}", note.title, said.en),
                    );
                    findings.push(note.about_value(sight.rows[at], text, said));
                }
            }
        }
        Ok(())
    }
}

fn unknown(column: &Column) -> Text {
    match column.code {
        true => Text::new(
            "不是已知的行政区划代码；请填6位或12位现行代码",
            "is no known division; give its code of 6 or 12 digits",
        ),
        false => Text::new(
            "认不出是哪个板块；请填区划或板块的全称，或请管理员登记这一别名",
            "is no place that is known; give its full name, or have this name added to the table",
        ),
    }
}

fn gone(what: &str) -> Text {
    let (zh, en) = match what.is_empty() {
        true => (String::new(), String::new()),
        // The table's notes are in English: `became 320412 武进区`, `merged into 320412 武进区`.
        false => {
            let told = what.replace("merged into ", "并入").replace("became ", "改为");
            (format!("（{told}）"), format!(" ({what})"))
        }
    };
    Text::new(
        format!("是已撤销的区划{zh}；请改填现行区划"),
        format!("is a division that is no more{en}; give the present one"),
    )
}

impl Index {
    fn of(table: &RecordBatch) -> Result<Self, StageError> {
        let (codes, names) = (texts(table, "code")?, texts(table, "name")?);
        let (status, parent) = (maybe(table, "status"), maybe(table, "parent"));
        let (aliases, note) = (maybe(table, "aliases"), maybe(table, "note"));
        let mut index = Self::default();
        // What is there now goes before what was: a name that both bear is that of the first.
        let gone = |at: &usize| cell(status, *at) == "abolished";
        let (before, now): (Vec<usize>, Vec<usize>) = (0..table.num_rows()).partition(gone);
        for at in now.into_iter().chain(before) {
            let place = index.places.len();
            let abolished = gone(&at).then(|| cell(note, at).to_owned());
            index.places.push(Place { abolished });
            let code = cell(Some(codes), at);
            index.codes.entry_ref(code).or_insert(place);
            let above = cell(parent, at);
            if !above.is_empty() {
                index.parted.insert(above.to_owned());
                index.parted.insert(province(above));
            }
            let own = cell(Some(names), at);
            for name in cell(aliases, at)
                .split([';', '；', '、'])
                .chain([own])
                .map(str::trim)
                .filter(|n| !n.is_empty())
            {
                index.longest = index.longest.max(name.chars().count());
                index.names.entry_ref(name).or_insert(place);
            }
            if let Some(short) = short(own) {
                let there = index.short.entry_ref(short).or_insert(Some(place));
                // An abolished place gives way to the one that bears the name now.
                if *there != Some(place) && index.places[place].abolished.is_none() {
                    *there = None;
                }
            }
        }
        Ok(index)
    }

    fn answer(&mut self, text: &str, code: bool) -> Answer {
        if let Some(answer) = self.remembered.get(text) {
            return answer.clone();
        }
        let tidy: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let answer = match tidy.is_empty() {
            true => Answer::Known, // Nothing is said of what is not there.
            false if code || tidy.bytes().all(|b| b.is_ascii_digit()) => self.by_code(&tidy),
            false => self.by_names(&tidy),
        };
        if self.remembered.len() < REMEMBERED {
            self.remembered.insert(text.to_owned(), answer.clone());
        }
        answer
    }

    fn of_place(&self, place: usize) -> Answer {
        match &self.places[place].abolished {
            None => Answer::Known,
            Some(what) => Answer::Abolished(what.clone()),
        }
    }

    fn by_code(&self, code: &str) -> Answer {
        if !matches!(code.len(), 6 | 9 | 12) || !code.bytes().all(|b| b.is_ascii_digit()) {
            return Answer::Unknown;
        }
        let bare = |code: &str| {
            if code.len() == 6 { code.to_owned() } else { code.trim_end_matches("000").to_owned() }
        };
        let exact = self.codes.get(code).or_else(|| {
            let wanted = bare(code);
            // A town may be written with 9 digits or with 12; a county with zeros behind it.
            [wanted.clone(), format!("{wanted}000")].iter().find_map(|form| self.codes.get(form))
        });
        if let Some(&place) = exact {
            return self.of_place(place);
        }
        let county = &code[..6];
        match code.len() {
            6 if self.codes.contains_key(&province(county)) && !self.parted.contains(&province(county)) => {
                Answer::Known
            }
            6 => Answer::Unknown,
            _ if self.parted.contains(county) => Answer::Unknown,
            _ => self.by_code(county),
        }
    }

    /// One or more places; the worst answer counts.
    fn by_names(&self, text: &str) -> Answer {
        let whole = |text: &str| {
            let place = self.names.get(text).copied().or_else(|| self.short.get(text).copied().flatten());
            place.map(|place| self.of_place(place))
        };
        if let Some(answer) = whole(text) {
            return answer;
        }
        let mut gone = None;
        for part in text.split(['、', '，', ',', '；', ';', '/', '和']).filter(|part| !part.is_empty()) {
            match whole(part).unwrap_or_else(|| self.within(part)) {
                Answer::Unknown => return Answer::Unknown,
                Answer::Abolished(what) => gone = Some(Answer::Abolished(what)),
                Answer::Known => {}
            }
        }
        gone.unwrap_or(Answer::Known)
    }

    /// The last of the names that stand in a text, longest first where several begin alike.
    fn within(&self, text: &str) -> Answer {
        let chars: Vec<char> = text.chars().collect();
        let (mut at, mut last) = (0, None);
        while at < chars.len() {
            let most = self.longest.min(chars.len() - at);
            let found = (2..=most).rev().find_map(|length| {
                let name: String = chars[at..at + length].iter().collect();
                self.names.get(&name).map(|place| (at + length, *place))
            });
            match found {
                Some((end, place)) => {
                    last = Some((end, place));
                    at = end;
                }
                None => at += 1,
            }
        }
        let Some((end, place)) = last else { return Answer::Unknown };
        let rest: String = chars[end..].iter().collect();
        const UNITS: [&str; 9] = ["镇", "乡", "街道", "开发区", "园区", "度假区", "新区", "区", "县"];
        // The name of a further unit, which the table does not know.
        match UNITS.iter().any(|unit| rest.ends_with(unit)) {
            true => Answer::Unknown,
            false => self.of_place(place),
        }
    }
}

/// The code of the province in which a code lies.
fn province(code: &str) -> String {
    format!("{}0000", code.get(..2).unwrap_or_default())
}

/// A name without the word for its kind, if enough is left.
fn short(name: &str) -> Option<&str> {
    let kinds = ["自治区", "街道", "省", "市", "区", "县", "镇", "乡"];
    let bare = kinds.iter().find_map(|kind| name.strip_suffix(kind))?;
    (bare.chars().count() >= 2).then_some(bare)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    fn index() -> Index {
        let rows = [
            ["320000", "江苏省", "", "in_use", "", ""],
            ["330000", "浙江省", "", "in_use", "", ""],
            ["320400", "常州市", "320000", "in_use", "", ""],
            ["320412", "武进区", "320400", "in_use", "", ""],
            ["320483", "武进市", "320400", "abolished", "", "became 320412 武进区"],
            ["320412100000", "湖塘镇", "320412", "in_use", "", ""],
            ["320412411000", "高新区", "320412", "in_use", "武高新;武进高新区", ""],
        ];
        let names = ["code", "name", "parent", "status", "aliases", "note"];
        let columns = names.iter().enumerate().map(|(at, name)| {
            let cells: StringArray = rows.iter().map(|row| Some(row[at])).collect();
            (*name, Arc::new(cells) as ArrayRef)
        });
        Index::of(&RecordBatch::try_from_iter(columns).unwrap()).unwrap()
    }

    #[test]
    fn places_are_known_by_name_other_name_address_and_code() {
        let gone = || Answer::Abolished("became 320412 武进区".into());
        let mut index = index();
        for (text, expected) in [
            ("湖塘镇", Answer::Known),
            ("湖塘", Answer::Known),
            ("武高新", Answer::Known),
            (" 武进 ", Answer::Known), // The county of today, not the city that was.
            ("武进市", gone()),
            ("江苏省常州市武进区湖塘镇长虹路1号", Answer::Known),
            ("武进区某某镇", Answer::Unknown),
            ("湖塘镇、武高新", Answer::Known),
            ("湖塘镇、火星镇", Answer::Unknown),
            ("火星", Answer::Unknown),
            ("320412", Answer::Known),
            ("320483", gone()),
            ("320412100000", Answer::Known),
            ("320412100", Answer::Known),
            ("320412999000", Answer::Unknown),
            ("320499", Answer::Unknown),
            ("330106", Answer::Known), // The table has nothing below this province.
            ("990101", Answer::Unknown),
        ] {
            assert_eq!(index.answer(text, false), expected, "{text}");
        }
        assert_eq!(index.answer("湖塘", true), Answer::Known, "what is remembered is remembered by text");
    }
}
