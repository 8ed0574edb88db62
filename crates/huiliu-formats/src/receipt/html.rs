//! The receipt as a page, for what has no cells to be marked: JSON, XML and what was refused.
//!
//! The page stands alone, without scripts or anything to be loaded, so it can be sent on and printed.
//! Whatever a sender wrote is escaped. The same data gives the same bytes.

use std::io::{self, Write};

use huiliu_stage::{Finding, Severity};

use super::ReceiptData;
use super::marks::{clean, fill_rgb};

/// Most findings listed.
const MAX_LISTED: usize = 10_000;
/// Most characters of a text.
const MAX_CHARS: usize = 2_000;

/// Writes the receipt as a page to `to`.
///
/// # Errors
/// When `to` cannot be written.
pub fn page<W: Write>(data: &ReceiptData, to: W) -> io::Result<()> {
    let mut page = Page { data, to };
    page.head()?;
    page.counts()?;
    page.findings()?;
    writeln!(page.to, "</body>\n</html>")?;
    page.to.flush()
}

struct Page<'a, W> {
    data: &'a ReceiptData,
    to: W,
}

impl<W: Write> Page<'_, W> {
    fn say<T>(&self, zh: T, en: T) -> T {
        self.data.language.pick(zh, en)
    }

    fn head(&mut self) -> io::Result<()> {
        let data = self.data;
        let (language, title) = self.say(("zh-CN", "报送回执"), ("en", "Receipt"));
        let name = text(&data.file);
        writeln!(self.to, "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">")?;
        writeln!(self.to, "<title>{title}: {name}</title>\n<style>")?;
        writeln!(
            self.to,
            "body{{font-family:sans-serif;margin:2em}} table{{border-collapse:collapse;margin:1em 0}}"
        )?;
        writeln!(
            self.to,
            "th,td{{border:1px solid #999;padding:.3em .6em;text-align:left;vertical-align:top}}"
        )?;
        writeln!(self.to, "th{{background:#e7e6e6}} td{{white-space:pre-wrap;overflow-wrap:anywhere}}")?;
        for severity in [Severity::Error, Severity::Warning, Severity::Info] {
            writeln!(self.to, ".{}{{background:#{:06x}}}", class(severity), fill_rgb(severity))?;
        }
        writeln!(self.to, "</style>\n</head>\n<body>\n<h1>{title}</h1>\n<table>")?;
        for (label, value) in data.head() {
            writeln!(self.to, "<tr><th>{label}</th><td>{}</td></tr>", text(&value))?;
        }
        writeln!(self.to, "</table>")
    }

    fn counts(&mut self) -> io::Result<()> {
        let data = self.data;
        writeln!(self.to, "<h2>{}</h2>\n<table>", self.say("数量", "Counts"))?;
        for (name, count) in data.counted() {
            writeln!(self.to, "<tr><th>{name}</th><td>{count}</td></tr>")?;
        }
        writeln!(self.to, "</table>")
    }

    fn findings(&mut self) -> io::Result<()> {
        let data = self.data;
        if data.findings.is_empty() {
            return Ok(());
        }
        let shown = data.findings.len().min(MAX_LISTED);
        let above = data.findings_title(shown);
        writeln!(self.to, "<h2>{above}</h2>\n<table>\n<tr>")?;
        for name in data.finding_columns() {
            write!(self.to, "<th>{name}</th>")?;
        }
        writeln!(self.to, "</tr>")?;
        for (i, finding) in data.findings.iter().take(shown).enumerate() {
            self.finding(i + 1, finding)?;
        }
        writeln!(self.to, "</table>")
    }

    fn finding(&mut self, number: usize, finding: &Finding) -> io::Result<()> {
        let data = self.data;
        let place = data.place(finding);
        let sheet = place.map_or("", |place| place.name);
        let at = place.map_or(String::new(), |place| data.place_text(place));
        let (severity, class) = (data.language.severity(finding.severity), class(finding.severity));
        let field = finding.field.as_deref().map_or("", |field| data.title(field));
        let message = finding.message.in_language(data.language.code());
        let raw = finding.raw.as_deref().unwrap_or_default();
        write!(self.to, "<tr><td>{number}</td><td>{}</td><td>{}</td>", text(sheet), text(&at))?;
        write!(self.to, "<td class=\"{class}\">{severity}</td><td>{}</td>", text(field))?;
        write!(self.to, "<td>{}</td><td class=\"{class}\">{}</td>", text(message), text(raw))?;
        writeln!(self.to, "<td>{}</td></tr>", text(&finding.code))
    }
}

fn class(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Text as the page can hold it.
fn text(sent: &str) -> String {
    quick_xml::escape::escape(clean(sent, MAX_CHARS)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::Language;
    use super::super::sample::sample;
    use super::*;

    fn made(data: &ReceiptData) -> String {
        let mut out = Vec::new();
        page(data, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_page_lists_every_finding_with_its_place_and_cure() {
        let page = made(&sample("jsonl", Language::Zh));
        for text in ["报送回执", "第 3 行", "不是数字；请填写数字", "=待定", "部分接收", "前 4 条"]
        {
            assert!(page.contains(text), "{text} in {page}");
        }
        let page = made(&sample("xlsx", Language::En));
        assert!(page.contains("<td>C3</td>") && page.contains("not a number; write digits"));
    }

    #[test]
    fn what_a_sender_wrote_is_never_markup() {
        let mut data = sample("jsonl", Language::Zh);
        data.file = "<script>alert(1)</script>".into();
        data.findings[0].raw = Some("\"><img src=x onerror=y>&amp;".into());
        let page = made(&data);
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(page.contains("&lt;img") && page.contains("&amp;amp;"));
    }
}
