//! The looks of cells: a marked cell keeps its own, number format and borders and all, but for the fill.

use std::collections::{BTreeMap, BTreeSet};

use huiliu_stage::Severity;
use quick_xml::events::BytesStart;

use super::super::marks::fill_rgb;
use super::front::FrontStyles;
use super::xml::{Kind, Splices, prefix, walk, with};
use super::{PatchError, unfit};

/// More looks than this Excel does not open.
const MAX_LOOKS: u32 = 65_000;

/// The styles part of a workbook and what is added to it.
pub(super) struct Styles {
    text: String,
    /// Name space prefix of its elements.
    prefix: String,
    fonts: u32,
    fills: u32,
    borders: u32,
    looks: u32,
    front: FrontStyles,
    /// Look of a cell and mark -> look of the marked cell.
    marked: BTreeMap<(u32, Severity), u32>,
}

/// The colours, in the order in which their fills are added.
const SEVERITIES: [Severity; 3] = [Severity::Info, Severity::Warning, Severity::Error];

impl Styles {
    pub(super) fn new(text: String, front: FrontStyles) -> Result<Self, PatchError> {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let (mut own, mut parent) = (String::new(), String::new());
        walk(&text, |node| {
            match (node.depth, node.kind) {
                (0, Kind::Open) => own = prefix(&node.tag),
                (1, Kind::Open | Kind::Empty) => {
                    parent = node.tag.local_name().into_inner().to_owned();
                    counts.entry(parent.clone()).or_default();
                }
                (2, Kind::Open | Kind::Empty) => *counts.entry(parent.clone()).or_default() += 1,
                _ => {}
            }
            Ok(())
        })?;
        let count = |name: &str| match counts.get(name) {
            Some(&count) => Ok(count),
            None => unfit(format!("its styles have no {name}")),
        };
        let (fonts, fills) = (count("fonts")?, count("fills")?);
        let (borders, looks) = (count("borders")?, count("cellXfs")?);
        Ok(Self { text, prefix: own, fonts, fills, borders, looks, front, marked: BTreeMap::new() })
    }

    /// Where the looks of the summary begin.
    pub(super) fn front_base(&self) -> u32 {
        self.looks
    }

    /// The look of a marked cell that looked like `base` before.
    pub(super) fn marked(&mut self, base: u32, severity: Severity) -> Result<u32, PatchError> {
        let base = if base < self.looks { base } else { 0 };
        let first = self.looks.saturating_add(self.front.looks());
        let next = first.saturating_add(u32::try_from(self.marked.len()).unwrap_or(u32::MAX));
        if next > MAX_LOOKS {
            return unfit("it has too many styles");
        }
        Ok(*self.marked.entry((base, severity)).or_insert(next))
    }

    /// The part with everything that was asked for.
    pub(super) fn finish(&self) -> Result<String, PatchError> {
        let looks = self.looks_of_marked()?;
        let mut fills = String::new();
        for severity in SEVERITIES {
            let colour = fill_rgb(severity);
            let p = &self.prefix;
            fills.push_str(&format!(
                r#"<{p}fill><{p}patternFill patternType="solid"><{p}fgColor rgb="FF{colour:06X}"/><{p}bgColor indexed="64"/></{p}patternFill></{p}fill>"#
            ));
        }
        fills.push_str(&self.front.fills(&self.prefix)?);
        let three = SEVERITIES.len() as u32;
        let front_looks =
            self.front.looks_moved(&self.prefix, self.fonts, self.fills + three, self.borders)?;
        let mut splices = Splices::default();
        let mut grow = |name: &str, old: u32, more: u32, text: String| {
            walk(&self.text, |node| {
                if node.begins(1, name) {
                    let tag = with(&node.tag, &[("count", Some((old + more).to_string()))])?;
                    match node.kind {
                        Kind::Empty => {
                            let end = node.tag.name().into_inner();
                            splices.replace(node.span, format!("<{tag}>{text}</{end}>"));
                        }
                        _ => splices.replace(node.span, format!("<{tag}>")),
                    }
                } else if node.ends(1, name) {
                    splices.append(&node, &text);
                }
                Ok(())
            })
        };
        let front = &self.front;
        grow("fonts", self.fonts, front.count("fonts"), front.fonts(&self.prefix)?)?;
        grow("fills", self.fills, three + front.count("fills"), fills)?;
        grow("borders", self.borders, front.count("borders"), front.borders(&self.prefix)?)?;
        let more = front.looks() + self.marked.len() as u32;
        grow("cellXfs", self.looks, more, front_looks + &looks)?;
        Ok(splices.apply(&self.text))
    }

    /// The looks of marked cells, each made from the look that the cell had.
    fn looks_of_marked(&self) -> Result<String, PatchError> {
        let wanted: BTreeSet<u32> = self.marked.keys().map(|(base, _)| *base).collect();
        let mut found: BTreeMap<u32, (BytesStart<'_>, String)> = BTreeMap::new();
        let (mut inside, mut at, mut open) = (false, 0_u32, 0_usize);
        walk(&self.text, |node| {
            if node.depth == 1 {
                inside = node.begins(1, "cellXfs") && node.kind == Kind::Open;
            }
            if !inside || node.depth != 2 {
                return Ok(());
            }
            if node.kind != Kind::Close && wanted.contains(&at) {
                found.insert(at, (node.tag.clone(), String::new()));
            }
            if node.kind == Kind::Open {
                open = node.span.end;
                return Ok(());
            }
            if let (Kind::Close, Some((_, content))) = (node.kind, found.get_mut(&at)) {
                content.push_str(self.text.get(open..node.span.start).unwrap_or_default());
            }
            at += 1;
            Ok(())
        })?;
        let mut all: Vec<(u32, String)> = Vec::new();
        for (&(base, severity), &number) in &self.marked {
            let fill =
                SEVERITIES.iter().position(|other| *other == severity).unwrap_or(0) as u32 + self.fills;
            let changes = [("fillId", Some(fill.to_string())), ("applyFill", Some("1".to_owned()))];
            let look = match found.get(&base) {
                Some((tag, content)) => {
                    format!("<{}>{content}</{}>", with(tag, &changes)?, tag.name().into_inner())
                }
                None => format!(r#"<{}xf fillId="{fill}" applyFill="1"/>"#, self.prefix),
            };
            all.push((number, look));
        }
        all.sort_unstable();
        Ok(all.into_iter().map(|(_, look)| look).collect())
    }
}
