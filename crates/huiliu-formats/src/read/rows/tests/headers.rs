//! Headers that look like one thing and are another.

use super::{errors, table};
use crate::read::sheet_tests::{shipped, value_of};
use crate::read::tests::{options, read};

#[test]
fn the_second_row_of_a_header_is_no_total() {
    let text =
        "项目名称,完成投资,,开工时间\n,本月,累计,\n甲项目,100,200,2024-01-01\n乙项目,110,210,2024-01-01\n";
    let (names, months, findings) = table(text, "month_investment");
    assert_eq!((names.len(), months[0].as_str()), (2, "100"), "{findings:#?}");
    let (rows, _) = read(text.as_bytes(), &shipped(), &options());
    // Since when, the words do not say: it is told, and not guessed.
    assert!(rows[0].contains("_extra={\"完成投资 > 累计\":\"200\"}"), "{rows:#?}");
}

#[test]
fn headings_in_traditional_characters_are_known() {
    let text = "項目名稱,建設單位,總投資(萬元),開工時間\n甲項目,甲司,100,2024-01-01\n";
    for bytes in [text.as_bytes().to_vec(), encoding_rs::BIG5.encode(text).0.into_owned()] {
        let (rows, findings) = read(&bytes, &shipped(), &options());
        assert_eq!(value_of(&rows[0], "total_investment"), "100", "{findings:#?}");
        assert_eq!(value_of(&rows[0], "project_name"), "甲項目");
    }
}

#[test]
fn a_second_row_of_names_that_nobody_knows_is_no_record_and_its_columns_are_no_fields() {
    for children in ["原定,调整", "2023年,2024年", "2023,2024"] {
        let text = format!(
            "项目名称,完成投资,,开工时间\n,{children},\n甲项目,100,200,2024-01-01\n乙项目,110,210,2024-01-01\n"
        );
        let (names, done, findings) = table(&text, "ytd_investment");
        assert_eq!((names.len(), done), (2, vec![String::new(); 2]), "{findings:#?}");
    }
    let (_, totals, _) =
        table("(亿元、平方米),,\n项目名称,建设单位,总投资\n甲项目,甲司,1\n", "total_investment");
    assert_eq!(totals, ["10000"]);
}

#[test]
fn a_header_of_several_rows_that_comes_again_is_skipped_and_with_another_unit_begins_another_table() {
    for (head, other) in [
        (
            "序号,项目名称,完成投资(万元),,备注\n,,本月,累计,\n",
            "序号,项目名称,完成投资(亿元),,备注\n,,本月,累计,\n",
        ),
        ("序号,项目名称,责任,,进度\n,,单位,人,\n", ""),
        (
            "项目名称,投资(万元),,时间,\n,总投资,年度计划投资,开工,竣工\n",
            "项目名称,投资(亿元),,时间,\n,总投资,年度计划投资,开工,竣工\n",
        ),
        (
            "项目名称,投资,,时间,\n,总投资(万元),年度计划投资(万元),开工,竣工\n",
            "项目名称,投资,,时间,\n,总投资(亿元),年度计划投资(万元),开工,竣工\n",
        ),
        (
            "项目名称,总投资,年度计划投资\n,（万元）,（万元）\n",
            "项目名称,总投资,年度计划投资\n,（亿元）,（亿元）\n",
        ),
    ] {
        let rows = |from: usize| {
            let width = head.lines().next().unwrap().matches(',').count();
            let serial = if head.starts_with("序号") { "7," } else { "" };
            let rest = if head.contains("时间") {
                ",3,4,2024-01-01,2025-01-01".to_owned()
            } else {
                ",3".repeat(width - serial.len() / 2)
            };
            (from..from + 2).map(|at| format!("{serial}{at}号项目{rest}\n")).collect::<String>()
        };
        let (names, _, findings) = table(&format!("{head}{}{head}{}", rows(1), rows(3)), "owner_name");
        assert_eq!(names.len(), 4, "{head} {names:?} {findings:#?}");
        errors(&findings, "second-table", 0);
        if !other.is_empty() {
            let (names, _, findings) = table(&format!("{head}{}{other}{}", rows(1), rows(3)), "owner_name");
            assert_eq!(names.len(), 2, "{other} {names:?} {findings:#?}");
            errors(&findings, "second-table", 1);
        }
    }
}

#[test]
fn a_parent_in_the_header_says_which_field_its_child_is() {
    let text = "序号,项目名称,总投资（万元）,计划,,本月,\n,,,开工时间,竣工时间,完成投资（万元）,形象进度\n1,甲,100,2027-03,2028-05,5,基础\n";
    for (field, value) in [
        ("plan_start_date", "2027-03-01"),
        ("start_date", ""),
        ("finish_date", ""),
        ("month_investment", "5"),
        ("ytd_investment", ""),
    ] {
        assert_eq!(table(text, field).1, [value], "{field}");
    }
    let text = "序号,项目名称,年度计划,,4月进展,\n,,投资额（万元）,年度目标,完成投资（万元）,形象进度\n1,甲,50,封顶,5,基础\n";
    for (field, value) in [
        ("total_investment", ""),
        ("annual_plan_investment", "50"),
        ("month_investment", "5"),
        ("ytd_investment", ""),
    ] {
        let (_, values, findings) = table(text, field);
        assert_eq!(values, [value], "{field} {findings:#?}");
    }
    let text = "序号,项目名称,总投资（万元）,上月,\n,,,完成投资（万元）,形象进度\n1,甲,100,5,基础\n";
    let (_, done, findings) = table(text, "ytd_investment");
    assert_eq!(done, [""]);
    assert!(
        findings.iter().any(|f| f.starts_with("warning V24 ") && f.contains("may be ytd_investment")),
        "{findings:#?}"
    );
}

#[test]
fn a_rate_below_a_parent_with_a_unit_of_money_is_none_of_money() {
    for parent in ["投资情况（万元）", "完成情况（万元、%）"] {
        let text = format!("序号,项目名称,{parent},,\n,,总投资,1-4月完成投资,完成率\n1,甲,500,200,40%\n");
        let (_, _, findings) = table(&text, "total_investment");
        let errs: Vec<&String> =
            findings.iter().filter(|f| f.starts_with("error") && f.contains("完成率")).collect();
        assert!(errs.is_empty(), "{errs:#?}");
    }
}

#[test]
fn of_columns_for_several_periods_the_later_one_is_taken_and_of_a_series_none() {
    for (header, values, expected) in [
        ("2023年1-12月完成投资（万元）,2024年1-4月完成投资（万元）", "9,5", "5"),
        ("2024年1-4月完成投资（万元）,2023年1-12月完成投资（万元）", "5,9", "5"),
        ("1-3月完成投资（万元）,1-4月完成投资（万元）", "4,5", "5"),
    ] {
        let (_, done, findings) =
            table(&format!("序号,项目名称,{header}\n1,甲,{values}\n"), "ytd_investment");
        assert_eq!(done, [expected], "{header}");
        let told = |f: &&String| f.starts_with("warning V24 ") && f.contains("earlier period");
        assert_eq!(findings.iter().filter(told).count(), 1, "{findings:#?}");
        errors(&findings, "V24", 0);
    }
    let text = "序号,项目名称,总投资（万元）,1月完成投资,2月完成投资,3月完成投资\n1,甲,5,1,2,3\n";
    let (_, month, findings) = table(text, "month_investment");
    assert_eq!(month, [""], "{findings:#?}");
    errors(&findings, "V24", 0);
}

#[test]
fn what_is_planned_for_a_part_of_the_year_is_none_of_the_year() {
    let text = "序号,项目名称,总投资（万元）,一季度,,二季度,\n,,,计划投资（万元）,完成投资（万元）,计划投资（万元）,完成投资（万元）\n1,甲,5000,90,85,70,30\n";
    for field in ["annual_plan_investment", "ytd_investment"] {
        let (_, values, findings) = table(text, field);
        assert_eq!(values, [""], "{findings:#?}");
        errors(&findings, "V24", 0);
    }
    let text =
        "序号,项目名称,总投资（万元）,投资完成情况（万元）,,\n,,,本月,本年累计,累计\n1,甲,5000,50,350,1000\n";
    assert_eq!(table(text, "ytd_investment").1, ["350"]);
    assert_eq!(table(text, "month_investment").1, ["50"]);
    let text = "序号,项目名称,总投资（万元）,责任单位,\n,,,单位名称,责任人\n1,甲,5000,发改局,王五\n";
    assert_eq!(table(text, "responsible_unit").1, ["发改局"]);
    assert_eq!(table(text, "owner_name").1, [""]);
}

#[test]
fn a_header_of_two_rows_may_end_in_merged_cells() {
    let text = "序号,项目名称,总投资（万元）,资金来源（万元）,,\n,,,自筹,银行贷款,财政\n1,甲,5000,3000,1000,1000\n2,乙,6000,6000,,\n";
    let (names, totals, findings) = table(text, "total_investment");
    assert_eq!(
        (names, totals),
        (vec!["甲".into(), "乙".into()], vec!["5000".into(), "6000".into()]),
        "{findings:#?}"
    );
    let text = "序号,项目名称,完成投资（万元）,\n,,本月数,本年累计数\n1,甲,50,350\n";
    assert_eq!(table(text, "ytd_investment").1, ["350"]);
    assert_eq!(table(text, "month_investment").1, ["50"]);
    let text = "序号,项目名称,开工时间,,竣工时间,\n,,计划时间,实际时间,计划时间,实际时间\n1,甲,2023-01-01,2023-02-01,2024-01-01,2024-02-01\n";
    assert_eq!(table(text, "start_date").1, ["2023-02-01"]);
    assert_eq!(table(text, "plan_finish_date").1, ["2024-01-01"]);
}

#[test]
fn progress_of_a_month_is_progress_and_the_later_month_counts() {
    for (header, row, value) in [
        ("序号,项目名称,5月形象进度", "1,甲,主体", "主体"),
        ("序号,项目名称,4月形象进度,5月形象进度", "1,甲,基础,主体", "主体"),
        ("序号,项目名称,5月进展情况,6月工作计划", "1,甲,主体,封顶", "主体"),
        ("序号,项目名称,2023年5月底形象进度", "1,甲,主体", "主体"),
    ] {
        let (names, values, findings) = table(&format!("{header}\n{row}\n"), "progress_text");
        assert_eq!((names, values), (vec!["甲".into()], vec![value.into()]), "{header} {findings:#?}");
    }
}

#[test]
fn children_that_nobody_knows_still_make_a_header_of_two_rows() {
    for (header, field) in [
        ("项目名称,形象进度,\n,上周,下周", "progress_text"),
        ("项目名称,形象进度,,\n,1季度,2季度,3季度", "progress_text"),
        ("项目名称,计划投资（万元）,,,\n,一季度,二季度,三季度,四季度", "annual_plan_investment"),
        ("项目名称,完成投资（万元）,,\n,1月,2月,3月", "ytd_investment"),
        ("项目名称,开工时间,\n,原计划,调整后", "start_date"),
        ("项目名称,用地面积,,\n,总面积,已供,未供", "land_area_mu"),
    ] {
        let row = "甲项目,1,2,3,4".split(',').take(header.split('\n').next().unwrap().split(',').count());
        let row = row.collect::<Vec<_>>().join(",");
        let (names, values, findings) = table(&format!("{header}\n{row}\n"), field);
        assert_eq!((names, values), (vec!["甲项目".into()], vec![String::new()]), "{header} {findings:#?}");
        errors(&findings, "width", 0);
    }
    let text = "项目名称,形象进度,\n,上月,本月\n甲项目,a基础,b主体\n";
    assert_eq!(table(text, "progress_text").1, ["b主体"]);
    let text = "序号,项目名称,年度累计完成投资（万元）,,\n,,总额,建筑工程,设备购置\n1,甲项目,10,6,4\n";
    let (names, done, _) = table(text, "ytd_investment");
    assert_eq!((names, done), (vec!["甲项目".into()], vec!["10".into()]));
    let text = "序号,项目名称,本月,,本年,\n,,计划（万元）,完成（万元）,计划（万元）,完成（万元）\n1,甲项目,10,5,200,100\n";
    assert_eq!(table(text, "ytd_investment").1, ["100"]);
    assert_eq!(table(text, "month_investment").1, ["5"]);
    let text = "项目名称,年度累计完成投资,\n,目标,实际\n甲项目,100,90\n";
    assert_eq!(table(text, "ytd_investment").1, ["90"]);
}

#[test]
fn a_column_is_what_the_columns_beside_it_leave() {
    for (header, row, field, value) in [
        // The part of a month is none of the whole.
        ("项目名称,5月完成投资（万元）,其中：设备投资", "甲,10,6", "equipment_plan_investment", ""),
        ("项目名称,总投资（万元）,其中：设备投资（万元）", "甲,10,6", "equipment_plan_investment", "6"),
        ("项目名称,计划投产时间,实际投产时间", "甲,2024-03-15,2024-04-15", "production_date", "2024-04-15"),
        ("项目名称,建设单位,计划投产时间", "甲,a,2024-03-15", "production_date", "2024-03-15"),
        ("项目名称,5月工作计划,5月进展情况", "甲,封顶,主体", "next_step", ""),
        ("项目名称,5月工作计划,5月进展情况", "甲,封顶,主体", "progress_text", "主体"),
        ("项目名称,6月工作计划,5月进展情况", "甲,封顶,主体", "next_step", "封顶"),
        ("项目名称,12月形象进度,1月形象进度", "甲,基础,主体", "progress_text", "主体"),
    ] {
        let (_, values, findings) = table(&format!("{header}\n{row}\n"), field);
        assert_eq!(values, [value], "{header} {findings:#?}");
    }
}

#[test]
fn numbers_of_columns_in_any_writing_are_no_record() {
    let head = "序号,项目名称,总投资（万元）,形象进度,备注\n";
    for row in [
        "①,②,③,④,⑤",
        "一,二,三,四,五",
        "（1）,（2）,（3）,（4）,（5）",
        "A,B,C,D,E",
        "必填,必填,必填,选填,选填",
        "（必填）,（必填）,（必填）,（选填）,（选填）",
        "1,2,3,4,5",
        "甲,乙,1,2,3",
    ] {
        let (names, totals, findings) =
            table(&format!("{head}{row}\n1,甲项目,100,主体,无\n"), "total_investment");
        assert_eq!((names, totals), (vec!["甲项目".into()], vec!["100".into()]), "{row} {findings:#?}");
    }
    let text =
        "项目情况,,投资情况,,\n序号,项目名称,总投资（万元）,年度计划投资（万元）,备注\n1,甲项目,100,50,好\n";
    assert_eq!(table(text, "library_no").1, [""]);
}
