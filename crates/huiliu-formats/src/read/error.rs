//! Why a file as a whole cannot be read. Every text says what to do, since the sender reads it.

use std::fmt;

use huiliu_stage::{Finding, Severity, Text};

/// A file cannot be read at all, or not to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// About the delivery as a whole: severity error, code `V26`.
    pub finding: Box<Finding>,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.finding.message.in_language("en"))
    }
}

impl std::error::Error for ReadError {}

impl ReadError {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { finding: Box::new(Finding::new(None, Severity::Error, "V26", Text::new(zh, en))) }
    }

    pub(super) fn io(error: &std::io::Error) -> Self {
        Self::new("文件读取失败；请重新上传", format!("cannot read the file: {error}; send it again"))
    }

    pub(super) fn empty() -> Self {
        Self::new("文件是空的；请检查后重新上传", "the file is empty; check it and send it again")
    }

    pub(super) fn encrypted() -> Self {
        Self::new(
            "文件设有打开密码；请取消密码后重新上传",
            "the file is protected by a password; remove the password and send it again",
        )
    }

    /// Its writer made room for more than it wrote.
    pub(super) fn unfilled() -> Self {
        Self::new(
            "文件末尾全是空字节，可能没有传完；请重新上传完整的文件",
            "the file ends in nothing but zero bytes, perhaps it was not copied to its end; send the whole file",
        )
    }

    /// It is no table; such files come with tables as evidence.
    pub(super) fn wrong_type(zh: &str, en: &str) -> Self {
        Self::new(
            format!(
                "这是{}，不是表格；请把表格另存为 .xlsx 或 .csv 后上传；如果是佐证材料，请与表格一起打包成 .zip 上传",
                spaced(zh)
            ),
            format!(
                "this is {en}, not a table that can be read; save the table as .xlsx or .csv and send that; what proves a table goes into one .zip with it"
            ),
        )
    }

    /// It may hold tables, and is packed in a way that is not read.
    pub(super) fn other_archive(zh: &str, en: &str) -> Self {
        Self::new(
            format!(
                "这是{}，系统不读取这种格式；请解压后直接上传里面的表格，有佐证材料的请改为打包成 .zip 上传",
                spaced(zh)
            ),
            format!(
                "this is {en}, which is not read; unpack it and send the tables, or pack them with their evidence as .zip"
            ),
        )
    }

    pub(super) fn damaged(error: &dyn fmt::Display) -> Self {
        Self::new(
            "工作簿已损坏或不完整；请用表格软件打开、另存后重新上传",
            format!("the workbook is damaged or cut off ({error}); open it, save it anew and send that"),
        )
    }

    /// The same of a file that is XML but no workbook.
    pub(super) fn of_xml(mut self) -> Self {
        let text = &mut self.finding.message;
        text.zh = text
            .zh
            .replace("工作簿已损坏或不完整", "XML 文件已损坏或不完整")
            .replace("用表格软件打开、另存", "重新导出");
        text.en = text
            .en
            .replace("the workbook is damaged", "the XML file is damaged")
            .replace("open it, save it anew", "export it anew");
        self
    }

    pub(super) fn too_large(zh: &str, en: &str, limit: u64) -> Self {
        Self::new(
            format!("{zh}超过上限 {limit}；请拆分后上传"),
            format!("{en} exceeds the limit of {limit}; split the file"),
        )
    }

    /// No row of the file names columns that the record schema knows.
    pub(super) fn no_header(fields: &[String]) -> Self {
        let some = fields.iter().take(8).cloned().collect::<Vec<_>>().join("、");
        Self::new(
            format!("前20行中没有找到表头；表头应含有如下列名：{some}"),
            format!("no header was found in the first 20 rows; columns such as {some} are expected"),
        )
    }

    /// How the text was read in which none was found: it may have been misunderstood.
    pub(super) fn read_as(mut self, encoding: &str, delimiter: &str) -> Self {
        let text = &mut self.finding.message;
        let (zh, en) = match delimiter {
            "\t" => ("制表符".to_owned(), "a tab".to_owned()),
            other => (format!("“{other}”"), format!("`{other}`")),
        };
        text.zh.push_str(&format!(
            "。文件是按 {encoding} 编码、以{zh}分列读取的；如果不对，请另存为 UTF-8 编码、逗号分隔的 CSV"
        ));
        text.en.push_str(&format!(
            "; the file was read as {encoding}, cut at {en}; if that is wrong, save it as UTF-8 with commas"
        ));
        self
    }
}

/// Latin letters within Chinese stand apart.
fn spaced(zh: &str) -> String {
    let latin = zh.starts_with(|c: char| c.is_ascii_alphanumeric());
    format!("{}{zh}", if latin { " " } else { "" })
}
