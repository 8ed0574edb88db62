//! How many rows a second the catalogue of checks takes: the stages `validate` and `history` as the shipped pipeline
//! sets them, over made-up rows of its record, nearly all of them good.
//!
//! `cargo run --release -p huiliu-validate --example catalogue_speed -- [ROWS]` (a million).
#![allow(clippy::unwrap_used, reason = "a measurement that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use huiliu_pipeline::config::Draft;
use huiliu_pipeline::expression::{Functions, compile};
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Host, HostError, OpenStage, Origin, Outcome, Stage};
use huiliu_validate::{History, Validate};

const BATCH: usize = 8192;

fn main() {
    let rows: usize = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../pipelines");
    let files = |path: &Path| std::fs::read_to_string(path);
    let (draft, problems) = Draft::read(&root.join("projects.yaml"), &files, &|_| None);
    let draft = draft.filter(|_| problems.is_empty()).unwrap();
    let options =
        |kind: &str| draft.stages.iter().find(|s| s.kind == kind).unwrap().options.to_json().to_string();
    let files = draft.tables.iter().filter(|(_, table)| table.query.is_none());
    let tables = files.map(|(name, table)| (name.clone(), csv(&table.csv))).collect();
    let host = host(tables);
    let schema = draft.record.to_arrow();
    let mut validate = Validate::open_json(&options("validate"), schema.clone(), host.clone()).unwrap();
    let mut history = History::open_json(&options("history"), validate.output.clone(), host).unwrap();

    let batches: Vec<RecordBatch> =
        (0..rows).step_by(BATCH).map(|start| batch(&schema, start, BATCH.min(rows - start))).collect();
    let (batches, found) = pass("validate", &mut *validate.stage, batches, rows);
    println!("{found} findings");
    let (_, found) = pass("history", &mut *history.stage, batches, rows);
    println!("{found} findings");
}

/// Puts all batches through a stage and prints its speed.
fn pass(
    name: &str,
    stage: &mut dyn Stage,
    batches: Vec<RecordBatch>,
    rows: usize,
) -> (Vec<RecordBatch>, usize) {
    let started = cpu_seconds();
    let mut found = 0;
    let out = batches
        .into_iter()
        .map(|batch| {
            let Outcome { batch, findings } = stage.process(batch).unwrap();
            found += findings.len();
            batch
        })
        .collect();
    let seconds = cpu_seconds() - started;
    println!("{name}: {rows} rows in {seconds:.2} CPU s, {:.0} rows/s on one core", rows as f64 / seconds);
    (out, found)
}

/// What this thread has had of a processor: what others do at the same time does not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().and_then(|nanos| nanos.parse::<f64>().ok()).unwrap() / 1e9
}

fn host(tables: BTreeMap<String, RecordBatch>) -> Arc<dyn Host> {
    let functions = Functions::new();
    let mut host = MemoryHost::on_day(20_579); // 2026-05-06
    host.tables = tables;
    host.compiler = Some(Box::new(move |sql, schema| {
        compile(sql, schema, &functions).map_err(|error| HostError(error.to_string()))
    }));
    Arc::new(host)
}

/// A reference table; quotes stand around whole cells.
fn csv(path: &Path) -> RecordBatch {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.trim_start_matches('\u{feff}').lines().map(cells);
    let names = lines.next().unwrap();
    let rows: Vec<Vec<String>> = lines.collect();
    let column = |at: usize| -> ArrayRef {
        Arc::new(rows.iter().map(|row| row.get(at).map(String::as_str)).collect::<StringArray>())
    };
    RecordBatch::try_from_iter(names.iter().enumerate().map(|(at, name)| (name, column(at)))).unwrap()
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells.last_mut().unwrap().push(c),
        }
    }
    cells
}

/// Rows as a unit reports them; each hundredth plans more than its total.
fn batch(schema: &SchemaRef, start: usize, rows: usize) -> RecordBatch {
    let text = |column: &str, at: usize| -> Option<String> {
        Some(match column {
            "project_name" => format!("示例智能制造项目{at}"),
            "project_code" => project_code(at),
            "owner_name" => format!("示例{at}有限公司"),
            "owner_uscc" => "91320412MA9PF63Q63".to_owned(),
            "region_name" => ["湖塘镇", "武高新", "常州市武进区前黄镇", "西太湖"][at % 4].to_owned(),
            "region_code" => "320412".to_owned(),
            "industry_code" => ["C3821", "38", "C3670", "7810"][at % 4].to_owned(),
            "industry_name" => "电气机械和器材制造业".to_owned(),
            "construction_nature" => "新建".to_owned(),
            "total_investment" => "50000".to_owned(),
            "annual_plan_investment" => if at.is_multiple_of(100) { "60000" } else { "12000" }.to_owned(),
            "month_investment" => "1000".to_owned(),
            "ytd_investment" => "4000".to_owned(),
            "prior_cumulative_investment" => "6000".to_owned(),
            "cumulative_investment" => "10000".to_owned(),
            "works_investment" => "600".to_owned(),
            "installation_investment" => "200".to_owned(),
            "equipment_investment" => "150".to_owned(),
            "other_investment" => "50".to_owned(),
            "invest_rate" => "33.3".to_owned(),
            "progress_percent" => "40".to_owned(),
            "progress_text" => "主体结构施工，完成约四成".to_owned(),
            "is_started" => "true".to_owned(),
            "report_month" => "2026-04-01".to_owned(),
            "sign_date" => "2024-01-10".to_owned(),
            "admit_date" => "2024-03-10".to_owned(),
            "land_date" => "2024-06-10".to_owned(),
            "permit_date" => "2024-09-10".to_owned(),
            "construction_permit_no" => format!("3204122024{at:08}"),
            "start_date" => "2024-10-12".to_owned(),
            "plan_start_date" => "2024-10-01".to_owned(),
            "plan_finish_date" => "2027-06-30".to_owned(),
            "responsible_unit" => "湖塘镇".to_owned(),
            "land_area_mu" => "80".to_owned(),
            "scale_content" => "新建厂房四万平方米，购置设备两百台套，年产五十万套".to_owned(),
            "issue_text" => "临时用电增容未完成，已报供电公司协调".to_owned(),
            "remark" => "按月报送".to_owned(),
            _ => return None,
        })
    };
    let columns = schema.fields.iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "_row" => Arc::new((0..rows).map(|at| (start + at + 2) as i64).collect::<Int64Array>()),
            "_sheet" => Arc::new(StringArray::from(vec![""; rows])),
            name => {
                let texts: StringArray = (0..rows).map(|at| text(name, start + at)).collect();
                match texts.iter().all(|text| text.is_none()) {
                    true => new_null_array(field.data_type(), rows),
                    false => cast(&texts, field.data_type()).unwrap(),
                }
            }
        }
    });
    let columns: Vec<ArrayRef> = columns.collect();
    let sent = schema.fields.iter().enumerate().filter(|(at, _)| columns[*at].null_count() < rows);
    let origin = Origin {
        sender: "武进高新区".into(),
        file: "月报.csv".into(),
        columns: sent.map(|(at, field)| (field.name().clone(), at)).collect(),
        ..Origin::default()
    };
    let marked: Schema = origin.mark(schema);
    let batch = RecordBatch::try_new(Arc::new(marked), columns).unwrap();
    debug_assert!(
        batch.column_by_name("project_name").is_some_and(|names| names.as_string_opt::<i32>().is_some())
    );
    batch
}

/// A code of the new form with the right check digit (GB/T 40058, ISO 7064 MOD 11,10).
fn project_code(number: usize) -> String {
    let digits = format!("24013204128901{:05}", number % 100_000);
    let sum = digits.bytes().fold(10, |p, d| {
        let s = (p + u32::from(d - b'0')) % 10;
        (if s == 0 { 10 } else { s }) * 2 % 11
    });
    format!("2401-320412-89-01-{:05}{}", number % 100_000, (11 - sum) % 10)
}
