//! What `dedup` says to the sender of a row. All texts are here.

use arrow::array::{Array, AsArray, Int64Array, RecordBatch};
use arrow::datatypes::Int64Type;
use huiliu_stage::{Fate, Finding, Severity, StageError, Text, row_number};

use crate::key::KeyRule;
use crate::records::RecordId;

/// The `_row` column of a batch.
pub(crate) fn row_ids(batch: &RecordBatch, at: usize) -> Result<&Int64Array, StageError> {
    let rows = batch.column(at).as_primitive_opt::<Int64Type>();
    rows.ok_or_else(|| StageError::new("column `_row` does not hold row numbers"))
}

/// `keep: first` dropped the row.
pub(crate) fn duplicate(row: i64, rule: &KeyRule, batch: &RecordBatch, at: usize) -> Finding {
    let text = Text::new(
        format!("此前已收到{}相同的记录，本行不再收录", rule.title),
        format!("a row with the same {} came before; this one is left out", rule.name),
    );
    let finding = Finding::new(Some(row), Severity::Info, "duplicate", text)
        .with_field(&rule.field)
        .with_fate(Fate::Dropped);
    let first = rule.columns.first().and_then(|&(column, _)| batch.column(column).as_string_opt::<i32>());
    match first.filter(|texts| texts.is_valid(at)) {
        Some(texts) => finding.with_raw(texts.value(at)),
        None => finding,
    }
}

/// The row's values went into a record that comes out under another row.
pub(crate) fn merged(row: i64, id: RecordId, into: i64) -> Finding {
    let into = row_number(into);
    let text = Text::new(
        format!("本行与第{into}行属于同一记录（{id}），已并入第{into}行"),
        format!("this row belongs to the same record ({id}) as row {into} and was merged with it"),
    );
    Finding::new(Some(row), Severity::Info, "merged", text).with_fate(Fate::Merged).with_raw(id.to_string())
}

/// The row says nothing that its record does not hold already.
pub(crate) fn unchanged(row: i64, id: RecordId) -> Finding {
    let text = Text::new(
        format!("本行内容与已有记录（{id}）一致，没有变化"),
        format!("this row says nothing new about its record ({id})"),
    );
    Finding::new(Some(row), Severity::Info, "unchanged", text)
        .with_fate(Fate::Merged)
        .with_raw(id.to_string())
}

/// Two rules point to two records.
pub(crate) fn conflict(
    row: i64,
    (rule, other_rule): (&KeyRule, &KeyRule),
    taken: RecordId,
    other: RecordId,
) -> Finding {
    let text = Text::new(
        format!(
            "按{}应为记录 {taken}，按{}却是另一记录 {other}；已并入前者，请核对两者是否为同一项",
            rule.title, other_rule.title
        ),
        format!(
            "by {} this is record {taken}, by {} it is {other}; it went into the former, please check whether both are one",
            rule.name, other_rule.name
        ),
    );
    Finding::new(Some(row), Severity::Warning, "conflict", text)
        .with_field(&other_rule.field)
        .with_raw(other.to_string())
}

/// A record was found by key and kept apart by a discriminating word or an `unless` column.
pub(crate) fn apart(
    row: i64,
    rule: &KeyRule,
    field: &str,
    title: &str,
    other: RecordId,
    own: RecordId,
) -> Finding {
    let text = Text::new(
        format!(
            "{}与记录 {other} 相同，但{title}不同，未自动合并，另立记录 {own}；如为同一项，请统一{title}",
            rule.title
        ),
        format!(
            "{} equals that of record {other}, but {field} differs: kept apart as {own}; if both are one, make {field} agree",
            rule.name
        ),
    );
    Finding::new(Some(row), Severity::Warning, "review", text).with_field(field).with_raw(other.to_string())
}

/// Several records share the key and nothing in the row says which is meant.
pub(crate) fn unclear(row: i64, rule: &KeyRule, taken: RecordId, others: usize) -> Finding {
    let text = Text::new(
        format!("有{}条记录的{}与本行相同，无法区分，暂并入 {taken}，请核对", others + 1, rule.title),
        format!(
            "{} records have the same {}; the row went into {taken}, please check",
            others + 1,
            rule.name
        ),
    );
    Finding::new(Some(row), Severity::Warning, "review", text)
        .with_field(&rule.field)
        .with_raw(taken.to_string())
}

/// Two known records turned out to be one.
pub(crate) fn united(goes: RecordId, stays: RecordId, zh: &str, en: &str) -> Finding {
    let text = Text::new(
        format!(
            "新数据表明记录 {goes} 与 {stays} 是同一项，{goes} 已自动并入 {stays}；如有误，请用 unmerge 拆开。{zh}"
        ),
        format!(
            "what came shows that records {goes} and {stays} are one: {goes} was merged into {stays}; if that is wrong, \
             `unmerge` takes them apart. {en}"
        ),
    );
    Finding::new(None, Severity::Info, "united", text).with_raw(stays.to_string())
}

/// Rows of a known record turned out to belong to another one.
pub(crate) fn handed_over(from: RecordId, to: RecordId, zh: &str, en: &str) -> Finding {
    let text = Text::new(
        format!("新数据表明原归入记录 {from} 的部分内容属于记录 {to}，已改归 {to}。{zh}"),
        format!("what came shows that a part of record {from} belongs to record {to}, where it is now. {en}"),
    );
    Finding::new(None, Severity::Info, "revised", text).with_raw(to.to_string())
}

/// Rows of a known record turned out to be another thing.
pub(crate) fn parted(from: RecordId, new: RecordId, zh: &str, en: &str) -> Finding {
    let text = Text::new(
        format!("新数据表明原归入记录 {from} 的部分内容另属一项，已另立记录 {new}。{zh}"),
        format!(
            "what came shows that a part of record {from} is another thing: it is record {new} now. {en}"
        ),
    );
    Finding::new(None, Severity::Info, "revised", text).with_raw(new.to_string())
}

/// What likeness says of a row that no key recognised: it is a record, may be one, or only looks like one.
pub(crate) fn linked(row: i64, word: &str, id: RecordId, other: RecordId, zh: &str, en: &str) -> Finding {
    let (severity, code, text) = match word {
        "match" => (
            Severity::Info,
            "linked",
            Text::new(
                format!("本行与记录 {other} 判定为同一项，已并入。{zh}"),
                format!("this row was taken for record {other} and merged with it. {en}"),
            ),
        ),
        "review" => (
            Severity::Warning,
            "review",
            Text::new(
                format!("本行与记录 {other} 疑为同一项，暂另立记录 {id}，待人工核对。{zh}"),
                format!("this row may be record {other}; it is kept as {id} until a person says so. {en}"),
            ),
        ),
        _ => (
            Severity::Info,
            "apart",
            Text::new(
                format!("本行与记录 {other} 相似，但标识不同，未合并，另立记录 {id}。{zh}"),
                format!("this row looks like record {other}, but a mark differs: kept apart as {id}. {en}"),
            ),
        ),
    };
    Finding::new(Some(row), severity, code, text).with_raw(other.to_string())
}

/// No rule speaks for the row.
pub(crate) fn no_key(row: i64, rules: &[KeyRule]) -> Finding {
    let join = |name: fn(&KeyRule) -> &str, or: &str| rules.iter().map(name).collect::<Vec<_>>().join(or);
    let text = Text::new(
        format!("缺少{}，无法与其他记录核对是否重复，请补充", join(|r| &r.title, "或")),
        format!(
            "without {} the row cannot be matched with other records; please add it",
            join(|r| &r.name, " or ")
        ),
    );
    let finding = Finding::new(Some(row), Severity::Warning, "no-key", text);
    match rules.first() {
        Some(rule) => finding.with_field(&rule.field),
        None => finding,
    }
}

/// The file was sent before and named records that it does not name any more; `some` are the names of the first.
pub(crate) fn left_out(some: &[String], count: usize) -> Finding {
    let (rest_zh, rest) = match count.saturating_sub(some.len()) {
        0 => (String::new(), String::new()),
        more => (format!("等 {count} 项"), format!(" and {more} more")),
    };
    let text = Text::new(
        format!(
            "上次报送有、这次没有（或有错误未采用）的记录：{}{rest_zh}；其原有数据仍然保留，如属遗漏请补报，如已取消请告知",
            some.join("、")
        ),
        format!(
            "the earlier delivery of this file had records that this one lacks, or has with errors: {}{rest}; what was \
             sent of them still counts; send them again if they were forgotten, tell us if they were given up",
            some.join(", ")
        ),
    );
    Finding::new(None, Severity::Warning, "left-out", text)
}

/// A number is far from the one that the record held: it was refused by the field's rule, or `taken` by it.
pub(crate) fn other_value(
    row: i64,
    id: RecordId,
    (field, title): (&str, &str),
    sent: String,
    held: &str,
    taken: bool,
) -> Finding {
    let text = match taken {
        false => Text::new(
            format!("{title}报送值 {sent} 与记录 {id} 的现有值 {held} 不一致，按规则保留现有值，请核对"),
            format!(
                "{field} {sent} contradicts {held}, which record {id} holds and keeps by its rule; please check"
            ),
        ),
        true => Text::new(
            format!("{title}报送值 {sent} 与记录 {id} 的原有值 {held} 不一致，按规则改用报送值，请核对"),
            format!(
                "{field} {sent} contradicts {held}, which record {id} held and gives up by its rule; please check"
            ),
        ),
    };
    Finding::new(Some(row), Severity::Warning, "conflict-value", text).with_field(field).with_raw(sent)
}

/// What came of a person's decision.
pub(crate) fn decision(code: &'static str, severity: Severity, zh: String, en: String) -> Finding {
    Finding::new(None, severity, code, Text::new(zh, en))
}
