//! How a sender is told of rows that are no data.

use huiliu_stage::{Finding, Severity, Text, cell_address, row_id};

use super::group::Title;
use super::kind::Kind;
use crate::read::chunk::View;

impl Kind {
    pub(super) fn text(&self) -> (&'static str, &'static str) {
        match self {
            Self::Blank => ("空行", "a blank row"),
            Self::Header => ("重复的表头", "the header again"),
            Self::Heading => ("重复的标题", "the title again"),
            Self::Total(_) => ("合计行", "a row of totals"),
            Self::Group(..) => ("分类标题行", "the title of a group"),
            Self::Share => ("合计的其中项", "a part of a total"),
            Self::Note => ("说明行", "a note"),
            Self::Footer => ("填报信息行", "a footer"),
            Self::OtherUnit(_) | Self::Unit => ("单位行", "a row with a unit"),
            Self::OtherTable | Self::OtherRow => ("另一张表", "of another table"),
        }
    }
}

/// A title of a group was met.
pub(super) fn opened(
    sheet: u32,
    number: u32,
    (column, cell): (usize, &str),
    title: &Title,
    fields: &[String],
) -> Finding {
    let address = cell_address(column, number);
    let (zh, en) = match &title.means {
        Some((field, value)) => {
            let field = fields.get(*field).map_or("", |field| field);
            (
                format!(
                    "{address}“{cell}”是分类标题，以下各行“{field}”为空的按“{value}”读取；如果是项目，请补全其他列"
                ),
                format!(
                    "{address} `{cell}` is the title of a group; rows below it without {field} get `{value}`; if it is a record, fill in its columns"
                ),
            )
        }
        None => (
            format!("{address}“{cell}”是分类标题，没有对应的字段，不作为数据；如果是项目，请补全其他列"),
            format!(
                "{address} `{cell}` is the title of a group that names no field, and no data; if it is a record, fill in its columns"
            ),
        ),
    };
    let text = Text::new(zh, en);
    Finding::new(Some(row_id(sheet, number)), Severity::Info, "skipped", text).with_raw(cell)
}

/// The sheet's name gives a value to rows.
pub(super) fn says_sheet(name: &str, fields: &[String], field: usize, value: &str) -> Finding {
    let field = fields.get(field).map_or("", |field| field);
    let text = Text::new(
        format!("工作表名“{name}”说明了“{field}”，该列为空的行按“{value}”读取"),
        format!("the sheet's name `{name}` tells {field}; rows without it get `{value}`"),
    );
    Finding::new(None, Severity::Info, "sheet", text)
}

/// A unit was met that is not the one by which amounts are read.
pub(super) fn other_unit(number: u32, sheet: u32, unit: &str, own: &str) -> Finding {
    let text = Text::new(
        format!(
            "第{number}行写明单位是“{unit}”，而上面的金额是按“{own}”读取的，其后各行没有读取；请把单位写进表头，各表分开后重新报送"
        ),
        format!(
            "row {number} says that the unit is `{unit}`, while the amounts above it were read in `{own}`; what follows was not read; write units into the header and send the file again"
        ),
    );
    Finding::new(Some(row_id(sheet, number)), Severity::Error, "unit", text)
}

/// A column of units says otherwise than the header of the amounts beside it.
pub(super) fn units_differ() -> Finding {
    let text = Text::new(
        "“单位”列写的单位与金额列表头写的单位不同，金额按表头的单位读取；请核对，只保留一处",
        "the column of units says another unit than the header of an amount; amounts were read as the header says; check them and keep one of the two",
    );
    Finding::new(None, Severity::Error, "unit", text)
}

/// A row holds a name and nothing else that is known (domain.md §15: a data row has at least one more value).
pub(super) fn name_only(sheet: u32, number: u32, (column, cell): (usize, &str)) -> Finding {
    let address = cell_address(column, number);
    let text = Text::new(
        format!(
            "{address}“{cell}”之外第{number}行没有其他内容，没有采用；如果是项目，请补全其他列；如果是上一行或下一行断开的内容，请接回原处；如果是附注，请删除"
        ),
        format!(
            "row {number} holds nothing but {address} `{cell}` and was not taken; if it is a record, fill in its columns; if it belongs to the row above or below, put it there; if it is a note, delete it"
        ),
    );
    Finding::new(Some(row_id(sheet, number)), Severity::Error, "name-only", text).with_raw(cell)
}

/// Another table begins at a row.
pub(super) fn begins_other(number: u32, sheet: u32) -> Finding {
    let text = Text::new(
        format!("从第{number}行起是另一张表（列名或单位不同），没有读取；请把每张表放在单独的工作表或文件中"),
        format!(
            "from row {number} on there is another table with other headers or units, which was not read; put each table into a sheet or file of its own"
        ),
    );
    Finding::new(Some(row_id(sheet, number)), Severity::Error, "second-table", text)
}

/// A row was no data.
pub(super) fn skipped(view: View<'_>, row: usize, number: u32, sheet: u32, kind: &Kind) -> Finding {
    let (zh, en) = kind.text();
    let cell = view.row(row).find(|cell| !cell.trim().is_empty()).unwrap_or_default().trim();
    let text = Text::new(
        format!("第{number}行是{zh}，没有作为数据读取；如果是项目，请补全项目名称等内容"),
        format!("row {number} is {en} and was not read as data; if it is a record, fill in its columns"),
    );
    Finding::new(Some(row_id(sheet, number)), Severity::Info, "skipped", text).with_raw(cell)
}
