//! Every row that came in is accounted for, delivery by delivery.

use serde_json::Value;

use crate::support::Home;

/// Rows in are rows accepted, quarantined, merged, dropped, or refused with their file; what `deliveries`
/// tells, what the receipt tells and what lies in the sinks agree.
#[track_caller]
fn assert_conserved(home: &Home) {
    let deliveries = home.deliveries();
    assert!(!deliveries.is_empty());
    for delivery in &deliveries {
        let count = |key: &str| delivery[key].as_u64().unwrap_or_else(|| panic!("no `{key}` in {delivery}"));
        let parts = ["accepted", "quarantined", "merged", "dropped", "refused"];
        let sum: u64 = parts.iter().map(|part| count(part)).sum();
        assert_eq!(count("rows_in"), sum, "{delivery}");
        assert_eq!(delivery["balanced"], true, "{delivery}");
        match delivery["state"].as_str() {
            Some("committed") => assert_eq!(count("refused"), 0, "{delivery}"),
            Some("refused") => assert_eq!(count("rows_in"), count("refused"), "{delivery}"),
            other => panic!("it is done with, but {other:?}: {delivery}"),
        }
    }
    let sum = |key: &str| deliveries.iter().map(|delivery| delivery[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(home.lines("out/projects").len() as u64, sum("rows_out"), "rows in the sink");
    assert_eq!(home.lines("out/rejects").len() as u64, sum("quarantined"), "rows in the sink for rejects");
    let quarantine = home.huiliu(&["quarantine", "list", "--json", "--limit", "10000"]).expect(0).json();
    assert_eq!(quarantine.as_array().map_or(0, Vec::len) as u64, sum("quarantined"), "rows in quarantine");
}

fn count(delivery: &Value, key: &str) -> u64 {
    delivery[key].as_u64().unwrap()
}

#[test]
fn of_the_shipped_deliveries_no_row_is_lost() {
    let mut home = Home::shipped();
    home.drop_samples();
    home.once().expect(0);
    assert_conserved(&home);
    let deliveries = home.deliveries();
    assert!(deliveries.iter().all(|delivery| count(delivery, "rows_in") >= 14), "{deliveries:#?}");
    for part in ["accepted", "quarantined", "merged"] {
        assert!(deliveries.iter().any(|delivery| count(delivery, part) > 0), "the samples show `{part}`");
    }
}

/// Inputs as they come, each with what must be told of its rows: in, quarantined.
const MESSY: [(&str, &str, u64, u64); 9] = [
    ("甲/空表.csv", "项目名称,总投资(万元)\n", 0, 0),
    ("甲/空行.csv", "项目名称,总投资(万元)\n\n,,\n一号泵站,5\n\n", 1, 0),
    ("甲/少列多列.csv", "项目名称,总投资(万元)\n二号泵站\n三号泵站,5,6,7\n", 2, 1),
    ("甲/无名.csv", "项目名称,总投资(万元)\n,5\n四号泵站,6\n", 2, 1),
    (
        "乙/重复.csv",
        "项目名称,项目代码\n五号泵站,2505-320412-89-01-943567\n五号泵站,2505-320412-89-01-943567\n",
        2,
        0,
    ),
    ("乙/引号.csv", "项目名称,备注\n\"六号\n泵站\",\"a\"\"b\"\n", 1, 0),
    ("乙/合计.csv", "项目名称,总投资(万元)\n合计,11\n七号泵站,5\n八号泵站,6\n", 2, 0),
    ("乙/坏金额.csv", "项目名称,总投资(万元)\n九号泵站,很多\n十号泵站,-5\n", 2, 2),
    ("乙/行.jsonl", "{\"project_name\":\"甲泵站\",\"total_investment\":5}\n{\"project_name\":null}\n", 2, 1),
];

#[test]
fn of_messy_inputs_no_row_is_lost() {
    let mut home = Home::shipped();
    for (place, content, _, _) in MESSY {
        home.drop_file(place, content.as_bytes());
    }
    home.drop_file("乙/坏.xlsx", b"PK\x03\x04 cut short");
    home.drop_file("乙/零.csv", b"\xff\xfe\x00");
    home.drop_file("乙/随机.csv", &(0..=255_u8).cycle().take(3000).collect::<Vec<_>>());
    home.once();
    assert_conserved(&home);
    let deliveries = home.deliveries();
    let mut wrong = Vec::new();
    for (place, content, rows, quarantined) in MESSY {
        let name = place.rsplit_once('/').unwrap().1;
        let delivery = deliveries.iter().find(|delivery| delivery["file"] == name).unwrap();
        let found = (count(delivery, "rows_in"), count(delivery, "quarantined"));
        if found != (rows, quarantined) {
            wrong.push(format!("{name}: {found:?} and not {:?} rows of\n{content}", (rows, quarantined)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(deliveries.iter().filter(|delivery| delivery["answered"] == true).count(), deliveries.len());
}
