//! The first sheet: what became of the delivery, how it was understood, and every finding shown.

use huiliu_stage::{Finding, column_letters};
use rust_xlsxwriter::{Format, FormatAlign, Url, Worksheet, XlsxError};

use super::ReceiptData;
use super::copy::Copied;
use super::marks::{clean, fill, width};

/// Most columns of a sheet that are explained.
const MAX_COLUMNS_TOLD: usize = 300;
/// Most findings listed; a worksheet has a million rows.
const MAX_LISTED: usize = 900_000;
/// Most findings whose cell can be clicked; a worksheet has at most 65 530 links.
const MAX_LINKS: usize = 10_000;
/// Most characters of a text.
const MAX_CHARS: usize = 2_000;

/// Width of the column of messages, in digits.
const MESSAGE_WIDTH: u16 = 64;
/// Height of a line, in points.
const LINE_HEIGHT: f64 = 15.0;

/// As Excel counts sizes of paper.
const PAPER_A4: u8 = 9;

/// Writes the first sheet.
pub(super) fn summary(data: &ReceiptData, copied: &Copied) -> Result<Worksheet, XlsxError> {
    let mut page = Page::new(data);
    page.head(copied)?;
    page.counts()?;
    page.reading()?;
    page.codes()?;
    page.findings(copied)?;
    // Printed, its lines are not spread over several pages side by side.
    page.sheet.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0);
    Ok(page.sheet)
}

struct Page<'a> {
    data: &'a ReceiptData,
    sheet: Worksheet,
    row: u32,
    title: Format,
    heading: Format,
    label: Format,
    wrapped: Format,
}

impl<'a> Page<'a> {
    fn new(data: &'a ReceiptData) -> Self {
        let bold = Format::new().set_bold();
        let top = FormatAlign::Top;
        Self {
            data,
            sheet: Worksheet::new(),
            row: 0,
            title: bold.clone().set_font_size(16),
            heading: bold.clone().set_background_color(0xE7_E6E6),
            label: bold,
            wrapped: Format::new().set_text_wrap().set_align(top),
        }
    }

    fn say<T>(&self, zh: T, en: T) -> T {
        self.data.language.pick(zh, en)
    }

    fn text(&mut self, column: u16, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string(self.row, column, clean(text, MAX_CHARS))?;
        Ok(())
    }

    fn line(&mut self, label: &str, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row, 0, label, &self.label)?;
        self.text(1, text)?;
        self.row += 1;
        Ok(())
    }

    fn headings(&mut self, above: &str, names: &[&str]) -> Result<(), XlsxError> {
        self.sheet.write_string_with_format(self.row + 1, 0, above, &self.label)?;
        self.row += 2;
        for (column, name) in (0..).zip(names) {
            self.sheet.write_string_with_format(self.row, column, *name, &self.heading)?;
        }
        self.row += 1;
        Ok(())
    }

    fn head(&mut self, copied: &Copied) -> Result<(), XlsxError> {
        let data = self.data;
        for (column, width) in (0..).zip([14, 16, 14, 14, 16, MESSAGE_WIDTH, 28, 16]) {
            self.sheet.set_column_width(column, width)?;
        }
        self.sheet.write_string_with_format(0, 0, self.say("报送回执", "Receipt"), &self.title)?;
        self.row = 2;
        for (label, value) in data.head() {
            self.line(label, &value)?;
        }
        if copied.excerpt {
            let text = self.say(
                "报送内容较多，后面的工作表只列出表头和有问题的行",
                "much was sent: the sheets that follow show the headers and the rows with findings only",
            );
            self.line("", text)?;
        }
        // Why is told in English by what reads and writes workbooks.
        if let Some(why) = &copied.made_anew {
            let text = self.say(
                "原工作簿不能直接标注，后面的工作表是按内容重新生成的，格式、公式和图表请看原文件".to_owned(),
                format!(
                    "your workbook could not be marked as it is ({why}): the sheets that follow are made from \
                     its values; for formats, formulas and charts see the file you sent"
                ),
            );
            self.line("", &text)?;
        }
        if let Some(why) = &copied.broke_off {
            let text = self.say(
                "报送的内容未能全部附在后面；问题清单仍是完整的".to_owned(),
                format!("what was sent could not be copied in full ({why}); the findings are complete"),
            );
            self.line("", &text)?;
        }
        Ok(())
    }

    fn counts(&mut self) -> Result<(), XlsxError> {
        let data = self.data;
        let names = [self.say("类别", "what"), self.say("数量", "how many")];
        self.headings(self.say("数量", "Counts"), &names)?;
        for (name, count) in data.counted() {
            self.text(0, name)?;
            self.sheet.write_number(self.row, 1, count as f64)?;
            self.row += 1;
        }
        Ok(())
    }

    fn reading(&mut self) -> Result<(), XlsxError> {
        let data = self.data;
        let names = [
            self.say("工作表", "sheet"),
            self.say("列", "column"),
            self.say("表头", "header"),
            self.say("单位", "unit"),
            self.say("依据", "found by"),
            self.say("理解为", "taken for"),
        ];
        self.headings(self.say("表格是这样理解的", "How the file was understood"), &names)?;
        let how = data.written().join("  ");
        self.text(0, &self.say(format!("文件格式：{how}"), format!("written as: {how}")))?;
        self.row += 1;
        for report in &data.report.sheets {
            let rows: Vec<String> = report.header_rows.iter().map(u32::to_string).collect();
            self.text(0, &report.name)?;
            self.text(3, report.unit.as_deref().unwrap_or_default())?;
            self.text(
                5,
                &match rows.is_empty() {
                    true => self.say("没有找到表头，未读取", "no header was found; not read").to_owned(),
                    false => {
                        let (header, count) = (rows.join("、"), report.rows);
                        self.say(
                            format!("表头在第 {header} 行，数据 {count} 行"),
                            format!("header in row {header}, {count} rows of data"),
                        )
                    }
                },
            )?;
            self.row += 1;
            for column in report.columns.iter().take(MAX_COLUMNS_TOLD) {
                if data.has_cells() {
                    self.text(1, &column_letters(column.index))?;
                }
                self.text(2, &column.header)?;
                self.text(3, column.unit.as_deref().unwrap_or_default())?;
                self.text(4, self.how(&column.how))?;
                let field = column.field.as_deref().map(|field| data.title(field));
                self.text(
                    5,
                    field.unwrap_or(match column.how.as_str() {
                        "serial" => self.say("（行的序号，只用来核对）", "(numbers of rows; checked only)"),
                        "units" => self.say("（各行金额的单位）", "(the unit of each row's amounts)"),
                        _ => self.say("（未识别，原样保留）", "(not known; kept as it is)"),
                    }),
                )?;
                self.row += 1;
            }
        }
        Ok(())
    }

    /// The reader's word for how a column was found, in the receipt's language.
    fn how<'w>(&self, word: &'w str) -> &'w str {
        let zh = match word {
            "name" => "字段名",
            "label" => "名称",
            "alias" => "别名",
            "pattern" => "格式",
            "weak alias" => "相近名称",
            "confirmed" => "已确认",
            "neighbour" => "相邻列",
            "values" => "列内容",
            "serial" => "序号列",
            "units" => "单位列",
            "unknown" => "",
            other => other,
        };
        self.say(zh, if word == "unknown" { "" } else { word })
    }

    fn codes(&mut self) -> Result<(), XlsxError> {
        if self.data.codes.is_empty() {
            return Ok(());
        }
        let data = self.data;
        let (title, names) = data.codes_title();
        self.headings(title, &names)?;
        for (code, count) in &data.codes {
            self.text(0, code)?;
            self.sheet.write_number(self.row, 1, *count as f64)?;
            self.text(2, &data.meaning(code))?;
            self.row += 1;
        }
        Ok(())
    }

    fn findings(&mut self, copied: &Copied) -> Result<(), XlsxError> {
        let data = self.data;
        if data.findings.is_empty() {
            return Ok(());
        }
        let shown = data.findings.len().min(MAX_LISTED);
        self.headings(&data.findings_title(shown), &data.finding_columns())?;
        let first = self.row - 1;
        for (i, finding) in data.findings.iter().take(shown).enumerate() {
            self.finding(i, finding, copied)?;
        }
        self.sheet.autofilter(first, 0, self.row - 1, 7)?;
        Ok(())
    }

    fn finding(&mut self, i: usize, finding: &Finding, copied: &Copied) -> Result<(), XlsxError> {
        let data = self.data;
        self.sheet.write_number(self.row, 0, (i + 1) as f64)?;
        if let Some(place) = data.place(finding) {
            self.text(1, place.name)?;
            let number = place.row;
            let text = data.place_text(place);
            match copied.names.get(&place.sheet).filter(|_| i < MAX_LINKS) {
                Some(name) => {
                    let column = place.column.unwrap_or_else(|| data.first_column(place.sheet));
                    let to = format!("internal:'{name}'!{}{number}", column_letters(column));
                    self.sheet.write_url(self.row, 2, Url::new(to).set_text(text))?;
                }
                None => self.text(2, &text)?,
            }
        }
        let severity = Format::new().set_background_color(fill(finding.severity));
        self.sheet.write_string_with_format(
            self.row,
            3,
            data.language.severity(finding.severity),
            &severity,
        )?;
        self.text(4, finding.field.as_deref().map_or("", |field| data.title(field)))?;
        let message = clean(finding.message.in_language(data.language.code()), MAX_CHARS);
        // Not every program makes a row as high as its text needs. A line is not always filled to its end.
        let line = usize::from(MESSAGE_WIDTH - 4);
        let lines: usize = message.lines().map(|text| width(text).div_ceil(line).max(1)).sum();
        if lines > 1 {
            self.sheet.set_row_height(self.row, LINE_HEIGHT * lines.min(20) as f64)?;
        }
        self.sheet.write_string_with_format(self.row, 5, message, &self.wrapped)?;
        self.text(6, &data.sent(finding))?;
        self.text(7, &finding.code)?;
        self.row += 1;
        Ok(())
    }
}
