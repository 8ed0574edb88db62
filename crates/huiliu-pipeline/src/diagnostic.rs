//! What is wrong in a configuration file, where, and how to mend it.
//!
//! A [`Span`] is a stretch of a [`Source`] file; a [`Diagnostic`] is a sentence about one. It keeps the
//! line it speaks of, so it can be shown long after the file is gone. Texts here are for the people who
//! write pipelines; findings about deliveries are another thing (`huiliu_stage::Finding`).

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Columns of a shown line; longer lines are cut around the mistake.
const SHOWN_WIDTH: usize = 160;

/// A configuration file and its text.
#[derive(Debug)]
pub struct Source {
    /// The file as messages name it.
    pub path: PathBuf,
    /// Its text, without a byte order mark.
    pub text: String,
}

/// A stretch of a configuration file.
#[derive(Clone)]
pub struct Span {
    /// The file.
    pub source: Arc<Source>,
    /// First byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// Line and column (both from 1, columns count characters) of the first character.
    pub fn position(&self) -> (u32, u32) {
        position(&self.source.text, self.start)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        write!(f, "{line}:{column}")
    }
}

/// Line and column of a byte; an offset beyond the text is taken for its end.
fn position(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |i| i + 1);
    let line = before.matches('\n').count() + 1;
    let column = before[line_start..].chars().count() + 1;
    (line.try_into().unwrap_or(u32::MAX), column.try_into().unwrap_or(u32::MAX))
}

/// Something wrong in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// The file as it was named.
    pub file: PathBuf,
    /// Line, from 1; 0 when the file as a whole is meant (it cannot be read).
    pub line: u32,
    /// Column, from 1, in characters; 0 when the file as a whole is meant.
    pub column: u32,
    /// Line and column after the last character meant.
    pub end: (u32, u32),
    /// What is wrong; lower case, no full stop, names in backticks.
    pub message: String,
    /// How to mend it, if that is known.
    pub help: Option<String>,
    shown: String,
    /// Whether whatever else is said of the same place follows from this.
    root: bool,
}

impl Diagnostic {
    /// About a stretch of a file.
    pub fn new(span: &Span, message: impl Into<String>) -> Self {
        let text = &span.source.text;
        let (line, column) = span.position();
        Self {
            file: span.source.path.clone(),
            line,
            column,
            end: position(text, span.end),
            message: message.into(),
            help: None,
            shown: text.lines().nth(line as usize - 1).unwrap_or_default().to_owned(),
            root: false,
        }
    }

    /// About a file that could not be read.
    pub fn in_file(path: &Path, message: impl Into<String>) -> Self {
        Self {
            file: path.to_owned(),
            line: 0,
            column: 0,
            end: (0, 0),
            message: message.into(),
            help: None,
            shown: String::new(),
            root: false,
        }
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds how to mend it, if that is known.
    #[must_use]
    pub fn with_maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Says that whatever else is found at the same place follows from this.
    #[must_use]
    pub(crate) fn ruling_out_the_rest(mut self) -> Self {
        self.root = true;
        self
    }

    fn place(&self) -> (&Path, u32, u32) {
        (&self.file, self.line, self.column)
    }

    /// The message, the line with the place marked, and the help; several lines, ending in a line break.
    pub fn render(&self, color: bool) -> String {
        let paint = |code: &'static str| if color { code } else { "" };
        let (red, blue, bold, off) =
            (paint("\x1b[31;1m"), paint("\x1b[34;1m"), paint("\x1b[1m"), paint("\x1b[0m"));
        let mut out = format!("{bold}{self}{off}\n");
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        if self.line > 0 {
            let (before, marked, line) = self.window();
            let space = if line.is_empty() { "" } else { " " };
            out += &format!("{gutter} {blue}|{off}\n{blue}{number} |{off}{space}{line}\n");
            out += &format!("{gutter} {blue}|{off} {}{red}{}{off}\n", " ".repeat(before), "^".repeat(marked));
        }
        if let Some(help) = &self.help {
            out += &format!("{gutter} {blue}={off} help: {help}\n");
        }
        out
    }

    /// Columns before the mark, columns of the mark, and the line made safe for a terminal.
    fn window(&self) -> (usize, usize, String) {
        let last = match self.end {
            // An empty stretch marks the character it stands before.
            (line, column) if line == self.line => column.max(self.column + 1),
            _ => u32::MAX,
        };
        let cells: Vec<(char, bool)> = self
            .shown
            .trim_end()
            .chars()
            .zip(1u32..)
            .map(|(c, at)| (if c.is_control() { ' ' } else { c }, at >= self.column && at < last))
            .collect();
        let first_marked = cells.iter().position(|&(_, marked)| marked).unwrap_or(cells.len());
        let skip = if cells.len() <= SHOWN_WIDTH { 0 } else { first_marked.saturating_sub(SHOWN_WIDTH / 2) };
        let window = &cells[skip..cells.len().min(skip + SHOWN_WIDTH)];
        let columns = |part: &[(char, bool)]| part.iter().map(|&(c, _)| width(c)).sum::<usize>();
        let before = columns(&window[..first_marked - skip]);
        let marked: usize = window.iter().filter(|&&(_, marked)| marked).map(|&(c, _)| width(c)).sum();
        (before, marked.max(1), window.iter().map(|&(c, _)| c).collect())
    }
}

/// `file:line:column: message`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}", self.message)
    }
}

/// By file and place, each once, without what follows from another.
pub fn tidy(mut all: Vec<Diagnostic>) -> Vec<Diagnostic> {
    all.sort();
    all.dedup();
    let roots: Vec<Diagnostic> = all.iter().filter(|d| d.root).cloned().collect();
    all.retain(|d| d.root || !roots.iter().any(|root| root.place() == d.place()));
    all
}

/// Whether a key that is missing was only mistyped, and that was told already.
pub(crate) fn was_mistyped(key: &str, told: &[Diagnostic]) -> bool {
    let help = format!("did you mean `{key}`?");
    told.iter().any(|diagnostic| diagnostic.help.as_ref() == Some(&help))
}

/// How many columns of a terminal a character takes.
fn width(c: char) -> usize {
    match u32::from(c) {
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f => 2,
        0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// The name nearest to `word`, near enough to be meant.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let length = word.chars().count();
    let room = (length / 3).clamp(1, 4);
    names
        .into_iter()
        .filter_map(|name| {
            let full = name.to_lowercase();
            let distance = strsim::damerau_levenshtein(&lower, &full);
            let begun = length >= 3 && full.starts_with(&lower);
            let near = begun || distance <= room && distance < name.chars().count();
            near.then_some((distance, name))
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// "did you mean `x`?", or else the names there are.
pub fn suggestion<'a>(word: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(word, names.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let all: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    (!all.is_empty()).then(|| format!("there are: {}", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str, start: usize, end: usize) -> Span {
        Span { source: Arc::new(Source { path: "a.yaml".into(), text: text.into() }), start, end }
    }

    #[test]
    fn the_mark_stands_under_wide_characters_too() {
        let text = "a: 1\n总投资: 错的 # 万元\n";
        let start = text.find("错").unwrap();
        let shown =
            Diagnostic::new(&span(text, start, start + "错的".len()), "no number").with_help("use digits");
        insta::assert_snapshot!(shown.render(false), @r"
        a.yaml:2:6: no number
          |
        2 | 总投资: 错的 # 万元
          |         ^^^^
          = help: use digits
        ");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_mistake_and_control_characters_are_not_printed() {
        let text = format!("k: \"{}\x1b[2J{}\"", "x".repeat(5_000), "y".repeat(5_000));
        let at = text.find('y').unwrap();
        let shown = Diagnostic::new(&span(&text, at, at + 1), "bad").render(false);
        assert!(shown.len() < 600, "{shown}");
        assert!(shown.contains('^') && !shown.contains('\x1b'), "{shown}");
    }

    #[test]
    fn only_near_names_are_offered() {
        let names = ["required", "pattern", "min", "max", "name"];
        let table = [("requird", Some("required")), ("Pattern", Some("pattern")), ("mim", Some("min"))];
        for (word, expected) in table {
            assert_eq!(nearest(word, names), expected, "{word}");
        }
        assert_eq!(nearest("colour", names), None);
        assert_eq!(nearest("", names), None);
    }
}
