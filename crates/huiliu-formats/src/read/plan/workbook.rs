//! Workbooks: which sheets are read, and the header of each.

use std::collections::BTreeMap;
use std::fs::File;

use huiliu_stage::{Finding, Severity};

use super::Plan;
use super::tell::{form, hidden, passed_over};
use crate::read::error::ReadError;
use crate::read::header::Grid;
use crate::read::merged::Merged;
use crate::read::workbook::{Bare, XlsxSource};
use crate::read::{Reading, Source, unshown};
use crate::report::SheetReport;

impl Plan<'_> {
    /// A workbook, of which each sheet with a header is read.
    pub(super) fn workbook(&mut self, file: File, head: &[u8]) -> Result<Reading, ReadError> {
        let (source, told) = XlsxSource::open_any(file, head, self.options)?;
        let mut source = source.with_hidden(self.options.format.hidden);
        if let Some(told) = told {
            self.report.encoding = told.charset.name();
            self.report.encoding_by = told.how.as_str().to_owned();
        }
        self.report.format = source.format().to_owned();
        let all = source.sheets().to_vec();
        let wanted = self.options.format.sheet.as_deref();
        if let Some(wanted) = wanted
            && !all.iter().any(|(name, _)| name == wanted)
        {
            let there = all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join("、");
            return Err(ReadError::new(
                format!("没有名为“{wanted}”的工作表；有：{there}"),
                format!("there is no sheet `{wanted}`; there are: {there}"),
            ));
        }
        // Pages have tables for menus and layout, which nobody wants to hear of.
        let largest = source.largest().map(str::to_owned).filter(|_| wanted.is_none());
        let mut empty = true;
        for (ordinal, (name, visible)) in all.iter().enumerate() {
            // What is wrong with a sheet that nobody sees harms nobody.
            let holds = |rows: Result<Grid, ReadError>| rows.is_ok_and(|rows| !rows.is_empty());
            if wanted.is_none() && !visible && source.hides_sheets() && holds(source.first_rows(name)) {
                self.general.push(hidden(name));
            }
            let skip = wanted.map_or(!visible, |wanted| wanted != name);
            // Without a record schema one sheet gives the columns.
            if skip || (self.known.is_some() && self.is_raw()) {
                continue;
            }
            if self.known.is_none() && largest.as_ref().is_some_and(|largest| largest != name) {
                continue;
            }
            let grid = source.first_rows(name)?;
            if grid.is_empty() {
                continue;
            }
            empty = false;
            let wanted_merges = self.wants_merges(&grid);
            let merged = match wanted_merges {
                true => Merged::new(source.merges(name)?),
                false => Merged::default(),
            };
            let form = self.is_form(&grid).then(|| form(name));
            let found = form.is_none() && self.find_header(name.clone(), ordinal as u32, &grid, &merged);
            if let Some(sheet) = self.sheets.last_mut().filter(|_| found && !wanted_merges) {
                sheet.merges_unseen = self.known.is_some() && sheet.kinds.is_some();
            }
            if found && let Some(bare) = source.bare() {
                self.tell_bare(bare);
            }
            if !found {
                if largest.is_some() {
                    continue;
                }
                self.general.push(match form {
                    Some(text) => Finding::new(None, Severity::Error, "sheet", text),
                    None => passed_over(name),
                });
                self.report.sheets.push(SheetReport { name: name.clone(), ..SheetReport::default() });
            }
        }
        if empty {
            if let Some(Finding { message, .. }) = self.general.first() {
                return Err(ReadError::new(message.zh.clone(), message.en.clone()));
            }
            return Err(ReadError::new(
                "工作簿里没有内容；请检查后重新上传",
                "the workbook holds nothing; check it and send it again",
            ));
        }
        if self.sheets.is_empty() {
            // Without a sheet to read the findings are told by nobody, and a form is the better reason.
            let form = self.general.iter().find(|finding| finding.severity == Severity::Error);
            if let Some(finding) = form {
                return Err(ReadError::new(finding.message.zh.clone(), finding.message.en.clone()));
            }
            return Err(self.no_header());
        }
        let headless = self.is_raw() && self.sheets.iter().all(|sheet| sheet.layout.header_rows.is_empty());
        let names = all.into_iter().map(|(name, _)| name).collect();
        let reading = self.reading(Source::Xlsx(Box::new(source)), names)?;
        Ok(Reading { header: headless.then(Vec::new), ..reading })
    }

    fn is_raw(&self) -> bool {
        self.sheets.iter().any(|sheet| sheet.kinds.is_none())
    }

    /// Whether merged cells may matter. To find them costs a look through the whole sheet, which one that fills every
    /// cell of its first rows need not pay for.
    fn wants_merges(&self, grid: &Grid) -> bool {
        let width = grid.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
        let full = |cells: &[String]| cells.len() == width && cells.iter().all(|cell| !cell.is_empty());
        let down = self.known.iter().any(|(record, _)| record.fields.iter().any(|field| field.fill_down));
        down || !grid.iter().all(|(_, cells)| full(cells))
    }

    /// Says which columns of the sheet that was added last may have been shown in another way than they are read.
    fn tell_bare(&mut self, bare: &BTreeMap<u32, Bare>) {
        if let (Some(sheet), Some((record, _))) = (self.sheets.last_mut(), &self.known) {
            sheet.findings.extend(unshown::findings(&sheet.name, &sheet.layout, record, bare));
        }
    }
}
