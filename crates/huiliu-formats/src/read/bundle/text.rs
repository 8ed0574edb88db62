//! What is said about packages, in both languages.

use std::fmt;

use huiliu_stage::{Finding, Severity, Text};

use crate::read::error::ReadError;

/// Most characters of a path in a message.
const SHOWN: usize = 120;

/// A path as it may stand in a message.
pub(super) fn shown(path: &str) -> String {
    path.chars().filter(|c| !c.is_control()).take(SHOWN).collect()
}

pub(super) fn too_deep(path: &str, most: u32) -> ReadError {
    let path = shown(path);
    ReadError::new(
        format!("压缩包“{path}”嵌套超过{most}层，已拒收；请解开里层的压缩包后重新打包上传"),
        format!(
            "`{path}` is a package within more than {most} levels of packages, and all was refused; unpack the inner ones and pack it anew"
        ),
    )
}

pub(super) fn too_large(limit: u64) -> ReadError {
    ReadError::too_large("解压后的大小（字节）", "the unpacked size in bytes", limit)
}

pub(super) fn broken(path: &str, error: &dyn fmt::Display) -> ReadError {
    let path = shown(path);
    ReadError::new(
        format!("压缩包中的“{path}”已损坏；请重新打包后上传"),
        format!("`{path}` in the package is damaged ({error}); pack it anew and send that"),
    )
}

pub(super) fn no_table() -> ReadError {
    ReadError::new(
        "压缩包里没有表格；请把项目表格（.xlsx 或 .csv）和佐证材料一起打包上传",
        "the package holds no table; pack the table (.xlsx or .csv) together with the files that belong to it",
    )
}

/// The same, with the file that it is about.
pub(super) fn within(path: &str, mut error: ReadError) -> ReadError {
    error.finding.message = inside(path, &error.finding.message);
    error
}

/// A sentence about a file of the package.
pub(super) fn inside(path: &str, text: &Text) -> Text {
    let path = shown(path);
    Text::new(
        format!("压缩包中的“{path}”：{}", text.zh),
        format!("`{path}` in the package: {}", text.in_language("en")),
    )
}

/// A file that looked like a table and could not be read as one.
pub(super) fn unread(path: &str, error: &ReadError) -> Finding {
    let Text { zh, en } = inside(path, &error.finding.message);
    let text = Text::new(
        format!("{zh}（没有作为表格读取，已作为附件保存）"),
        format!("{en} (not read as a table, kept as an attachment)"),
    );
    Finding::new(None, Severity::Warning, "package", text).with_raw(shown(path))
}

/// A table whose columns are not those of the first one.
pub(super) fn other_columns(path: &str) -> Finding {
    let path = shown(path);
    let text = Text::new(
        format!("压缩包中的“{path}”与第一张表的列不同，没有读取；请用记录格式读取，或单独上传"),
        format!(
            "`{path}` in the package has other columns than the first table and was not read; give a record schema or send it alone"
        ),
    );
    Finding::new(None, Severity::Warning, "package", text).with_raw(path)
}

/// A cell names a file that the package does not hold.
pub(super) fn missing(row: i64, field: Option<&str>, heading: &str, name: &str) -> Finding {
    let name = shown(name);
    let text = Text::new(
        format!("“{heading}”中写的“{name}”不在压缩包里；请补上这个文件，或改正文件名"),
        format!("`{name}`, named under `{heading}`, is not in the package; add the file or mend its name"),
    );
    at(row, field, "evidence-missing", text, &name)
}

/// A cell names a file of which there are several.
pub(super) fn ambiguous(row: i64, field: Option<&str>, name: &str, paths: &[&str]) -> Finding {
    let (name, paths) = (shown(name), paths.iter().take(5).map(|p| shown(p)).collect::<Vec<_>>().join("、"));
    let text = Text::new(
        format!("压缩包里有几个文件都叫“{name}”（{paths}），已全部关联到这一行；请写明文件夹"),
        format!(
            "several files are called `{name}` ({paths}); all were linked to this row; name the folder as well"
        ),
    );
    at(row, field, "evidence-ambiguous", text, &name)
}

fn at(row: i64, field: Option<&str>, code: &str, text: Text, raw: &str) -> Finding {
    let finding = Finding::new(Some(row), Severity::Warning, code, text).with_raw(raw);
    match field {
        Some(field) => finding.with_field(field),
        None => finding,
    }
}

/// A cell names more files than are looked for.
pub(super) fn too_many_names(row: i64, field: Option<&str>, most: usize) -> Finding {
    let text = Text::new(
        format!("这一格写的文件名超过{most}个，其余没有核对；请分行填写"),
        format!("this cell names more than {most} files; the others were not looked for; use several rows"),
    );
    at(row, field, "evidence-names", text, "")
}

/// An attachment that no row names.
pub(super) fn unreferenced(path: &str) -> Finding {
    let path = shown(path);
    let text = Text::new(
        format!(
            "附件“{path}”没有对应到任何项目，已保存；请在表中“佐证材料”列写上文件名，或放进以项目代码或项目名称命名的文件夹"
        ),
        format!(
            "attachment `{path}` belongs to no row; it is kept; name it in the evidence column, or put it into a folder named after the project's code or name"
        ),
    );
    Finding::new(None, Severity::Warning, "evidence-unreferenced", text).with_raw(path)
}

/// How many more attachments no row names.
pub(super) fn more_unreferenced(count: usize) -> Finding {
    let text = Text::new(
        format!("另有{count}个附件没有对应到任何项目，已保存"),
        format!("{count} more attachments belong to no row; they are kept"),
    );
    Finding::new(None, Severity::Warning, "evidence-unreferenced", text)
}

/// There are more links than are kept.
pub(super) fn too_many_links(most: usize) -> Finding {
    let text = Text::new(
        format!("附件与项目的对应关系超过{most}条，其余没有记录；请分批上传"),
        format!(
            "there are more than {most} links between rows and attachments; the others were not noted; send fewer at once"
        ),
    );
    Finding::new(None, Severity::Warning, "evidence-links", text)
}
