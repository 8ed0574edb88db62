//! What an office program sees in the workbook that was sent and in the marked copy of it: LibreOffice opens both and
//! writes down all it knows of them, and the two must agree in all but the marks.
//!
//! Compared are the widths of columns, heights of rows, merged cells, formulas with their results, values, the whole look of every cell
//! (fonts, borders, number formats), the chart with its data, the picture, notes, conditional formats, lists of allowed values,
//! named ranges and which sheets are shown; of a plain workbook, one whose first sheet is hidden, and one of the strict kind.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use quick_xml::events::Event;

use super::super::Language;
use super::super::sample::sample;
use super::tests::{altered, answered, parts, rich};

/// An element of the document.
#[derive(Clone, Debug, Default)]
struct Node {
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Node>,
    text: String,
}

impl Node {
    fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }

    fn number(&self, name: &str) -> usize {
        self.get(name).parse().unwrap_or(1)
    }

    /// All elements of this name below, in order.
    fn all<'a>(&'a self, name: &str, found: &mut Vec<&'a Node>) {
        for child in &self.children {
            if child.name == name {
                found.push(child);
            }
            child.all(name, found);
        }
    }

    fn find(&self, name: &str) -> Vec<&Node> {
        let mut found = Vec::new();
        self.all(name, &mut found);
        found
    }

    /// All text within.
    fn words(&self) -> String {
        self.text.clone() + &self.children.iter().map(Self::words).collect::<String>()
    }

    /// As text, without the names of styles, which are numbered anew in each document.
    fn show(&self) -> String {
        let plain = |(key, value): (&String, &String)| format!(" {key}={value:?}");
        let named = |key: &str| key.ends_with("style-name") || key.ends_with(":id") || key == "style:name";
        let attributes: String = self.attributes.iter().filter(|(key, _)| !named(key)).map(plain).collect();
        let children: String = self.children.iter().map(Self::show).collect();
        format!("<{}{attributes}>{}{children}</>", self.name, self.text.trim())
    }
}

/// An XML text as elements.
fn parse(text: &str) -> Node {
    let mut reader = quick_xml::Reader::from_str(text);
    let mut open = vec![Node::default()];
    loop {
        let (tag, empty) = match reader.read_event().unwrap() {
            Event::Eof => return open.remove(0),
            Event::Start(tag) => (tag, false),
            Event::Empty(tag) => (tag, true),
            Event::End(_) => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
                continue;
            }
            Event::Text(text) => {
                open.last_mut().unwrap().text.push_str(&text);
                continue;
            }
            _ => continue,
        };
        let attributes = tag.attributes().map(|attribute| {
            let attribute = attribute.unwrap();
            (attribute.key.into_inner().to_owned(), attribute.value.into_owned())
        });
        let node = Node {
            name: tag.name().into_inner().to_owned(),
            attributes: attributes.collect(),
            ..Node::default()
        };
        match empty {
            true => open.last_mut().unwrap().children.push(node),
            false => open.push(node),
        }
    }
}

/// A sheet as LibreOffice sees it, line by line; the look of cells and their notes apart, by address.
#[derive(Debug, Default)]
struct Seen {
    lines: Vec<String>,
    looks: BTreeMap<(usize, usize), String>,
    notes: BTreeMap<(usize, usize), String>,
}

/// Names of styles and what they mean.
struct Styles(BTreeMap<String, String>);

impl Styles {
    fn of(document: &Node) -> Self {
        let mut formats = BTreeMap::new();
        for kind in ["number", "currency", "percentage", "date", "time", "boolean", "text"] {
            for style in document.find(&format!("number:{kind}-style")) {
                formats.insert(style.get("style:name").to_owned(), style.show());
            }
        }
        let mut styles = BTreeMap::new();
        for style in document.find("style:style") {
            let format = formats.get(style.get("style:data-style-name")).cloned().unwrap_or_default();
            styles.insert(style.get("style:name").to_owned(), format!("{}{format}", style.show()));
        }
        Self(styles)
    }

    fn look(&self, name: &str) -> String {
        self.0.get(name).cloned().unwrap_or_default()
    }
}

/// What LibreOffice writes down of a workbook.
fn document(folder: &Path, name: &str, bytes: &[u8]) -> Node {
    let file = folder.join(format!("{name}.xlsx"));
    std::fs::write(&file, bytes).unwrap();
    let profile = format!("-env:UserInstallation=file://{}/profile", folder.display());
    let run = Command::new("soffice")
        .args([&profile, "--headless", "--convert-to", "fods", "--outdir"])
        .args([folder, &*file])
        .output()
        .unwrap();
    let made = std::fs::read_to_string(folder.join(format!("{name}.fods")));
    parse(&made.unwrap_or_else(|error| panic!("soffice made nothing: {error}, {run:?}")))
}

/// What is seen of the sheet of this name.
fn sheet(document: &Node, name: &str) -> Seen {
    let styles = Styles::of(document);
    let tables = document.find("table:table");
    let table = tables.iter().find(|table| table.get("table:name") == name).unwrap();
    let mut seen = Seen::default();
    for column in table.find("table:table-column") {
        let look = styles.look(column.get("table:style-name"));
        seen.lines.push(format!("column ×{} {look}", column.number("table:number-columns-repeated")));
    }
    let lists: BTreeMap<&str, &str> = document
        .find("table:content-validation")
        .iter()
        .map(|list| (list.get("table:name"), list.get("table:condition")))
        .collect();
    let mut at = 0;
    for row in table.find("table:table-row") {
        let rows = row.number("table:number-rows-repeated");
        seen.lines.push(format!("row {at} ×{rows} {}", styles.look(row.get("table:style-name"))));
        let mut column = 0;
        for cell in row.children.iter().filter(|child| child.name.ends_with("table-cell")) {
            let columns = cell.number("table:number-columns-repeated");
            if rows < 1000 && columns < 1000 {
                for place in (0..rows).flat_map(|r| (0..columns).map(move |c| (at + r, column + c))) {
                    seen.looks.insert(place, styles.look(cell.get("table:style-name")));
                    seen.cell(place, cell, &lists);
                }
            }
            column += columns;
        }
        at += rows;
    }
    for part in ["draw:frame", "calcext:conditional-format"] {
        seen.lines.extend(table.find(part).iter().map(|part| part.show()));
    }
    seen
}

impl Seen {
    fn cell(&mut self, place: (usize, usize), cell: &Node, lists: &BTreeMap<&str, &str>) {
        let told = [
            "table:formula",
            "office:value",
            "office:value-type",
            "table:number-columns-spanned",
            "table:number-rows-spanned",
        ];
        let told: Vec<&str> = told.map(|key| cell.get(key)).into();
        let texts: Vec<String> =
            cell.children.iter().filter(|c| c.name == "text:p").map(Node::show).collect();
        for note in cell.children.iter().filter(|child| child.name == "office:annotation") {
            let lines = note.find("text:p").into_iter().map(Node::words).collect::<Vec<_>>();
            self.notes.insert(place, lines.join("\n"));
        }
        let list = lists.get(cell.get("table:content-validation-name")).unwrap_or(&"");
        if told.iter().any(|text| !text.is_empty()) || !texts.is_empty() || !list.is_empty() {
            self.lines.push(format!("cell {place:?} {} {told:?} {texts:?} {list}", cell.name));
        }
    }
}

/// A look without the colour behind the cell, and without the turn of text by no degrees, which LibreOffice tells of
/// each cell that has a look of its own.
fn without_colour(look: &str) -> String {
    let colour = regex::Regex::new(" fo:background-color=\"[^\"]*\"| style:rotation-align=\"none\"").unwrap();
    colour.replace_all(look, "").into_owned()
}

/// Whether there is an office program to ask.
fn is_there() -> bool {
    let there = Command::new("soffice").arg("--version").output().is_ok();
    if !there {
        eprintln!("NOT CHECKED: soffice is not installed; ./tests/run installs it where it may");
    }
    there
}

/// Compares what LibreOffice sees in a workbook of the kind of [`rich`] and in the marked copy of it; gives both.
fn compare(sent: &[u8]) -> [Node; 2] {
    let folder = tempfile::tempdir().unwrap();
    let copy = answered(&sample("xlsx", Language::Zh), sent);
    let (before, after) = (document(folder.path(), "sent", sent), document(folder.path(), "copy", &copy));
    for name in ["说明", "项目", "空"] {
        let (old, new) = (sheet(&before, name), sheet(&after, name));
        for (line, (old, new)) in old.lines.iter().zip(&new.lines).enumerate() {
            assert_eq!(old, new, "line {line} of {name}");
        }
        assert_eq!(old.lines.len(), new.lines.len());
        // C3, and B4 to B7, which are one merged cell. The first has had a note of the sender's.
        let expected: &[(usize, usize)] = if name == "项目" { &[(2, 2), (3, 1)] } else { &[] };
        compare_looks(name, &old, &new, expected);
        compare_notes(name, &old, &new, expected);
    }
    // The cell that names are relative to is in the first sheet, which is now the summary; these are absolute.
    let ranges = |document: &Node| -> Vec<String> {
        let told =
            |range: &&Node| format!("{} {}", range.get("table:name"), range.get("table:cell-range-address"));
        document.find("table:named-range").iter().map(told).collect()
    };
    assert_eq!(ranges(&before), ranges(&after));
    assert_eq!(ranges(&before).len(), 2);
    [before, after]
}

/// Marked cells have another colour, and no cell looks different in any other way.
fn compare_looks(name: &str, before: &Seen, after: &Seen, expected: &[(usize, usize)]) {
    let marked: Vec<_> =
        before.looks.iter().filter(|(at, look)| after.looks.get(*at) != Some(*look)).collect();
    for (at, look) in &marked {
        let new = &after.looks[*at];
        assert_eq!(without_colour(look), without_colour(new), "{name} {at:?}");
        assert_ne!(look, &new, "it is coloured");
    }
    let marked: Vec<(usize, usize)> = marked.into_iter().map(|(at, _)| *at).collect();
    assert_eq!(marked, expected, "{name}");
}

/// Marked cells have a note, behind the sender's own if there was one; all other notes are the sender's.
fn compare_notes(name: &str, before: &Seen, after: &Seen, expected: &[(usize, usize)]) {
    for (at, note) in &after.notes {
        let old = before.notes.get(at).map_or("", String::as_str);
        assert!(note.starts_with(old), "{name} {at:?}: {old} has become {note}");
        assert_eq!(note != old, expected.contains(at), "{name} {at:?}: {note}");
    }
    let places: Vec<_> = before.notes.keys().chain(expected).collect();
    assert!(places.iter().all(|at| after.notes.contains_key(*at)), "{name}: {:?}", after.notes);
}

/// The sheets in their order, and of each whether it is shown; a chart has a table of its own.
fn shown(document: &Node) -> Vec<String> {
    let styles = Styles::of(document);
    let told = |table: &&Node| {
        let hidden = styles.look(table.get("table:style-name")).contains("table:display=\"false\"");
        format!("{}{}", table.get("table:name"), if hidden { " hidden" } else { "" })
    };
    document
        .find("table:table")
        .iter()
        .filter(|table| table.get("table:name") != "local-table")
        .map(told)
        .collect()
}

#[test]
fn libreoffice_sees_the_same_in_the_copy_but_for_the_marks() {
    if !is_there() {
        return;
    }
    let [before, after] = compare(&rich());
    assert_eq!(shown(&before), ["说明", "项目", "空"]);
    assert_eq!(shown(&after), ["回执", "说明", "项目", "空"]);
    // That there is something to compare at all.
    let seen = sheet(&before, "项目");
    let all = seen.lines.join("\n");
    let parts = [
        "of:=SUM",           // a formula
        "\"4\"",             // and its result
        "chart:chart",       // a chart
        "chart:series",      // and what it shows
        "column-width",      // widths
        "row-height",        // and heights
        "\"3\"",             // a cell as wide as three
        "\"4\"",             // and one as high as four
        "calcext:condition", // a look that depends on values
        "是",                // a list of values
        "2.5",               // a value
    ];
    for part in parts {
        assert!(all.contains(part), "no {part} in {all}");
    }
    let looks: String = seen.looks.values().cloned().collect();
    assert!(looks.contains("font-weight=\"bold\"") && looks.contains("number:decimal-places=\"2\""));
    assert!(!seen.notes.is_empty() && !sheet(&before, "说明").notes.is_empty());
}

#[test]
fn a_hidden_first_sheet_stays_hidden_and_the_summary_is_shown() {
    if !is_there() {
        return;
    }
    let sent = altered(&rich(), |name, text| match name {
        "xl/workbook.xml" => Some(
            text.replace("<sheet name=\"说明\"", "<sheet state=\"hidden\" name=\"说明\"")
                .replace("<workbookView ", "<workbookView activeTab=\"1\" firstSheet=\"1\" "),
        ),
        _ => Some(text),
    });
    let [before, after] = compare(&sent);
    assert_eq!(shown(&before), ["说明 hidden", "项目", "空"]);
    assert_eq!(shown(&after), ["回执", "说明 hidden", "项目", "空"]);
    // LibreOffice does not write down which sheet it would show.
    let book = parts(&answered(&sample("xlsx", Language::Zh), &sent)).remove("xl/workbook.xml").unwrap();
    assert!(!book.contains("activeTab") && !book.contains("firstSheet"), "{book}");
}

#[test]
fn a_workbook_of_the_strict_kind_stays_what_it_is() {
    if !is_there() {
        return;
    }
    let strict = |text: &str| {
        let office = "http://schemas.openxmlformats.org";
        text.replace(
            &format!("{office}/spreadsheetml/2006/main"),
            "http://purl.oclc.org/ooxml/spreadsheetml/main",
        )
        .replace(
            &format!("{office}/officeDocument/2006/relationships/extended-properties"),
            "http://purl.oclc.org/ooxml/officeDocument/relationships/extendedProperties",
        )
        .replace(
            &format!("{office}/officeDocument/2006/relationships"),
            "http://purl.oclc.org/ooxml/officeDocument/relationships",
        )
        .replace(&format!("{office}/drawingml/2006/"), "http://purl.oclc.org/ooxml/drawingml/")
        .replace("<workbook ", "<workbook conformance=\"strict\" ")
    };
    let sent = altered(&rich(), |_, text| Some(strict(&text)));
    let [_, after] = compare(&sent);
    assert_eq!(shown(&after), ["回执", "说明", "项目", "空"]);
    let all = sheet(&after, "项目").lines.join("\n");
    assert!(all.contains("chart:series") && all.contains("of:=SUM"), "{all}");
    let book = parts(&answered(&sample("xlsx", Language::Zh), &sent)).remove("xl/workbook.xml").unwrap();
    assert!(
        book.contains("conformance=\"strict\"") && !book.contains("schemas.openxmlformats.org"),
        "{book}"
    );
}
