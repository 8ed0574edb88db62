//! The receipt as a page, for what has no cells to be marked: JSON, XML and what was refused.
//!
//! Below the findings stand rows of what was sent ([`table`]), faulty cells coloured, each with what is wrong.
//! The page stands alone, without scripts or anything to be loaded, so it can be sent on and printed.
//! Whatever a sender wrote is escaped. The same data gives the same bytes.

use std::io::{self, Write};
use std::path::Path;

use huiliu_stage::{Finding, Severity};

use super::ReceiptData;
use super::marks::{clean, fill_rgb, heaviest};
use super::table::{Row, Table, tables};

/// Most findings listed.
const MAX_LISTED: usize = 10_000;
/// Most characters of a text.
const MAX_CHARS: usize = 2_000;

/// Writes the receipt as a page to `to`. `source` is what was sent, to show rows of it.
///
/// # Errors
/// When `to` cannot be written.
pub fn page<W: Write>(data: &ReceiptData, source: Option<&Path>, to: W) -> io::Result<()> {
    let mut page = Page { data, to };
    page.head()?;
    page.counts()?;
    page.codes()?;
    page.findings()?;
    for table in source.map(|source| tables(data, source)).unwrap_or_default() {
        page.table(&table)?;
    }
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

    fn codes(&mut self) -> io::Result<()> {
        let data = self.data;
        if data.codes.is_empty() {
            return Ok(());
        }
        let (title, names) = data.codes_title();
        writeln!(self.to, "<h2>{title}</h2>\n<table>\n<tr><th>{}</th></tr>", names.join("</th><th>"))?;
        for (code, count) in &data.codes {
            let meaning = data.meaning(code);
            writeln!(self.to, "<tr><td>{}</td><td>{count}</td><td>{}</td></tr>", text(code), text(&meaning))?;
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
        let raw = data.sent(finding);
        write!(self.to, "<tr><td>{number}</td><td>{}</td><td>{}</td>", text(sheet), text(&at))?;
        write!(self.to, "<td class=\"{class}\">{severity}</td><td>{}</td>", text(field))?;
        write!(self.to, "<td>{}</td><td class=\"{class}\">{}</td>", text(message), text(&raw))?;
        writeln!(self.to, "<td>{}</td></tr>", text(&finding.code))
    }

    fn table(&mut self, table: &Table<'_>) -> io::Result<()> {
        let title = match table.more {
            true => self.say(
                "报送的内容（部分，有问题的行都在内）",
                "What was sent (in part; rows with findings go first)",
            ),
            false => self.say("报送的内容", "What was sent"),
        };
        let row = self.say("行", "row");
        writeln!(self.to, "<h2>{title} {}</h2>\n<table>\n<tr><th>{row}</th>", text(table.name))?;
        for header in &table.headers {
            write!(self.to, "<th>{}</th>", text(header))?;
        }
        writeln!(self.to, "</tr>")?;
        for row in &table.rows {
            self.row(row)?;
        }
        writeln!(self.to, "</table>")
    }

    fn row(&mut self, row: &Row<'_>) -> io::Result<()> {
        write!(self.to, "<tr>")?;
        self.cell(&row.number.to_string(), &row.findings)?;
        for (sent, findings) in &row.cells {
            self.cell(sent, findings)?;
        }
        writeln!(self.to, "</tr>")
    }

    /// A cell with what is wrong with it.
    fn cell(&mut self, sent: &str, findings: &[&Finding]) -> io::Result<()> {
        let Some(severity) = heaviest(findings) else { return write!(self.to, "<td>{}</td>", text(sent)) };
        write!(self.to, "<td class=\"{}\">{}", class(severity), text(sent))?;
        for finding in findings {
            let message = finding.message.in_language(self.data.language.code());
            write!(self.to, "<br><small>{}</small>", text(message))?;
        }
        write!(self.to, "</td>")
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
        page(data, None, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_page_lists_every_finding_with_its_place_and_cure() {
        let page = made(&sample("jsonl", Language::Zh));
        for text in [
            "报送回执",
            "第 3 行",
            "不是数字；请填写数字",
            "=待定",
            "部分接收",
            "前 4 条",
            "<td>V01</td><td>1</td><td>必填",
        ] {
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

    #[test]
    fn rows_of_what_was_sent_stand_there_with_their_mistakes() {
        let sent = "\
{\"项目名称\":\"零号\",\"总投资(亿元)\":1}
{\"项目名称\":\"一号<b>\",\"总投资(亿元)\":2}
{\"项目名称\":\"二号\",\"总投资(亿元)\":\"=待定\",\"备注\":\"急\"}
{\"项目名称\":\"三号\"}
";
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(sent.as_bytes()).unwrap();
        let mut data = sample("jsonl", Language::Zh);
        data.findings.truncate(2);
        let mut out = Vec::new();
        page(&data, Some(file.path()), &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        for part in [
            "<th>项目名称</th><th>总投资(亿元)</th><th>备注</th></tr>",
            "<tr><td>2</td><td>一号&lt;b&gt;</td><td>2</td><td></td></tr>",
            "<tr><td>3</td><td>二号</td><td class=\"error\">=待定<br><small>不是数字；请填写数字</small></td><td>急</td></tr>",
            "<tr><td class=\"error\">4<br><small>没有项目代码；请补填</small></td><td>三号</td><td></td><td></td></tr>",
        ] {
            assert!(page.contains(part), "{part} in {page}");
        }
    }

    #[test]
    fn a_long_file_shows_its_rows_with_findings_and_a_thousand_in_all() {
        let line = |n: u32| format!("{{\"项目名称\":\"{n} 号\",\"总投资(亿元)\":{n}}}\n");
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all((1..=6000).map(line).collect::<String>().as_bytes()).unwrap();
        let mut data = sample("jsonl", Language::Zh);
        data.findings.truncate(1);
        data.findings[0].row = Some(huiliu_stage::row_id(0, 5500));
        let mut out = Vec::new();
        page(&data, Some(file.path()), &mut out).unwrap();
        let page = String::from_utf8(out).unwrap();
        assert_eq!(page.matches(" 号</td>").count(), 1000);
        assert!(page.contains("<tr><td>5500</td><td>5500 号</td><td class=\"error\">5500<br>"), "{page}");
        assert!(page.contains("报送的内容（部分"));
    }
}
