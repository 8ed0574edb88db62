//! Which attachment belongs to which row.
//!
//! A row has the files that its evidence cells name, and all files in folders named after it (by the fields that the
//! options tell, such as the project's code or name). Names are compared without case, width and blanks; a name
//! without its ending will do. Nothing is matched by likeness: what is not found is told on its cell.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int64Type};
use huiliu_stage::{EXTRA, Finding, ROW, RecordSchema};
use unicode_normalization::UnicodeNormalization;

use super::Link;
use super::text;
use crate::read::options::FormatOptions;

/// Most links of a delivery.
const MOST_LINKS: usize = 200_000;
/// Words that stand in an evidence cell and name no file.
const NO_NAMES: [&str; 16] = [
    "无",
    "有",
    "暂无",
    "没有",
    "见附件",
    "详见附件",
    "附后",
    "已上传",
    "已提供",
    "齐全",
    "是",
    "否",
    "/",
    "-",
    "—",
    "n/a",
];
/// Most names in one cell.
const MOST_NAMES: usize = 500;
/// Shortest code that is looked for within a folder's name.
const CODE: usize = 10;

/// Links rows to the files of a package.
pub(super) struct Linker {
    /// Names of the fields that name files, and what people call them.
    fields: Arc<[(String, String)]>,
    folders: Arc<[String]>,
    paths: Vec<String>,
    /// The paths as they are compared, with and without the last ending.
    tidied: Vec<[String; 2]>,
    by_name: HashMap<String, Vec<usize>>,
    by_stem: HashMap<String, Vec<usize>>,
    by_folder: HashMap<String, Vec<usize>>,
    /// Whether there is anything besides tables.
    attachments: bool,
    linked: HashSet<(usize, i64, Option<String>)>,
    links: Vec<Link>,
    full: bool,
}

/// What a cell's name leads to.
enum Found {
    None,
    One(usize),
    Several(Vec<usize>),
}

impl Linker {
    /// For files with these paths, some of which are more than tables.
    pub(super) fn new<'a>(
        options: &FormatOptions,
        record: Option<&RecordSchema>,
        paths: impl Iterator<Item = &'a str>,
        attachments: bool,
    ) -> Self {
        let paths: Vec<String> = paths.map(str::to_owned).collect();
        let (mut by_name, mut by_stem, mut by_folder) = (HashMap::new(), HashMap::new(), HashMap::new());
        for (at, path) in paths.iter().enumerate() {
            let mut parts = path.rsplit('/');
            let name = parts.next().unwrap_or_default();
            push(&mut by_name, tidy(name), at);
            push(&mut by_stem, tidy(stem(name)), at);
            for key in parts.flat_map(folder_keys) {
                push(&mut by_folder, key, at);
            }
        }
        let title = |name: &String| {
            let field = record.and_then(|record| record.fields.iter().find(|field| field.name == *name));
            field.map_or_else(|| name.clone(), |field| field.title().to_owned())
        };
        let tidied = paths.iter().map(|path| [tidy(path), tidy(stem(path))]).collect();
        Self {
            tidied,
            fields: options.evidence.iter().map(|name| (name.clone(), title(name))).collect(),
            folders: options.folders.clone().into(),
            paths,
            by_name,
            by_stem,
            by_folder,
            attachments,
            linked: HashSet::new(),
            links: Vec::new(),
            full: false,
        }
    }

    /// Links the rows of a batch and adds what is to be said about them. Gives the rows that have attachments.
    pub(super) fn link(&mut self, batch: &RecordBatch, findings: &mut Vec<Finding>) -> Vec<i64> {
        let rows = batch.column_by_name(ROW).and_then(|rows| rows.as_primitive_opt::<Int64Type>());
        let Some(rows) = rows else { return Vec::new() };
        let before = self.links.len();
        for at in 0..batch.num_rows() {
            if self.full {
                break; // It was told; a sheet of a million rows need not be compared with all files for it.
            }
            self.link_row(batch, at, rows.value(at), findings);
        }
        let mut rows: Vec<i64> = self.links.iter().skip(before).map(|link| link.row).collect();
        rows.dedup();
        rows
    }

    /// Links the row at a place of a batch.
    pub(super) fn link_row(&mut self, batch: &RecordBatch, at: usize, row: i64, findings: &mut Vec<Finding>) {
        let folders = Arc::clone(&self.folders);
        let fields = Arc::clone(&self.fields);
        let mut own = HashSet::new();
        for name in folders.iter() {
            for value in texts(batch, name, at) {
                own.extend(self.by_folder.get(&key_of(&value)).into_iter().flatten().copied());
            }
        }
        for (name, title) in fields.iter() {
            for value in texts(batch, name, at) {
                self.cell(row, Some(name), title, &value, &own, findings);
            }
        }
        for (heading, value) in extras(batch, &fields, at) {
            self.cell(row, None, &heading, &value, &own, findings);
        }
        let mut own: Vec<usize> = own.into_iter().collect();
        own.sort_unstable();
        for file in own {
            if !self.linked_by_name(file, row) {
                self.add(file, row, None, findings);
            }
        }
    }

    /// The file that a name leads to, if it is one.
    pub(super) fn only(&self, name: &str) -> Option<usize> {
        match self.find(name, &HashSet::new()) {
            Found::One(file) => Some(file),
            Found::None | Found::Several(_) => None,
        }
    }

    /// The links so far.
    pub(super) fn links(&self) -> &[Link] {
        &self.links
    }

    /// Links, and which files have none.
    pub(super) fn finish(self) -> (Vec<Link>, HashSet<usize>) {
        let files = self.links.iter().map(|link| link.attachment).collect();
        (self.links, files)
    }

    fn cell(
        &mut self,
        row: i64,
        field: Option<&str>,
        heading: &str,
        value: &str,
        own: &HashSet<usize>,
        findings: &mut Vec<Finding>,
    ) {
        let names = self.names(value, own);
        if names.len() > MOST_NAMES {
            findings.push(text::too_many_names(row, field, MOST_NAMES));
        }
        for name in names.into_iter().take(MOST_NAMES) {
            match self.find(&name, own) {
                Found::One(file) => self.add(file, row, field, findings),
                Found::Several(files) => {
                    let paths: Vec<&str> = files.iter().map(|&file| self.paths[file].as_str()).collect();
                    findings.push(text::ambiguous(row, field, &name, &paths));
                    files.into_iter().for_each(|file| self.add(file, row, field, findings));
                }
                // What does not look like a file may be the name of a paper that is kept elsewhere.
                Found::None if self.attachments || is_file_name(&name) => {
                    findings.push(text::missing(row, field, heading, &name));
                }
                Found::None => {}
            }
        }
    }

    /// The names in a cell. Commas also stand in names, so each piece is tried whole before it is parted at them.
    fn names(&self, value: &str, own: &HashSet<usize>) -> Vec<String> {
        let mut names = Vec::new();
        let known = |piece: &str| !matches!(self.find(piece, own), Found::None);
        if known(value) {
            return vec![value.trim().to_owned()];
        }
        for piece in value.split([';', '；', '\n', '\r', '\t']) {
            if known(piece) {
                names.push(piece.trim().to_owned());
            } else {
                names.extend(piece.split([',', '，', '、']).map(|name| name.trim().to_owned()));
            }
        }
        names.retain(|name| !name.is_empty() && !NO_NAMES.contains(&name.to_lowercase().as_str()));
        names
    }

    fn find(&self, name: &str, own: &HashSet<usize>) -> Found {
        let name = name.trim().replace('\\', "/");
        let last = name.rsplit('/').next().unwrap_or_default();
        let wanted = tidy(&name);
        if wanted.is_empty() {
            return Found::None;
        }
        let last = tidy(last);
        let folders = wanted.len() > last.len();
        let tail = |file: &usize, which: usize| {
            let path = self.tidied.get(*file).and_then(|both| both.get(which)).map_or("", String::as_str);
            let before = path.strip_suffix(wanted.as_str());
            before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
        };
        for (which, index) in [&self.by_name, &self.by_stem].into_iter().enumerate() {
            let mut mine: Vec<usize> = own.iter().filter(|file| tail(file, which)).copied().collect();
            if mine.is_empty() {
                let all = index.get(&last).into_iter().flatten();
                mine = all.filter(|file| !folders || tail(file, which)).copied().collect();
            }
            mine.sort_unstable();
            match mine.as_slice() {
                [] => {}
                [one] => return Found::One(*one),
                _ => return Found::Several(mine),
            }
        }
        Found::None
    }

    fn linked_by_name(&self, file: usize, row: i64) -> bool {
        let fields = self.fields.iter().map(|(name, _)| Some(name.clone())).chain([None]);
        fields.into_iter().any(|field| self.linked.contains(&(file, row, field)))
    }

    fn add(&mut self, file: usize, row: i64, field: Option<&str>, findings: &mut Vec<Finding>) {
        let field = field.map(str::to_owned);
        if self.linked.contains(&(file, row, field.clone())) {
            return;
        }
        if self.links.len() >= MOST_LINKS {
            if !std::mem::replace(&mut self.full, true) {
                findings.push(text::too_many_links(MOST_LINKS));
            }
            return;
        }
        self.linked.insert((file, row, field.clone()));
        self.links.push(Link { attachment: file, row, field });
    }
}

fn push(index: &mut HashMap<String, Vec<usize>>, key: String, at: usize) {
    let places = index.entry(key).or_default();
    if places.last() != Some(&at) {
        places.push(at);
    }
}

/// A name as names are compared.
fn tidy(name: &str) -> String {
    let plain = name.nfkc().filter(|c| !c.is_whitespace() && !c.is_control());
    plain.flat_map(char::to_lowercase).collect()
}

/// A value as folders are compared with it: signs do not count.
fn key_of(value: &str) -> String {
    tidy(value).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// What a folder may be named after: all of its name, its name without a number in front, and codes in it.
fn folder_keys(folder: &str) -> Vec<String> {
    let whole = key_of(folder);
    let bare = folder.trim_start_matches(|c: char| c.is_ascii_digit() || ".、-_（）() ".contains(c));
    let mut keys = vec![whole, key_of(bare)];
    let code = |c: char| c.is_ascii_alphanumeric() || c == '-';
    keys.extend(folder.split(|c| !code(c)).map(key_of).filter(|key| key.len() >= CODE));
    keys.retain(|key| !key.is_empty());
    keys.sort();
    keys.dedup();
    keys
}

fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() && is_ending(ending) => stem,
        _ => name,
    }
}

fn is_ending(ending: &str) -> bool {
    (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_file_name(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.trim());
    ending.is_some_and(|e| is_ending(e) && e.bytes().any(|b| b.is_ascii_alphabetic()))
}

/// The texts of a field's cell: one, or the items of a list.
fn texts(batch: &RecordBatch, field: &str, at: usize) -> Vec<String> {
    let Some(column) = batch.column_by_name(field).filter(|column| column.is_valid(at)) else {
        return Vec::new();
    };
    match column.data_type() {
        DataType::Utf8 => {
            column.as_string_opt::<i32>().map(|texts| vec![texts.value(at).to_owned()]).unwrap_or_default()
        }
        DataType::List(_) => {
            let Some(items) = column.as_list_opt::<i32>().map(|lists| lists.value(at)) else {
                return Vec::new();
            };
            let Some(items) = items.as_string_opt::<i32>() else { return Vec::new() };
            items.iter().flatten().map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Texts under headings that the record schema does not know.
fn extras(batch: &RecordBatch, fields: &[(String, String)], at: usize) -> Vec<(String, String)> {
    let Some(extra) = batch.column_by_name(EXTRA).and_then(|c| c.as_string_opt::<i32>()) else {
        return Vec::new();
    };
    if extra.is_null(at) {
        return Vec::new();
    }
    let json = extra.value(at);
    if !fields.iter().any(|(name, _)| json.contains(name.as_str())) {
        return Vec::new();
    }
    let Ok(serde_json::Value::Object(values)) = serde_json::from_str(json) else { return Vec::new() };
    let wanted = values.into_iter().filter(|(key, _)| fields.iter().any(|(name, _)| name == key));
    wanted.filter_map(|(key, value)| Some((key, value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linker(paths: &[&str]) -> Linker {
        Linker::new(&FormatOptions::default(), None, paths.iter().copied(), true)
    }

    #[test]
    fn names_are_found_without_case_width_blanks_and_ending() {
        let linker = linker(&["材料/施工许可证.PDF", "合同(一,二).pdf", "a/照片.jpg", "b/照片.jpg"]);
        let find = |name: &str| match linker.find(name, &HashSet::new()) {
            Found::None => vec![],
            Found::One(file) => vec![file],
            Found::Several(files) => files,
        };
        assert_eq!(find("施工许可证.pdf"), [0]);
        assert_eq!(find(" 施工 许可证"), [0]);
        assert_eq!(find("材料\\施工许可证.ｐｄｆ"), [0]);
        assert_eq!(find("许可证.pdf"), [0_usize; 0]);
        assert_eq!(find("照片.jpg"), [2, 3]);
        assert_eq!(find("b/照片"), [3]);
        assert!(matches!(linker.find("照片.jpg", &HashSet::from([3])), Found::One(3)));
        let names = |cell: &str| linker.names(cell, &HashSet::new());
        assert_eq!(
            names("合同(一,二).pdf；照片.jpg、施工许可证\n无"),
            ["合同(一,二).pdf", "照片.jpg", "施工许可证"]
        );
        assert_eq!(names("见附件"), [""; 0]);
    }

    #[test]
    fn a_folder_is_named_after_a_row_by_code_or_name_with_or_without_a_number() {
        let linker = linker(&["包/2208-320412-89-01-011527 一号泵站/a.pdf", "2、二号泵站/b.pdf", "c.pdf"]);
        let of = |value: &str| linker.by_folder.get(&key_of(value)).cloned().unwrap_or_default();
        assert_eq!(of("2208-320412-89-01-011527"), [0]);
        assert_eq!(of("二号泵站"), [1]);
        assert_eq!(of("泵站"), [0_usize; 0]);
    }
}
