//! Path templates: `inbox/{department}`, `archive/{sender}`.
//!
//! A template says where a folder source looks and whom a file is from; the same names fill in the
//! folders that answers and finished files go to.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// A relative path in which whole components may be names in braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Fixed(String),
    Named(String),
}

/// The names that a path gave to a template's braces.
pub(crate) type Names = BTreeMap<String, String>;

impl Template {
    /// Parses `inbox/{department}`.
    ///
    /// # Errors
    /// A sentence: the path is absolute, climbs with `..`, or has a brace that is not a whole component.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        for component in Path::new(text).components() {
            let Component::Normal(part) = component else {
                if component == Component::CurDir {
                    continue;
                }
                return Err(format!("`{text}` must be a path below the data folder, without `..`"));
            };
            let part = part.to_string_lossy();
            match part.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) if !name.is_empty() && !name.contains(['{', '}']) => {
                    parts.push(Part::Named(name.to_owned()));
                }
                None if !part.contains(['{', '}']) => parts.push(Part::Fixed(part.into_owned())),
                _ => return Err(format!("in `{text}` a name in braces must stand for a whole folder name")),
            }
        }
        if parts.is_empty() {
            return Err("the path is empty".to_owned());
        }
        Ok(Self { parts })
    }

    /// The folder in front of the first name: what has to be watched.
    pub(crate) fn base(&self) -> PathBuf {
        let fixed = self.parts.iter().map_while(|part| match part {
            Part::Fixed(text) => Some(text),
            Part::Named(_) => None,
        });
        fixed.collect()
    }

    /// How many folder levels below [`base`](Self::base) the files lie.
    pub(crate) fn depth(&self) -> usize {
        self.parts.len() - self.base().components().count()
    }

    /// The names that `folder` (relative, as the template) gives to the braces; `None` if it is another folder.
    pub(crate) fn names_in(&self, folder: &Path) -> Option<Names> {
        let mut names = Names::new();
        let mut found = folder.components();
        for part in &self.parts {
            let Component::Normal(text) = found.next()? else { return None };
            let text = readable(text);
            match part {
                Part::Fixed(fixed) if *fixed == text => {}
                Part::Fixed(_) => return None,
                Part::Named(name) => {
                    names.insert(name.clone(), text);
                }
            }
        }
        found.next().is_none().then_some(names)
    }

    /// The folder for `names`. `{sender}` always stands for the whole sender. A name that is not known, or
    /// has no value, is left out.
    pub(crate) fn fill(&self, names: &Names, sender: &str) -> PathBuf {
        let mut path = PathBuf::new();
        for part in &self.parts {
            match part {
                Part::Fixed(text) => path.push(text),
                Part::Named(name) => {
                    let value =
                        names.get(name).map_or(if name == "sender" { sender } else { "" }, String::as_str);
                    path.push(one_component(value));
                }
            }
        }
        path
    }
}

/// Who the sender is: the names' values joined by `/`.
pub(crate) fn sender(names: &Names) -> String {
    names.values().map(String::as_str).collect::<Vec<_>>().join("/")
}

/// A name of a folder or file as text: two names never become one, and none breaks a line of a log or a table.
pub(crate) fn readable(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_bytes().utf8_chunks() {
        text.extend(chunk.valid().chars().map(|c| if c.is_control() { '_' } else { c }));
        text.extend(chunk.invalid().iter().map(|byte| format!("%{byte:02X}")));
    }
    text
}

/// A text that can be nothing but the name of one folder or file.
pub(crate) fn one_component(text: &str) -> String {
    let clean: String =
        text.chars().map(|c| if c == '/' || c == '\\' || c.is_control() { '_' } else { c }).collect();
    match clean.as_str() {
        "." | ".." => "_".to_owned(),
        _ => clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sender_is_read_off_the_path() {
        let template = Template::parse("inbox/{department}").unwrap();
        assert_eq!(template.base(), Path::new("inbox"));
        assert_eq!(template.depth(), 1);
        let names = template.names_in(Path::new("inbox/发改局")).unwrap();
        assert_eq!(sender(&names), "发改局");
        assert_eq!(template.names_in(Path::new("inbox")), None);
        assert_eq!(template.names_in(Path::new("inbox/a/b")), None);
        let archive = Template::parse("archive/{sender}").unwrap();
        assert_eq!(archive.fill(&names, "发改局"), Path::new("archive/发改局"));
    }

    #[test]
    fn names_that_are_no_text_stay_apart() {
        assert_eq!(readable(OsStr::new("发改局")), "发改局");
        assert_eq!(readable(OsStr::from_bytes(b"a\xfe\nb")), "a%FE_b");
        assert_ne!(readable(OsStr::from_bytes(b"\xfe")), readable(OsStr::from_bytes(b"\xff")));
    }

    #[test]
    fn a_template_cannot_leave_the_data_folder() {
        for text in ["/etc", "../x", "a/../../b", "", "a{b}", "{}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
        let template = Template::parse("out/{sender}").unwrap();
        assert_eq!(template.fill(&Names::new(), "../../etc"), Path::new("out/.._.._etc"));
        assert_eq!(template.fill(&Names::new(), ".."), Path::new("out/_"));
    }
}
