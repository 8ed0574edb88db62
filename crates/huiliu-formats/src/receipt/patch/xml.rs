//! Small parts: walked as XML, changed as texts, so that what is not meant to change does not.

use std::ops::Range;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::{PatchError, unfit};

/// Which end of an element was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Open,
    Empty,
    Close,
}

/// A tag of a part.
pub(super) struct Node<'t> {
    pub(super) kind: Kind,
    /// The tag; of a closing one only the name.
    pub(super) tag: BytesStart<'t>,
    /// Where it stands in the text.
    pub(super) span: Range<usize>,
    /// The root is at 0.
    pub(super) depth: usize,
}

impl Node<'_> {
    /// Whether it begins an element of this name at this depth.
    pub(super) fn begins(&self, depth: usize, name: &str) -> bool {
        self.kind != Kind::Close && self.is(depth, name)
    }

    /// Whether it ends an element of this name at this depth; one without content ends where it begins.
    pub(super) fn ends(&self, depth: usize, name: &str) -> bool {
        self.kind != Kind::Open && self.is(depth, name)
    }

    fn is(&self, depth: usize, name: &str) -> bool {
        self.depth == depth && self.tag.local_name().into_inner() == name
    }
}

/// Shows every tag of a part to `see`.
pub(super) fn walk<'t>(
    text: &'t str,
    mut see: impl FnMut(Node<'t>) -> Result<(), PatchError>,
) -> Result<(), PatchError> {
    let mut reader = Reader::from_str(text);
    let mut depth = 0_usize;
    loop {
        let start = position(&reader);
        let event = reader.read_event()?;
        let span = start..position(&reader);
        match event {
            Event::Start(tag) => {
                see(Node { kind: Kind::Open, tag, span, depth })?;
                depth += 1;
            }
            Event::Empty(tag) => see(Node { kind: Kind::Empty, tag, span, depth })?,
            Event::End(end) => {
                depth = depth.saturating_sub(1);
                let tag = BytesStart::new(end.name().into_inner().to_owned());
                see(Node { kind: Kind::Close, tag, span, depth })?;
            }
            Event::DocType(_) => return unfit("a part declares a document type"),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn position(reader: &Reader<&[u8]>) -> usize {
    usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX)
}

/// The name space prefix of a tag with its colon, such as `x:`, or nothing.
pub(super) fn prefix(tag: &BytesStart<'_>) -> String {
    tag.name().prefix().map_or(String::new(), |prefix| format!("{}:", prefix.into_inner()))
}

/// The value of an attribute by its full name.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, PatchError> {
    for attribute in tag.attributes() {
        let attribute = attribute?;
        if attribute.key.into_inner() == name {
            return Ok(Some(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned()));
        }
    }
    Ok(None)
}

/// The value of an attribute that is a whole number.
pub(super) fn number(tag: &BytesStart<'_>, name: &str) -> Result<Option<u32>, PatchError> {
    Ok(attribute(tag, name)?.and_then(|text| text.trim().parse().ok()))
}

/// The relationship a tag names, as in `r:id`.
pub(super) fn relation(tag: &BytesStart<'_>) -> Result<Option<String>, PatchError> {
    for attribute in tag.attributes() {
        let attribute = attribute?;
        if attribute.key.prefix().is_some() && attribute.key.local_name().into_inner() == "id" {
            return Ok(Some(attribute.normalized_value(XmlVersion::Implicit1_0)?.into_owned()));
        }
    }
    Ok(None)
}

/// The tag between its brackets with some attributes set, or taken away where the value is `None`.
pub(super) fn with(tag: &BytesStart<'_>, changes: &[(&str, Option<String>)]) -> Result<String, PatchError> {
    let mut text = tag.name().into_inner().to_owned();
    let mut push = |key: &str, value: &str| {
        let quote = if value.contains('"') { '\'' } else { '"' };
        text.push_str(&format!(" {key}={quote}{value}{quote}"));
    };
    let mut done = vec![false; changes.len()];
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let key = attribute.key.into_inner();
        match changes.iter().position(|(name, _)| *name == key) {
            None => push(key, &attribute.value),
            Some(at) => {
                if let (Some((_, Some(value))), Some(done)) = (changes.get(at), done.get_mut(at)) {
                    push(key, &escape(value));
                    *done = true;
                }
            }
        }
    }
    for ((key, value), done) in changes.iter().zip(done) {
        if let (Some(value), false) = (value, done) {
            push(key, &escape(value));
        }
    }
    Ok(text)
}

/// Text as XML holds it, also in quotes, with line ends kept.
pub(super) fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// Changes to a text, made all at once.
#[derive(Default)]
pub(super) struct Splices(Vec<(Range<usize>, String)>);

impl Splices {
    pub(super) fn replace(&mut self, span: Range<usize>, text: String) {
        self.0.push((span, text));
    }

    pub(super) fn insert(&mut self, at: usize, text: String) {
        self.0.push((at..at, text));
    }

    /// Puts `text` at the end of the element that `node` ends, opening it if it had no content.
    pub(super) fn append(&mut self, node: &Node<'_>, text: &str) {
        match node.kind {
            Kind::Empty => {
                let name = node.tag.name().into_inner().to_owned();
                let tag: &str = &node.tag;
                self.replace(node.span.clone(), format!("<{}>{text}</{name}>", tag.trim_end()));
            }
            _ => self.insert(node.span.start, text.to_owned()),
        }
    }

    pub(super) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(span, _)| span.start);
        let mut out =
            String::with_capacity(text.len() + self.0.iter().map(|(_, new)| new.len()).sum::<usize>());
        let mut at = 0;
        for (span, new) in self.0 {
            out.push_str(text.get(at..span.start).unwrap_or_default());
            out.push_str(&new);
            at = span.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }
}
