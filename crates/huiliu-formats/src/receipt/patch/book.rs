//! The workbook part, its styles and sheets, and the list of content types: where a new sheet is made known.

use super::package::{Package, Relations, main_space, relations_space};
use super::xml::{Kind, Splices, attribute, escape, number, prefix, relation, walk, with};
use super::{PatchError, Texts, unfit};

/// The workbook part.
pub(super) struct Book {
    part: String,
    text: String,
    links: Relations,
    /// Name and part of every worksheet, in order.
    pub(super) sheets: Vec<(String, String)>,
    /// Names of all sheets, charts too.
    names: Vec<String>,
    max_id: u32,
    /// Whether it is of the strict kind of the format.
    pub(super) strict: bool,
}

impl Book {
    pub(super) fn read(package: &mut Package) -> Result<Self, PatchError> {
        let roots = Relations::of(package, "")?;
        let Some(root) = roots.by_kind("officeDocument").cloned() else {
            return unfit("it has no workbook");
        };
        let Some(part) = package.find(&root.part)? else { return unfit("its workbook is missing") };
        let text = package.text(&part)?;
        let links = Relations::of(package, &part)?;
        let (mut sheets, mut names, mut max_id, mut listed) = (Vec::new(), Vec::new(), 0, false);
        walk(&text, |node| {
            listed |= node.begins(1, "sheets");
            if !node.begins(2, "sheet") {
                return Ok(());
            }
            let name = attribute(&node.tag, "name")?.unwrap_or_default();
            max_id = max_id.max(number(&node.tag, "sheetId")?.unwrap_or(0));
            let link = relation(&node.tag)?.and_then(|id| links.by_id(&id));
            if let Some(link) = link.filter(|link| link.kind == "worksheet") {
                sheets.push((name.clone(), link.part.clone()));
            }
            names.push(name);
            Ok(())
        })?;
        for (_, part) in &mut sheets {
            match package.find(part)? {
                Some(name) => *part = name,
                None => return unfit(format!("the part `{part}` is missing")),
            }
        }
        if !listed {
            return unfit("its workbook lists no sheets");
        }
        Ok(Self { part, text, links, sheets, names, max_id, strict: root.strict })
    }

    pub(super) fn names_in_lower_case(&self) -> Vec<String> {
        self.names.iter().map(|name| name.to_lowercase()).collect()
    }

    /// The part with the styles and its text; one that says nothing where there is none, as programs write that know no
    /// looks.
    pub(super) fn styles(
        &mut self,
        package: &mut Package,
        types: &mut Types,
    ) -> Result<(String, String), PatchError> {
        if let Some(link) = self.links.by_kind("styles") {
            return match package.find(&link.part)? {
                Some(part) => package.text(&part).map(|text| (part, text)),
                None => unfit("its styles are missing"),
            };
        }
        let part = package.free("xl/styles", ".xml", |_| false);
        types.add_part(&part, "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml");
        self.links.add("styles", &part, self.strict);
        Ok((part, plain_styles(self.strict)))
    }

    /// Makes a sheet known as the first one. Names that belong to a sheet count sheets, so they move on.
    pub(super) fn put_in_front(
        &mut self,
        name: &str,
        part: &str,
        types: &mut Types,
        texts: &mut Texts,
    ) -> Result<(), PatchError> {
        let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml";
        types.add_part(part, kind);
        let id = self.links.add("worksheet", part, self.strict);
        let (sheet_id, space) = (self.max_id.saturating_add(1), relations_space(self.strict));
        let mut splices = Splices::default();
        walk(&self.text, |node| {
            if node.begins(1, "sheets") && node.kind == Kind::Open {
                let tag = format!(
                    r#"<{}sheet xmlns:r="{space}" name="{}" sheetId="{sheet_id}" r:id="{id}"/>"#,
                    prefix(&node.tag),
                    escape(name)
                );
                splices.insert(node.span.end, tag);
            } else if node.begins(2, "definedName") {
                if let Some(sheet) = number(&node.tag, "localSheetId")? {
                    let moved = Some(sheet.saturating_add(1).to_string());
                    let tag = with(&node.tag, &[("localSheetId", moved)])?;
                    let end = if node.kind == Kind::Empty { "/" } else { "" };
                    splices.replace(node.span, format!("<{tag}{end}>"));
                }
            } else if node.begins(2, "workbookView") {
                let tag = with(&node.tag, &[("activeTab", None), ("firstSheet", None)])?;
                let end = if node.kind == Kind::Empty { "/" } else { "" };
                splices.replace(node.span, format!("<{tag}{end}>"));
            }
            Ok(())
        })?;
        texts.insert(self.part.clone(), splices.apply(&self.text));
        if let Some(text) = self.links.changed()? {
            texts.insert(self.links.name.clone(), text);
        }
        Ok(())
    }
}

/// The styles of a workbook in which all cells look alike.
fn plain_styles(strict: bool) -> String {
    let fill = |kind: &str| format!(r#"<fill><patternFill patternType="{kind}"/></fill>"#);
    let look = r#"<xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>"#;
    [
        r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>"#,
        &format!("\n<styleSheet xmlns=\"{}\">", main_space(strict)),
        r#"<fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>"#,
        &format!(r#"<fills count="2">{}{}</fills>"#, fill("none"), fill("gray125")),
        r#"<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>"#,
        &format!(r#"<cellStyleXfs count="1">{look}</cellStyleXfs>"#),
        &format!(r#"<cellXfs count="1">{}</cellXfs>"#, look.replace("/>", r#" xfId="0"/>"#)),
        "</styleSheet>",
    ]
    .concat()
}

/// The list of content types.
pub(super) struct Types {
    pub(super) name: String,
    text: String,
    prefix: String,
    /// Endings of names that have a type of their own.
    endings: Vec<String>,
    added: String,
}

impl Types {
    pub(super) fn read(package: &mut Package) -> Result<Self, PatchError> {
        let Some(name) = package.find("[Content_Types].xml")? else {
            return unfit("it has no list of content types");
        };
        let text = package.text(&name)?;
        let (mut endings, mut own) = (Vec::new(), String::new());
        walk(&text, |node| {
            if node.depth == 0 {
                own = prefix(&node.tag);
            } else if node.begins(1, "Default") {
                endings.push(attribute(&node.tag, "Extension")?.unwrap_or_default().to_lowercase());
            }
            Ok(())
        })?;
        Ok(Self { name, text, prefix: own, endings, added: String::new() })
    }

    /// How a file with these types is called at its end: office programs open no other one with macros in it.
    pub(super) fn file_ending(&self) -> &'static str {
        let has = |kind: &str| self.text.contains(kind);
        match (has(".template.macroEnabled.main+xml"), has(".sheet.macroEnabled.main+xml")) {
            (true, _) => "xltm",
            (_, true) => "xlsm",
            _ if has(".template.main+xml") => "xltx",
            _ => "xlsx",
        }
    }

    pub(super) fn add_part(&mut self, part: &str, kind: &str) {
        let (prefix, part) = (&self.prefix, escape(part));
        self.added.push_str(&format!(r#"<{prefix}Override PartName="/{part}" ContentType="{kind}"/>"#));
    }

    pub(super) fn add_ending(&mut self, ending: &str, kind: &str) {
        if self.endings.iter().any(|known| known == ending) {
            return;
        }
        self.endings.push(ending.to_owned());
        let prefix = &self.prefix;
        self.added.push_str(&format!(r#"<{prefix}Default Extension="{ending}" ContentType="{kind}"/>"#));
    }

    pub(super) fn changed(&self) -> Result<String, PatchError> {
        let mut splices = Splices::default();
        walk(&self.text, |node| {
            if node.ends(0, "Types") {
                splices.append(&node, &self.added);
            }
            Ok(())
        })?;
        Ok(splices.apply(&self.text))
    }
}
