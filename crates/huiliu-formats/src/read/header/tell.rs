//! What the sender is told of how the columns were understood.

use huiliu_stage::{Finding, Severity, Text, column_letters};

use super::periods::Other;
use super::{Layout, NUMBERED};

/// What the sender should know of how the columns were understood. `fields` are the names of the record's fields,
/// `titles` what people call them.
pub(in crate::read) fn findings(
    sheet: &str,
    layout: &Layout,
    fields: &[String],
    titles: &[String],
) -> Vec<Finding> {
    let place = if sheet.is_empty() { String::new() } else { format!("{sheet} ") };
    let mut all = Vec::new();
    let beside = beside(layout);
    if let (Some(&first), Some(&last)) = (beside.first(), beside.last()) {
        let columns = format!("{}–{}", column_letters(first), column_letters(last));
        let text = Text::new(
            format!(
                "{place}{columns}列是并排的另一张表，列名与左边的表相同，只读取了左边的表，右边的内容原样保留；请把它接在左边的表下面"
            ),
            format!(
                "{place}columns {columns} are a second table beside the first, with the same headers; the left one was read, what the right one holds is kept as it is; put it below the left one"
            ),
        );
        all.push(Finding::new(None, Severity::Error, "V24", text));
    }
    all.extend(layout.unclear_unit.map(|unit| unclear_unit(&place, unit)));
    let unused = layout.unit.as_ref().filter(|_| layout.unused_unit);
    all.extend(unused.map(|unit| unused_unit(&place, &unit.name)));
    all.extend(layout.unsaid_units.iter().filter_map(|unsaid| unsaid_unit(&place, layout, unsaid)));
    all.extend(layout.side.map(|columns| aside(&place, columns)));
    all.extend(layout.periods.iter().filter_map(|other| of_period(&place, layout, other, titles, fields)));
    let is_side = |index: usize| layout.side.is_some_and(|(first, last)| (first..=last).contains(&index));
    let is_told = |index: usize| is_side(index) || layout.periods.iter().any(|other| other.column == index);
    let untold = |index: &usize| !beside.contains(index) && !is_told(*index);
    for (index, column) in
        layout.columns.iter().enumerate().filter(|(at, c)| untold(at) && !c.header.is_empty())
    {
        let (letters, header) = (column_letters(index), &column.header);
        let twin = layout.twins.iter().find(|(of, _)| *of == index).and_then(|(_, field)| {
            let first = layout.column_of(*field).map(column_letters)?;
            Some((first, fields.get(*field)?))
        });
        if let Some((_, field, unit)) = layout.strange.iter().find(|(of, ..)| *of == index) {
            let title = titles.get(*field).map_or("", String::as_str);
            let text = Text::new(
                format!(
                    "{place}{letters}列“{header}”的单位“{unit}”看不懂或与“{title}”不符，没有按数值读取，内容原样保留；请写明一个单位，如万元"
                ),
                format!(
                    "{place}column {letters} `{header}` has a unit `{unit}` that is not understood or not one of its field; it was not read and its values are kept as they are, state one unit"
                ),
            );
            let finding = Finding::new(None, Severity::Error, "V24", text).with_raw(header.as_str());
            all.push(match fields.get(*field) {
                Some(field) => finding.with_field(field.as_str()),
                None => finding,
            });
            continue;
        }
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
                    titles.get(field).map_or("", |f| f)
                ),
                format!(
                    "{place}column {letters} `{header}` was taken for `{}`; its name may mean other things, please check",
                    fields.get(field).map_or("", |f| f)
                ),
                fields.get(field),
            ),
            (None, None, _) if !column.others.is_empty() => {
                let named = |words: &[String], between: &str| {
                    let named = column.others.iter().filter_map(|field| words.get(*field).cloned());
                    named.collect::<Vec<_>>().join(between)
                };
                (
                    Severity::Warning,
                    format!(
                        "{place}{letters}列“{header}”可能是{}，无法确定，内容原样保留；请改用明确的列名或确认对应关系",
                        named(titles, "、")
                    ),
                    format!(
                        "{place}column {letters} `{header}` may be {}; its values are kept as they are, name it clearly or confirm its field",
                        named(fields, " or ")
                    ),
                    None,
                )
            }
            (None, None, NUMBERED) => continue,
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

/// A unit of money stands above the table, and nothing says that amounts are in it.
fn unclear_unit(place: &str, unit: &str) -> Finding {
    let text = Text::new(
        format!(
            "{place}表头上方写有“{unit}”，但看不出是不是金额单位，没有采用；请写成“单位：{unit}”或写进金额列的列名"
        ),
        format!(
            "{place}`{unit}` stands above the header, but nothing says that it is the unit of amounts, so it was not used; write `单位：{unit}` or put it into the headers of amounts"
        ),
    );
    Finding::new(None, Severity::Warning, "unit", text)
}

/// The unit above the table is not that of the headers.
fn unused_unit(place: &str, unit: &str) -> Finding {
    let text = Text::new(
        format!("{place}表头上方写明单位是“{unit}”，而金额列的列名写的是其他单位，按列名的单位读取；请核对"),
        format!(
            "{place}the unit above the header is `{unit}`, while the headers of all amounts say others; amounts were read as their headers say, check them"
        ),
    );
    Finding::new(None, Severity::Warning, "unit", text)
}

/// An amount has no unit, and another one has.
fn unsaid_unit(
    place: &str,
    layout: &Layout,
    (column, own, other): &(usize, String, String),
) -> Option<Finding> {
    let (letters, header) = (column_letters(*column), &layout.columns.get(*column)?.header);
    let text = Text::new(
        format!(
            "{place}{letters}列“{header}”没有写明单位，按“{own}”读取，而表中另有金额列的单位是“{other}”；请核对，并写明单位"
        ),
        format!(
            "{place}column {letters} `{header}` does not say its unit and was read in `{own}`, while another amount is in `{other}`; check it and write the unit into its header"
        ),
    );
    Some(Finding::new(None, Severity::Warning, "unit", text).with_raw(header.as_str()))
}

/// Another table stands beside the first one.
fn aside(place: &str, (first, last): (usize, usize)) -> Finding {
    let columns = format!("{}–{}", column_letters(first), column_letters(last));
    let text = Text::new(
        format!(
            "{place}{columns}列是并排的另一张表，没有读取，内容原样保留；请放到单独的工作表，或接在左边的表下面"
        ),
        format!(
            "{place}columns {columns} are a second table beside the first, which was not read; what it holds is kept as it is, put it into a sheet of its own or below the left one"
        ),
    );
    Finding::new(None, Severity::Error, "V24", text)
}

/// A column is of a field, but for another month or year than the one that was taken.
fn of_period(
    place: &str,
    layout: &Layout,
    other: &Other,
    titles: &[String],
    fields: &[String],
) -> Option<Finding> {
    let (letters, header) = (column_letters(other.column), &layout.columns.get(other.column)?.header);
    let (title, field) = (titles.get(other.field)?, fields.get(other.field)?);
    let text = match other.taken.map(column_letters) {
        Some(taken) => Text::new(
            format!(
                "{place}{letters}列“{header}”是较早一期的“{title}”，采用的是较晚的{taken}列，本列原样保留"
            ),
            format!(
                "{place}column {letters} `{header}` is `{field}` of an earlier period; the later one in column {taken} was taken, this one is kept as it is"
            ),
        ),
        None => Text::new(
            format!(
                "{place}{letters}列“{header}”是多期“{title}”中的一期，无法确定采用哪一期，都没有采用，内容原样保留；请只保留本期的一列"
            ),
            format!(
                "{place}column {letters} `{header}` is one of several periods of `{field}`; none was taken, they are kept as they are; leave the one column that is meant"
            ),
        ),
    };
    Some(
        Finding::new(None, Severity::Warning, "V24", text)
            .with_raw(header.as_str())
            .with_field(field.as_str()),
    )
}

/// Columns of a table that stands beside the first one: headers that come again in the same order and distance.
fn beside(layout: &Layout) -> Vec<usize> {
    let away =
        |(column, field): &(usize, usize)| Some((*column, column.checked_sub(layout.column_of(*field)?)?));
    let twins: Vec<(usize, usize)> = layout.twins.iter().filter_map(away).collect();
    let Some(&(_, distance)) = twins.first() else { return Vec::new() };
    let mut columns: Vec<usize> =
        twins.iter().filter(|(_, away)| *away == distance).map(|(column, _)| *column).collect();
    columns.sort_unstable();
    if columns.len() >= 2 { columns } else { Vec::new() }
}
