//! Rows that look like one thing and are another, as departments send them; each was read wrongly once.

mod headers;
mod sums;
mod tables;
mod units;

use crate::read::sheet_tests::{shipped, value_of};
use crate::read::tests::{options, read};

/// What is read of a table: the names, then the values of a field; and what was told.
fn table(text: &str, field: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (rows, findings) = read(text.as_bytes(), &shipped(), &options());
    let of = |field: &str| rows.iter().map(|row| value_of(row, field)).collect();
    (of("project_name"), of(field), findings)
}

#[track_caller]
fn errors(findings: &[String], code: &str, count: usize) {
    let found = findings.iter().filter(|finding| finding.starts_with(&format!("error {code} "))).count();
    assert_eq!(found, count, "{findings:#?}");
}

#[test]
fn a_row_with_a_name_alone_waits_for_a_person() {
    let text = "项目名称,建设单位,总投资(万元),开工时间\n甲项目,甲司,100,2024-01-01\n乙项\n目,乙司,200,2024-02-01\n以上共3项\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names.len(), 4, "nothing is left out: {findings:#?}");
    errors(&findings, "name-only", 2);
    // Cells that are there and empty say so themselves.
    let text = "项目名称,存在问题,备注\n甲项目,征地,\n乙项目,,\n丙项目,,\n";
    errors(&table(text, "owner_name").2, "name-only", 0);
    let (_, _, findings) = table("序号,项目名称\n1,甲项目\n2,乙项目\n", "owner_name");
    errors(&findings, "name-only", 0);
}

#[test]
fn sound_tables_are_none_of_the_things_they_resemble() {
    let text = "填报单位,雪堰镇,填报人,张三\n联系电话,13800000000,日期,2024-03-01\n项目名称,建设单位,总投资(万元),开工时间\n\
        甲项目,甲公司,100,2024-01-01\n乙项目,乙公司,100,2024-01-01\n";
    assert_eq!(table(text, "owner_name").0.len(), 2);
    for (row, errs) in [
        ("注：产值单位：亿元,,,", 0),
        ("二、民生项目（单位：万元）,,,", 0),
        ("二、民生项目(亿元),,,", 1),
        ("注：表中单位均为亿元,,,", 1),
    ] {
        let text =
            format!("序号,项目名称,总投资(万元),预期产值(亿元)\n1,甲项目,100,1\n{row}\n2,乙项目,100,1\n");
        let (names, _, findings) = table(&text, "owner_name");
        assert_eq!(names.len(), 2 - errs, "{row} {names:?} {findings:#?}");
        errors(&findings, "unit", errs);
    }
    let text = "所属板块,项目名称,总投资(万元),建设单位\n雪堰镇,甲项目,100,甲公司\n雪堰镇,乙项目,200,乙公司\n小计,2,300,\n合计,3,400,\n";
    assert_eq!(table(text, "owner_name").0.len(), 2);
    let text = "项目名称,总投资(万元),建设单位\n一、产业项目,300,\n甲项目,100,甲公司\n乙项目,200,乙公司\n二、民生项目,300,\n丙项目,300,丙公司\n";
    assert_eq!(table(text, "owner_name").0.len(), 3);
    let (_, totals, _) = table("项目名称,总投资(RMB亿元),建设单位\n甲项目,1,甲\n", "total_investment");
    assert_eq!(totals, ["10000"]);
    let (names, _, findings) =
        table("项目名称,总投资(万元),建设单位,备注\n甲,1,甲,x\n乙,2,乙,y\n合计,,3", "owner_name");
    assert_eq!(names.len(), 2);
    errors(&findings, "cut-off", 0);
}

#[test]
fn numbers_of_columns_notes_and_examples_are_no_records() {
    let head = "序号,项目名称,建设单位,总投资(万元)\n";
    for text in [
        format!("{head}栏次,1,2,3\n1,甲项目,甲司,100\n"),
        format!("{head}1,甲项目,甲司,100\n备注：,1.总投资为立项批复数,,\n"),
        format!("{head}说明,总投资为立项批复数,,\n1,甲项目,甲司,100\n"),
        format!("{head}例,某某项目,某某公司,12\n1,甲项目,甲司,100\n"),
    ] {
        let (names, _, findings) = table(&text, "owner_name");
        assert_eq!(names, ["甲项目"], "{text} {findings:#?}");
    }
}

#[test]
fn labels_that_nobody_filled_in_are_no_record() {
    let text = "项目名称,责任单位,联系人,总投资(万元)\n甲项目,甲局,张三,100\n责任单位,联系人,联系电话,\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names, ["甲项目"], "{findings:#?}");
}

#[test]
fn footers_of_padded_tables_are_no_records_and_lone_words_without_a_number_wait_for_a_person() {
    let text = "项目名称,建设单位,总投资（万元）,备注\n甲,甲公司,1,x\n制表：张三,审核：李四,,\n填报人：张三,审核人：李四,,2023年4月\n\
        领导签字：,,,\n,,2023年4月5日,\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names, ["甲"], "{findings:#?}");
    for row in [",以下空白,,", ",厂扩建,,"] {
        let text = format!("序号,项目名称,建设单位,总投资（万元）\n1,甲,甲公司,1\n2,乙,乙公司,1\n{row}\n");
        let (_, _, findings) = table(&text, "owner_name");
        errors(&findings, "name-only", 1);
    }
    let text = "序号,项目名称,建设单位,总投资（万元）\n,甲,,\n,乙,乙公司,1\n";
    errors(&table(text, "owner_name").2, "name-only", 0);
}

#[test]
fn sound_tables_that_look_like_what_is_told_from_records() {
    let names = |text: &str| table(text, "owner_name").0;
    assert_eq!(
        names("项目名称,总投资（万元）\n合计,600\n其中：省重大,300\n甲项目,100\n乙项目,500\n"),
        ["甲项目", "乙项目"]
    );
    assert_eq!(names("项目名称,总投资（万元）\n平均,150\n甲项目,100\n乙项目,200\n"), ["甲项目", "乙项目"]);
    let text =
        "2023年重大项目建设计划表\n序号,项目名称,建设单位,联系人,责任单位,联系人\n1,甲,甲公司,a,A局,b\n";
    assert_eq!(names(text), ["甲"]);
    let text = "填报单位：元和街道,,单位：万元\n序号,项目名称,总投资\n1,甲,100\n";
    assert_eq!(table(text, "total_investment").1, ["100"]);
    let text = "产值单位：亿元,,\n序号,项目名称,总投资\n1,甲,100\n";
    assert_eq!(table(text, "total_investment").1, ["100"]);
    let text = "序号,项目名称,总投资\n1,甲,100\n序号,项目名称,总投资（万元）\n2,乙,200\n";
    assert_eq!(names(text), ["甲", "乙"]);
    let text = "序号,项目名称,2023年投资情况（万元）,\n,,年度计划投资,年度累计完成投资\n1,甲,50,15\n";
    assert_eq!(table(text, "annual_plan_investment").1, ["50"]);
    assert_eq!(table(text, "ytd_investment").1, ["15"]);
    let text = "序号,项目名称,建设单位,总投资（万元）\n5G产业（1个）,,,\n1,甲,甲公司,1\n";
    assert_eq!(table(text, "industry_name").1, ["5G产业"]);
    let text = "序号,项目名称,2022年,,2023年,\n,,投资额（万元）,形象进度,投资额（万元）,形象进度\n1,甲,300,主体,400,装修\n";
    let (_, totals, findings) = table(text, "total_investment");
    assert_eq!(totals, [""], "{findings:#?}");
}

#[test]
fn remarks_below_a_table_are_no_records() {
    let text = "项目名称,建设单位,总投资（万元）\n甲,恒信,100\n★乙,天合,200\n*为新增项目,,\n★为省重大项目,,\n（以上项目均已开工）,,\n共2个项目,,\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names, ["甲", "★乙"], "{findings:#?}");
}

#[test]
fn numbers_without_records_are_blank_rows() {
    let text = "序号,项目名称,建设单位,总投资（万元）\n1,甲项目,甲司,100\n2,,,\n3,/,/,/\n4,……,,\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names, ["甲项目"], "{findings:#?}");
    let (_, _, findings) = table(&text.replace("4,……,,", "4,丁项目,丁司,5"), "owner_name");
    assert!(findings.is_empty(), "{findings:#?}");
    let text = "序号,项目名称,建设单位,总投资（万元）\n1,甲项目,甲司,100\n1.总投资为估算数,,,\n";
    assert_eq!(table(text, "owner_name").0, ["甲项目"]);
}
