//! The stage's promises, on batches.

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::Date32Type;
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{HostError, Opened, Severity};

use super::*;

/// `column IS NOT NULL`, or the name of a boolean column.
struct Simple {
    column: String,
    not_null: bool,
}

impl Expression for Simple {
    fn data_type(&self) -> DataType {
        DataType::Boolean
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, HostError> {
        let column = batch.column_by_name(&self.column).ok_or_else(|| HostError("no column".into()))?;
        if !self.not_null {
            return Ok(column.clone());
        }
        let given = (0..column.len()).map(|row| Some(column.is_valid(row)));
        Ok(Arc::new(given.collect::<BooleanArray>()))
    }
}

fn host(today: &str) -> MemoryHost {
    let mut host = MemoryHost::on_day(calendar::parse(today).unwrap());
    host.compiler = Some(Box::new(|sql, schema| {
        let column = sql.trim_end_matches(" IS NOT NULL");
        schema.index_of(column).map_err(|_| HostError(format!("there is no column `{column}`")))?;
        Ok(Box::new(Simple { column: column.to_owned(), not_null: column != sql }))
    }));
    host
}

fn schema() -> SchemaRef {
    let field = |name, kind| ArrowField::new(name, kind, true);
    Arc::new(Schema::new(vec![
        field("start_date", DataType::Date32),
        field("started", DataType::Boolean),
        field("evidence", DataType::Utf8),
        field("commitment_no", DataType::Utf8),
        field("commitment_date", DataType::Date32),
        field("_row", DataType::Int64),
    ]))
}

/// Start date, whether started, materials, number and date of the commitment.
type Sent<'a> = (Option<&'a str>, Option<bool>, Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn batch(rows: &[Sent<'_>]) -> RecordBatch {
    let day = |text: Option<&str>| text.map(|text| calendar::parse(text).unwrap());
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| day(row.0)).collect::<Date32Array>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<BooleanArray>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<StringArray>()),
        Arc::new(rows.iter().map(|row| day(row.4)).collect::<Date32Array>()),
        Arc::new(Int64Array::from_iter_values(2..2 + rows.len() as i64)),
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

const OPTIONS: &str = r#"{
    "nodes": [{"node": "start", "label": "开工", "when": "start_date IS NOT NULL",
               "required": ["施工许可证", "现场照片"], "may_be_missing": ["现场照片"]}],
    "materials": "evidence",
    "commitment": {"no": "commitment_no", "date": "commitment_date"}
}"#;

fn open(options: &str, host: MemoryHost) -> Result<Opened, StageError> {
    Commitment::open_json(options, schema(), Arc::new(host))
}

/// Status of each row, and each finding as `row severity code`.
fn run(options: &str, today: &str, rows: &[Sent<'_>]) -> (Vec<String>, Vec<String>) {
    let mut opened = open(options, host(today)).unwrap();
    let outcome = opened.stage.process(batch(rows)).unwrap();
    assert_eq!(outcome.batch.schema_ref(), &opened.output);
    assert_eq!(outcome.batch.num_rows(), rows.len(), "every row comes out again");
    let status = outcome.batch.column_by_name("commitment_status").unwrap();
    let status = status.as_string::<i32>().iter().flatten().map(str::to_owned).collect();
    let said = outcome.findings.iter();
    let said = said.map(|f| format!("{} {} {}", f.row.unwrap(), f.severity.as_str(), f.code)).collect();
    (status, said)
}

#[test]
fn each_row_gets_its_status_and_its_findings() {
    let start = Some("2024-06-01");
    let table: [(Sent<'_>, &str, &[&str]); 8] = [
        ((start, None, Some("施工许可证、现场照片"), None, None), "none", &[]),
        ((start, None, Some("施工许可证"), None, None), "none", &["2 error V19"]),
        ((start, None, None, None, None), "none", &["2 error V19", "2 error V19"]),
        (
            (start, None, Some("施工许可证"), Some("容1"), Some("2024-06-13")),
            "open",
            &["2 info commitment-open"],
        ),
        (
            (start, None, Some("施工许可证"), Some("容1"), Some("2024-05-20")),
            "due_soon",
            &["2 warning commitment-due-soon"],
        ),
        ((start, None, Some("施工许可证"), Some("容1"), Some("2024-05-01")), "overdue", &["2 warning V20"]),
        ((start, None, Some("施工许可证"), Some("容1"), None), "open", &["2 error V19", "2 error V19"]),
        ((None, None, None, Some(" "), None), "none", &[]), // A blank number is no commitment.
    ];
    for (row, status, said) in table {
        let (found, findings) = run(OPTIONS, "2024-06-14", &[row]);
        assert_eq!(
            (found[0].as_str(), findings),
            (status, said.iter().map(|s| (*s).to_owned()).collect()),
            "{row:?}"
        );
    }
}

#[test]
fn an_unknown_condition_claims_nothing() {
    let options = OPTIONS.replace("start_date IS NOT NULL", "started");
    let rows = [
        (None, None, None, None, None),
        (None, Some(false), None, None, None),
        (None, Some(true), None, None, None),
    ];
    let (_, findings) = run(&options, "2024-06-14", &rows);
    assert_eq!(findings, ["4 error V19", "4 error V19"]);
}

#[test]
fn an_overdue_commitment_can_be_made_an_error() {
    let options = OPTIONS.replace(r#""materials""#, r#""severity": {"overdue": "error"}, "materials""#);
    let row = (Some("2024-03-01"), None, Some("施工许可证"), None, Some("2024-03-01"));
    assert_eq!(run(&options, "2024-06-14", &[row]).1, ["2 error V20"]);
}

#[test]
fn the_calendar_may_come_from_a_table_which_is_read_for_each_delivery() {
    let options = OPTIONS.replace(r#""materials""#, r#""calendar": {"table": "days"}, "materials""#);
    let days = |kind: &str| {
        let dates: ArrayRef = Arc::new(StringArray::from(vec!["2024-06-17"]));
        let kinds: ArrayRef = Arc::new(StringArray::from(vec![kind]));
        RecordBatch::try_from_iter([("date", dates), ("kind", kinds)]).unwrap()
    };
    let mut with_table = host("2024-06-14");
    with_table.tables.insert("days".into(), days("休"));
    let mut opened = open(&options, with_table).unwrap();
    let row = (Some("2024-06-01"), None, Some("施工许可证"), None, Some("2024-06-13"));
    let outcome = opened.stage.process(batch(&[row])).unwrap();
    let due = outcome.batch.column_by_name("commitment_due").unwrap();
    assert_eq!(calendar::show(due.as_primitive::<Date32Type>().value(0)), "2024-07-12");

    let mut with_table = host("2024-06-14");
    with_table.tables.insert("days".into(), days("sunny"));
    let error = open(&options, with_table).unwrap().stage.process(batch(&[row])).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`calendar.table`: table `days`: row 1: `sunny` is neither `holiday` nor `workday`"
    );
}

#[test]
fn a_message_says_what_is_missing_and_what_to_do() {
    let mut opened = open(OPTIONS, host("2024-06-14")).unwrap();
    let rows = [
        (Some("2024-06-01"), None, Some("现场照片"), None, None),
        (Some("2024-06-01"), None, Some("施工许可证"), Some("容1"), Some("2024-06-13")),
    ];
    let findings = opened.stage.process(batch(&rows)).unwrap().findings;
    let said: Vec<&str> = findings.iter().map(|finding| finding.message.zh.as_str()).collect();
    assert_eq!(
        said,
        [
            "开工缺少材料“施工许可证”，该材料不可容缺，请补交后重报",
            "容缺受理（承诺书容1）：现场照片须于2024-07-11前补交，还有19个工作日",
        ]
    );
    assert_eq!(findings.0[0].severity, Severity::Error);
}

#[test]
fn every_mistake_in_the_options_is_told_at_once_with_its_place() {
    let options = r#"{
        "nodes": [
            {"node": "start", "when": "begun", "required": ["许可证", "|"], "may_be_missing": ["照片"]},
            {"node": "start", "when": "started", "required": []}
        ],
        "materials": "evidences",
        "limit_workdays": 10, "default_workdays": 11,
        "calendar": {"holidays": ["2024-10-01", "10月1日"], "workdays": ["2024-10-01"]}
    }"#;
    let error = open(options, host("2024-06-14")).err().unwrap();
    let mut paths: Vec<&str> = error.problems.iter().map(|problem| problem.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(
        paths,
        [
            "calendar.holidays[1]",
            "calendar.workdays",
            "default_workdays",
            "materials",
            "nodes[0].may_be_missing",
            "nodes[0].may_be_missing[0]",
            "nodes[0].required[1]",
            "nodes[0].when",
            "nodes[1].node",
            "nodes[1].required",
        ]
    );
    assert!(Commitment::info().options.get("broken").is_none());
}
