//! What the sender is told of how the columns were understood.

use huiliu_stage::{Finding, Severity, Text, column_letters};

use super::Layout;

/// What the sender should know of how the columns were understood. `fields` are the names of the record's fields.
pub(in crate::read) fn findings(sheet: &str, layout: &Layout, fields: &[String]) -> Vec<Finding> {
    let place = if sheet.is_empty() { String::new() } else { format!("{sheet} ") };
    let mut all = Vec::new();
    for (index, column) in layout.columns.iter().enumerate().filter(|(_, c)| !c.header.is_empty()) {
        let (letters, header) = (column_letters(index), &column.header);
        let twin = layout.twins.iter().find(|(of, _)| *of == index).and_then(|(_, field)| {
            let first = layout.column_of(*field).map(column_letters)?;
            Some((first, fields.get(*field)?))
        });
        let (severity, zh, en, field) = match (twin, column.field, column.how) {
            (Some((first, field)), ..) => (
                Severity::Error,
                format!(
                    "{place}{letters}列“{header}”与{first}列是同一字段，只采用{first}列，本列原样保留；请删去一列"
                ),
                format!(
                    "{place}column {letters} `{header}` names the same field as column {first}, which was taken; drop one of them"
                ),
                Some(field),
            ),
            (None, Some(field), "weak alias" | "neighbour" | "values") => (
                Severity::Warning,
                format!(
                    "{place}{letters}列“{header}”按“{}”读取；列名不够明确，请核对",
                    fields.get(field).map_or("", |f| f)
                ),
                format!(
                    "{place}column {letters} `{header}` was taken for `{}`; its name may mean other things, please check",
                    fields.get(field).map_or("", |f| f)
                ),
                fields.get(field),
            ),
            (None, None, _) if !column.others.is_empty() => {
                let named = column.others.iter().filter_map(|field| fields.get(*field).map(String::as_str));
                let named: Vec<&str> = named.collect();
                (
                    Severity::Warning,
                    format!(
                        "{place}{letters}列“{header}”可能是{}，无法确定，内容原样保留；请改用明确的列名或确认对应关系",
                        named.join("、")
                    ),
                    format!(
                        "{place}column {letters} `{header}` may be {}; its values are kept as they are, name it clearly or confirm its field",
                        named.join(" or ")
                    ),
                    None,
                )
            }
            (None, None, _) => (
                Severity::Info,
                format!("{place}{letters}列“{header}”不是已知字段，内容原样保留"),
                format!(
                    "{place}column {letters} `{header}` is no known field; its values are kept as they are"
                ),
                None,
            ),
            _ => continue,
        };
        let finding = Finding::new(None, severity, "V24", Text::new(zh, en)).with_raw(header.as_str());
        all.push(match field {
            Some(field) => finding.with_field(field.as_str()),
            None => finding,
        });
    }
    all
}
