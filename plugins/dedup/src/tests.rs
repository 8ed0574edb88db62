//! The stage's promises, on batches.

use std::collections::BTreeMap;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
    StringArray, TimestampMillisecondArray,
};
use arrow::datatypes::Int64Type;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Fate, Field, FieldType, Opened, Origin, RecordSchema, Severity};
use proptest::prelude::*;

use super::*;

fn schema() -> SchemaRef {
    let field = |name: &str, kind, label: &str| Field {
        name: name.into(),
        kind,
        label: label.into(),
        ..Field::default()
    };
    let fields = vec![
        field("code", FieldType::Text, "项目代码"),
        field("owner", FieldType::Text, "业主"),
        field("name", FieldType::Text, "项目名称"),
        field("total", FieldType::Money, "总投资"),
        field("jobs", FieldType::Integer, "就业"),
        field("rate", FieldType::Number, ""),
        field("done", FieldType::Boolean, ""),
        field("start", FieldType::Date, ""),
        field("at", FieldType::Timestamp, ""),
        field("tags", FieldType::List, ""),
    ];
    RecordSchema { record: "project".into(), label: String::new(), fields }.to_arrow()
}

/// A row; what is not given is missing.
#[derive(Clone, Debug, Default, PartialEq)]
struct Sent {
    code: Option<&'static str>,
    owner: Option<&'static str>,
    name: Option<&'static str>,
    total: Option<i128>,
    jobs: Option<i64>,
    rate: Option<f64>,
    done: Option<bool>,
    start: Option<i32>,
    at: Option<i64>,
    tags: Option<Vec<Option<&'static str>>>,
    extra: Option<&'static str>,
}

fn batch(delivery: &str, rows: &[Sent]) -> RecordBatch {
    let text = |get: fn(&Sent) -> Option<&'static str>| -> ArrayRef {
        Arc::new(rows.iter().map(get).collect::<StringArray>())
    };
    let total = rows.iter().map(|r| r.total).collect::<Decimal128Array>().with_precision_and_scale(18, 4);
    let at = rows.iter().map(|r| r.at).collect::<TimestampMillisecondArray>().with_timezone("UTC");
    let mut tags = arrow::array::ListBuilder::new(arrow::array::StringBuilder::new());
    rows.iter().for_each(|row| tags.append_option(row.tags.clone()));
    let columns: Vec<ArrayRef> = vec![
        text(|r| r.code),
        text(|r| r.owner),
        text(|r| r.name),
        Arc::new(total.unwrap()),
        Arc::new(rows.iter().map(|r| r.jobs).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|r| r.rate).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|r| r.done).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|r| r.start).collect::<Date32Array>()),
        Arc::new(at),
        Arc::new(tags.finish()) as Arc<ListArray>,
        Arc::new(StringArray::from(vec!["表1"; rows.len()])),
        Arc::new(Int64Array::from_iter_values(5..5 + rows.len() as i64)),
        text(|r| r.extra),
    ];
    let origin = Origin {
        delivery: delivery.to_owned(),
        sender: format!("{delivery}局"),
        file: format!("{delivery}.xlsx"),
        received_ms: 7,
        columns: [("code".to_owned(), 0), ("name".to_owned(), 2)].into(),
    };
    RecordBatch::try_new(Arc::new(origin.mark(&schema())), columns).unwrap()
}

fn open(options: &str, host: &Arc<MemoryHost>) -> Opened {
    Dedup::open_json(options, schema(), host.clone()).unwrap()
}

/// Hands one batch to a stage and checks that every row of it is accounted for exactly once.
fn give(opened: &mut Opened, batch: RecordBatch) -> Outcome {
    let sent: Vec<i64> = batch.column_by_name("_row").unwrap().as_primitive::<Int64Type>().values().to_vec();
    let outcome = opened.stage.process(batch).unwrap();
    assert_eq!(outcome.batch.schema_ref().fields, opened.output.fields);
    let mut seen: BTreeMap<i64, usize> = sent.iter().map(|&row| (row, 0)).collect();
    let out = outcome.batch.column_by_name("_row").unwrap().as_primitive::<Int64Type>().values().to_vec();
    let gone = outcome.findings.iter().filter(|finding| finding.fate != Fate::Stays).filter_map(|f| f.row);
    for row in out.into_iter().chain(gone) {
        *seen.get_mut(&row).unwrap() += 1;
    }
    assert!(seen.values().all(|&times| times == 1), "{seen:?}");
    outcome
}

fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let column = batch.column_by_name(name).unwrap().as_string::<i32>();
    column.iter().map(|text| text.unwrap_or("-").to_owned()).collect()
}

/// Findings as `row code`.
fn codes(outcome: &Outcome) -> Vec<String> {
    outcome.findings.iter().map(|f| format!("{} {}", f.row.unwrap(), f.code)).collect()
}

const FIRST: &str = r#"{"match": [{"fields": ["code"]}], "keep": "first"}"#;
const MERGE: &str = r#"{
    "match": [
        {"fields": ["code"], "normalise": {"code": "code"}},
        {"fields": ["owner", "name"], "normalise": {"name": "name"}}
    ],
    "merge": {"fields": {"total": "max", "tags": "union"}}
}"#;

fn coded(code: &'static str, name: &'static str) -> Sent {
    Sent { code: Some(code), name: Some(name), ..Sent::default() }
}

#[test]
fn keep_first_drops_what_was_seen_in_the_batch_before_it_and_in_earlier_deliveries() {
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(FIRST, &host);
    let none = Sent::default();
    let outcome =
        give(&mut opened, batch("a", &[coded("1", "x"), coded("2", "y"), coded("1", "z"), none.clone()]));
    assert_eq!(texts(&outcome.batch, "name"), ["x", "y", "-"]);
    assert_eq!(codes(&outcome), ["7 duplicate"]);
    assert_eq!(outcome.findings.0[0].severity, Severity::Info);
    assert_eq!(outcome.findings.0[0].message.zh, "此前已收到项目代码相同的记录，本行不再收录");

    let outcome =
        give(&mut opened, batch("a", &[coded("2", "y"), coded("", "blank"), coded("", "blank"), none]));
    assert_eq!(
        texts(&outcome.batch, "name"),
        ["blank", "blank", "-"],
        "without a key nothing is a duplicate"
    );

    let outcome = give(&mut open(FIRST, &host), batch("b", &[coded("2", "y"), coded("3", "z")]));
    assert_eq!(texts(&outcome.batch, "code"), ["3"]);
}

#[test]
fn two_departments_make_one_record_that_knows_where_each_value_came_from() {
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(MERGE, &host);
    let bureau = Sent {
        owner: Some("91A"),
        total: Some(5_0000),
        tags: Some(vec![Some("532")]),
        ..coded("K-1", "海晨物流项目（一期）")
    };
    let first = give(&mut opened, batch("发改", &[bureau]));
    assert_eq!((texts(&first.batch, "matched_by"), codes(&first).len()), (vec!["new".to_owned()], 0));

    let unit = Sent {
        owner: Some("91A"),
        name: Some("海晨物流一期"),
        total: Some(4_0000),
        jobs: Some(30),
        tags: Some(vec![Some("两湖"), Some("532")]),
        ..Sent::default()
    };
    let second = give(&mut opened, batch("街道", &[unit]));
    assert_eq!(texts(&second.batch, "record_id"), texts(&first.batch, "record_id"));
    assert_eq!(texts(&second.batch, "matched_by"), ["owner+name"]);
    assert_eq!(second.batch.column_by_name("revision").unwrap().as_primitive::<Int64Type>().value(0), 2);
    assert_eq!(texts(&second.batch, "code"), ["K-1"]);
    assert_eq!(codes(&second), ["5 conflict-value"], "an amount below the greatest so far is told");
    let place = |who: &str, cell: &str| {
        format!(
            r#"{{"delivery":"{who}","sender":"{who}局","file":"{who}.xlsx","sheet":"表1","cell":{cell},"received_ms":7}}"#
        )
    };
    let expected = format!(
        r#"{{"code":{},"owner":{},"name":{},"total":{},"jobs":{},"tags":{}}}"#,
        place("发改", r#""A5""#),
        place("发改", "null"),
        place("街道", r#""C5""#),
        place("发改", "null"),
        place("街道", "null"),
        place("街道", "null"),
    );
    assert_eq!(texts(&second.batch, "origins"), [expected]);

    // The name alone finds the record by what both sent.
    let later = Sent { owner: Some("91A"), name: Some("海晨物流(一期)工程"), ..Sent::default() };
    let third = give(&mut opened, batch("镇", &[later]));
    assert_eq!(texts(&third.batch, "record_id"), texts(&first.batch, "record_id"));
}

#[test]
fn every_type_survives_being_kept() {
    let host = Arc::new(MemoryHost::default());
    let full = Sent {
        owner: Some("91A"),
        total: Some(-123_456_789_012_345_678),
        jobs: Some(i64::MIN),
        rate: Some(0.1 + 0.2),
        done: Some(false),
        start: Some(-1),
        at: Some(1_718_000_000_123),
        tags: Some(vec![Some("甲"), None, Some("")]),
        extra: Some(r#"{"备注":"x"}"#),
        ..coded("1", "")
    };
    let sent = batch("a", &[full]);
    give(&mut open(MERGE, &host), sent.clone());
    let news = Sent { extra: Some(r#"{"另":"y"}"#), ..coded("1", "新") };
    // Opened anew, so that the record is read from state.
    let outcome = give(&mut open(MERGE, &host), batch("b", &[news]));
    for name in ["owner", "total", "jobs", "rate", "done", "start", "at", "tags"] {
        assert_eq!(outcome.batch.column_by_name(name), sent.column_by_name(name), "{name}");
    }
    assert_eq!(texts(&outcome.batch, "_extra"), [r#"{"备注":"x","另":"y"}"#]);
}

#[test]
fn the_last_row_of_a_record_comes_out_and_the_others_say_where_they_went() {
    let mut opened = open(MERGE, &Arc::new(MemoryHost::default()));
    let rows = [coded("1", "a"), coded("2", "b"), coded("1", "c"), coded("暂无", "d")];
    let outcome = give(&mut opened, batch("a", &rows));
    assert_eq!(texts(&outcome.batch, "name"), ["b", "c", "d"]);
    assert_eq!(codes(&outcome), ["8 no-key", "5 merged"]);
    let id = &texts(&outcome.batch, "record_id")[1];
    let merged = &outcome.findings.0[1].message;
    assert_eq!(merged.zh, format!("本行与第7行属于同一记录（{id}），已并入第7行"));
    // Rows of one batch that contradict each other change nothing when they come again.
    let again = give(&mut opened, batch("b", &rows));
    assert_eq!(again.batch.num_rows(), 0);
    assert_eq!(codes(&again), ["8 no-key", "5 unchanged", "6 unchanged", "7 unchanged", "8 unchanged"]);
}

#[test]
fn two_rules_that_point_to_two_records_are_reported_and_asked_about_and_both_are_kept() {
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(MERGE, &host);
    let named = Sent { owner: Some("91A"), name: Some("乙"), ..Sent::default() };
    let before = give(&mut opened, batch("a", &[coded("1", "甲"), named.clone()]));
    let both = Sent { code: Some("1"), ..named.clone() };
    let outcome = give(&mut opened, batch("b", &[both]));
    let ids = texts(&before.batch, "record_id");
    assert_eq!(texts(&outcome.batch, "record_id"), ids[..1]);
    assert_eq!(codes(&outcome), ["5 conflict"]);
    assert_eq!(outcome.findings.0[0].raw.as_ref(), Some(&ids[1]));
    let queue = crate::inspect::Inspect::new(host.clone()).queue().unwrap();
    assert!(queue.len() == 1 && queue[0].why.is_conflict() && queue[0].why.zh.contains(&ids[1]), "{queue:?}");
    assert!([&queue[0].record, &queue[0].other].contains(&&ids[0]));
    // The name still means the other record.
    let outcome = give(&mut opened, batch("c", &[Sent { jobs: Some(1), ..named }]));
    assert_eq!(texts(&outcome.batch, "record_id"), ids[1..]);
}

#[test]
fn phases_under_one_code_stay_apart_where_the_pipeline_says_so() {
    let options = MERGE.replace(r#""merge""#, r#""apart": ["name"], "merge""#);
    let mut opened = open(&options, &Arc::new(MemoryHost::default()));
    let outcome = give(&mut opened, batch("a", &[coded("1", "甲一期"), coded("1", "甲二期")]));
    let ids = texts(&outcome.batch, "record_id");
    assert_ne!(ids[0], ids[1]);
    assert_eq!(codes(&outcome), ["6 review"]);
    // Each phase finds its own record again; a row that names none cannot tell.
    let rows =
        [Sent { jobs: Some(1), ..coded("1", "甲（Ⅱ期）") }, Sent { jobs: Some(2), ..coded("1", "甲一期") }];
    let again = give(&mut opened, batch("b", &rows));
    assert_eq!(
        (texts(&again.batch, "record_id"), codes(&again)),
        (vec![ids[1].clone(), ids[0].clone()], vec![])
    );
    let unclear = give(&mut opened, batch("c", &[Sent { jobs: Some(3), ..coded("1", "甲") }]));
    assert_eq!(codes(&unclear), ["5 review"]);
    // Without the option the code decides.
    let mut plain = open(MERGE, &Arc::new(MemoryHost::default()));
    assert_eq!(
        give(&mut plain, batch("a", &[coded("1", "甲一期"), coded("1", "甲二期")])).batch.num_rows(),
        1
    );
}

#[test]
fn a_rule_does_not_match_over_an_unless_column_that_differs() {
    let options = MERGE.replace(
        r#""normalise": {"name": "name"}}"#,
        r#""normalise": {"name": "name"}, "unless": ["code"]}"#,
    );
    let mut opened = open(&options, &Arc::new(MemoryHost::default()));
    let row = |code| Sent { code, owner: Some("91A"), name: Some("设备更新"), ..Sent::default() };
    let outcome = give(
        &mut opened,
        batch("a", &[row(Some("K-1")), row(Some("K2")), row(Some("k１")), row(Some("暂无"))]),
    );
    let ids = texts(&outcome.batch, "record_id");
    // The third is the first in another spelling, the fourth could be either.
    assert_eq!(
        (ids.len(), codes(&outcome)),
        (2, vec!["6 review".into(), "8 review".into(), "5 merged".into(), "7 merged".into()])
    );
}

#[test]
fn a_record_outlives_a_field_that_is_added() {
    let host = Arc::new(MemoryHost::default());
    let narrow = {
        let wide = batch("a", &[Sent { owner: Some("91A"), jobs: Some(4), ..coded("1", "x") }]);
        let at: Vec<usize> =
            (0..wide.num_columns()).filter(|&i| wide.schema().field(i).name() != "total").collect();
        wide.project(&at).unwrap()
    };
    let options = MERGE.replace(r#""total": "max", "#, "");
    let mut before = Dedup::open_json(&options, narrow.schema(), host.clone()).unwrap();
    let first = give(&mut before, narrow);
    let outcome = give(&mut open(MERGE, &host), batch("b", &[Sent { total: Some(1), ..coded("1", "y") }]));
    assert_eq!(texts(&outcome.batch, "record_id"), texts(&first.batch, "record_id"));
    assert_eq!(outcome.batch.column_by_name("jobs").unwrap().as_primitive::<Int64Type>().value(0), 4);
}

#[test]
fn every_mistake_in_the_options_is_told_at_once_with_its_place() {
    let paths = |options: &str| {
        let error = Dedup::open_json(options, schema(), Arc::new(MemoryHost::default())).err().unwrap();
        error.problems.into_iter().map(|problem| problem.path).collect::<Vec<_>>()
    };
    let merge = r#"{
        "match": [
            {"fields": ["cod"]},
            {"fields": ["jobs", "rate"], "normalise": {"jobs": "name", "owner": "name"}, "unless": ["x"]},
            {"fields": []}
        ],
        "apart": ["total", "y"],
        "merge": {"default": "max", "tolerance": -1, "fields": {"name": "max", "z": "first"}}
    }"#;
    assert_eq!(
        paths(merge),
        [
            "match[0].fields[0]",
            "match[1].normalise.jobs",
            "match[1].fields[1]",
            "match[1].normalise.owner",
            "match[1].unless[0]",
            "match[2].fields",
            "merge.default",
            "merge.tolerance",
            "merge.fields.name",
            "merge.fields.z",
            "apart[0]",
            "apart[1]",
        ]
    );
    let first = r#"{"match": [], "keep": "first", "apart": ["name"], "merge": {}}"#;
    assert_eq!(paths(first), ["match", "merge", "apart"]);
    assert_eq!(paths(r#"{"match": [{"fields": ["code"]}], "keep": "last"}"#), ["keep"]);
    assert!(Dedup::info().options.get("broken").is_none());
}

/// A name without a telling word takes the place of one with it, and hides what the record is from the row behind it.
#[test]
fn a_name_without_a_telling_word_does_not_hide_that_of_another_row() {
    let named = ["甲一期", "乙", "甲二期项目"].map(|name| coded("1", name));
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(&MERGE.replace(r#""merge""#, r#""apart": ["name"], "merge""#), &host);
    let first = give(&mut opened, batch("a", &named));
    let of_row = |outcome: &Outcome, name: &str| {
        texts(&outcome.batch, "name").iter().position(|known| known == name).unwrap()
    };
    assert_ne!(of_row(&first, "乙"), of_row(&first, "甲二期项目"), "the phases are two from the beginning");
    for delivery in ["b", "c", "d"] {
        assert_eq!(give(&mut opened, batch(delivery, &named)).batch.num_rows(), 0, "{delivery}");
    }
}

/// The id of a record that was merged away answers with the other one for ever: no row may get it, also not one that a
/// word keeps apart from the record that has its key now.
#[test]
fn the_id_of_a_record_that_was_merged_away_is_given_to_no_other() {
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(&MERGE.replace(r#""merge""#, r#""apart": ["name"], "merge""#), &host);
    let first = give(&mut opened, batch("a", &[coded("1", "甲"), coded("2", "乙二期")]));
    let ids = texts(&first.batch, "record_id");
    let decision = serde_json::json!([
        {"word": "accept", "record": ids[0], "other": ids[1], "by": "王", "at_ms": 1}
    ]);
    let mut marked = schema().as_ref().clone();
    marked.metadata.insert(huiliu_stage::DECISIONS.into(), decision.to_string());
    opened.stage.process(RecordBatch::new_empty(Arc::new(marked))).unwrap();
    let made = opened.stage.finish().unwrap().unwrap().batch;
    let goes = texts(&made, huiliu_stage::MERGED_INTO).iter().position(|into| into != "-").unwrap();
    let gone = texts(&made, "record_id")[goes].clone();
    assert_eq!(gone, ids[1]);
    let third = give(&mut opened, batch("b", &[coded("2", "乙三期")]));
    let new = texts(&third.batch, "record_id");
    assert_eq!(new.len(), 1);
    assert!(!ids.contains(&new[0]), "{new:?} {ids:?}");
}

/// The same of a field under `unless`, and of a text that normalising leaves nothing of.
#[test]
fn a_value_that_says_nothing_does_not_hide_what_another_row_said() {
    let rows = ["1", "暂无", "2"].map(|code| Sent { owner: Some("A"), ..coded(code, "甲") });
    let options = r#"{
        "match": [{"fields": ["owner", "name"], "unless": ["code"], "normalise": {"name": "name"}},
            {"fields": ["code"], "normalise": {"code": "code"}}]
    }"#;
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(options, &host);
    assert_eq!(give(&mut opened, batch("a", &rows)).batch.num_rows(), 2);
    for delivery in ["b", "c", "d"] {
        assert_eq!(give(&mut opened, batch(delivery, &rows)).batch.num_rows(), 0, "{delivery}");
    }
}

/// Rows over few keys and values, so that they meet.
fn rows() -> impl Strategy<Value = Vec<Sent>> {
    let pick = |words: &'static [&'static str]| proptest::option::of(proptest::sample::select(words));
    let row = (
        pick(&["1", "2", "3", "暂无"]),
        pick(&["A", "B"]),
        pick(&["甲一期", "甲二期项目", "甲 二期", "乙"]),
        proptest::option::of(0..3_i64),
        proptest::option::of(0..3_i128),
        proptest::option::of(proptest::collection::vec(
            proptest::option::of(proptest::sample::select(vec!["x", "y"])),
            0..3,
        )),
    );
    let row = row.prop_map(|(code, owner, name, jobs, total, tags)| Sent {
        code,
        owner,
        name,
        jobs,
        total,
        tags,
        ..Sent::default()
    });
    proptest::collection::vec(row, 0..12)
}

/// How many cases of each property: `HUILIU_CASES`, else 200.
fn cases() -> ProptestConfig {
    let wanted = std::env::var("HUILIU_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig::with_cases(wanted.unwrap_or(200))
}

proptest! {
    #![proptest_config(cases())]

    /// `give` checks that no row is lost; the same rows once more must change nothing, be they
    /// handed to the same stage or to one that reads its state.
    #[test]
    fn the_same_rows_again_change_nothing(rows in rows(), apart in any::<bool>(), anew in any::<bool>()) {
        let options = if apart { MERGE.replace(r#""merge""#, r#""apart": ["name"], "merge""#) } else { MERGE.to_owned() };
        let host = Arc::new(MemoryHost::default());
        let mut opened = open(&options, &host);
        give(&mut opened, batch("a", &rows));
        if apart {
            // What a later row said may keep an earlier one apart from its record: once.
            give(&mut opened, batch("b", &rows));
        }
        opened.stage.finish().unwrap();
        // That another sender says the same is noted, and nothing else.
        let records = |host: &MemoryHost| {
            let mut state = host.state();
            state.retain(|key, _| key != b"p#" && !(key.starts_with(b"e/") && key.len() > 12));
            // A record notes that it has parts now; that it is what it was is seen by nothing coming out.
            state.iter_mut().filter(|(key, _)| key.starts_with(b"e/")).for_each(|(_, kept)| kept.clear());
            state
        };
        let before = records(&host);
        if anew {
            opened = open(&options, &host);
        }
        let again = give(&mut opened, batch("c", &rows));
        prop_assert_eq!(again.batch.num_rows(), 0);
        prop_assert_eq!(records(&host), before);
        let before = host.state();
        let again = give(&mut opened, batch("c", &rows));
        prop_assert_eq!(again.batch.num_rows(), 0);
        prop_assert_eq!(host.state(), before);
    }

    #[test]
    fn the_order_of_rows_that_fill_different_fields_does_not_matter(order in Just([0, 1, 2, 3]).prop_shuffle(), cut in 0..4_usize) {
        let key = coded("1", "x");
        let rows = [
            Sent { owner: Some("A"), ..key.clone() },
            Sent { jobs: Some(3), total: Some(7), ..key.clone() },
            Sent { start: Some(9), done: Some(true), ..key.clone() },
            Sent { tags: Some(vec![Some("t")]), rate: Some(0.5), ..key },
        ];
        let shuffled: Vec<Sent> = order.iter().map(|&i| rows[i].clone()).collect();
        let mut opened = open(MERGE, &Arc::new(MemoryHost::default()));
        give(&mut opened, batch("a", &shuffled[..cut]));
        let outcome = give(&mut opened, batch("b", &shuffled[cut..]));
        let all = Sent { owner: Some("A"), jobs: Some(3), total: Some(7), start: Some(9), done: Some(true),
            tags: Some(vec![Some("t")]), rate: Some(0.5), ..coded("1", "x") };
        let expected = batch("b", &[all]);
        for at in 0..10 {
            prop_assert_eq!(outcome.batch.column(at), expected.column(at));
        }
    }
}

/// The same file of a sender in another delivery.
fn again(delivery: &str, file: &str, rows: &[Sent]) -> RecordBatch {
    let batch = batch(delivery, rows);
    let mut origin = Origin::of(&batch);
    (origin.sender, origin.file) = ("发改局".to_owned(), file.to_owned());
    RecordBatch::try_new(Arc::new(origin.mark(&schema())), batch.columns().to_vec()).unwrap()
}

#[test]
fn what_is_corrected_counts_no_more_and_the_rule_chooses_among_what_is_still_said() {
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(MERGE, &host);
    let total = |code, total| Sent { total: Some(total), ..coded(code, "一号泵站") };
    give(&mut opened, again("a", "四月.xlsx", &[total("1", 90_000)]));
    opened.stage.finish().unwrap();
    // `total` is the largest that was sent: from another file a smaller one changes nothing.
    let outcome = give(&mut opened, again("b", "五月.xlsx", &[total("1", 80_000)]));
    assert_eq!(codes(&outcome), ["5 conflict-value", "5 unchanged"]);
    opened.stage.finish().unwrap();
    let first = |outcome: &Outcome| {
        let totals = outcome.batch.column_by_name("total").unwrap();
        totals.as_primitive::<arrow::datatypes::Decimal128Type>().value(0)
    };
    let outcome = give(&mut opened, again("c", "四月.xlsx", &[total("1", 70_000)]));
    assert_eq!((first(&outcome), codes(&outcome)), (80_000, vec!["5 conflict-value".to_owned()]));
    opened.stage.finish().unwrap();
    let outcome = give(&mut opened, again("d", "五月.xlsx", &[total("1", 60_000)]));
    assert_eq!(first(&outcome), 70_000);
    // Within one delivery the rule holds.
    let outcome = give(&mut opened, again("d", "五月.xlsx", &[total("1", 50_000)]));
    assert_eq!(codes(&outcome), ["5 conflict-value", "5 unchanged"]);
}

#[test]
fn what_a_correction_leaves_out_is_told() {
    let host = Arc::new(MemoryHost::default());
    let mut opened = open(MERGE, &host);
    let rows = [coded("1", "一号泵站"), coded("2", "二号泵站"), coded("3", "三号泵站")];
    let mut told = |delivery: &str, file: &str, rows: &[Sent]| {
        give(&mut opened, again(delivery, file, rows));
        let outcome = opened.stage.finish().unwrap();
        outcome.map(|outcome| {
            assert_eq!(outcome.batch.num_rows(), 0);
            let finding = &outcome.findings.0[0];
            assert_eq!((finding.row, finding.code.as_str()), (None, "left-out"));
            finding.message.zh.clone()
        })
    };
    assert_eq!(told("a", "四月.xlsx", &rows), None, "the first of its name");
    assert_eq!(told("b", "五月.xlsx", &rows[..1]), None, "another file");
    assert_eq!(
        told("c", "四月.xlsx", &rows[..1]).as_deref(),
        Some(
            "上次报送有、这次没有（或有错误未采用）的记录：二号泵站、三号泵站；其原有数据仍然保留，如属遗漏请补报，如已取消请告知"
        )
    );
    assert_eq!(told("d", "四月.xlsx", &rows[..1]), None, "it is told once");
    assert_eq!(told("e", "四月.xlsx", &rows), None, "more is no fault");
}
