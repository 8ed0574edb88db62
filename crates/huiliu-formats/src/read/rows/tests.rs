//! Rows that look like one thing and are another, as departments send them; each was read wrongly once.

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
fn a_header_that_comes_again_with_another_unit_or_name_begins_another_table() {
    let head = "项目名称,建设单位,总投资(万元),年度计划投资(万元),开工时间\n";
    let rows = "甲项目,甲司,100,50,2024-01-01\n乙项目,乙司,200,60,2024-02-01\n";
    for (from, to) in [
        ("总投资(万元)", "总投资(亿元)"),
        ("开工时间", "竣工时间"),
        ("总投资(万元)", "年度累计完成投资(万元)"),
        ("建设单位", "责任单位"),
    ] {
        let again = head.replace(from, to);
        let (names, _, findings) =
            table(&format!("{head}{rows}{again}丁项目,丁司,5,300,2024-03-01\n"), "owner_name");
        assert_eq!(names, ["甲项目", "乙项目"], "{again}");
        errors(&findings, "second-table", 1);
    }
    let again = head.replace("项目名称", "项目 名称").replace("(万元)", "（万元）");
    let (names, ..) = table(&format!("{head}{rows}{again}丁项目,丁司,5,300,2024-03-01\n"), "owner_name");
    assert_eq!(names, ["甲项目", "乙项目", "丁项目"]);
}

#[test]
fn a_unit_among_the_rows_is_no_record_and_another_one_is_told() {
    let head = "单位：万元,,,,\n项目名称,建设单位,总投资,年度计划投资,开工时间\n";
    let rows = "甲项目,甲司,100,50,2024-01-01\n乙项目,乙司,200,60,2024-02-01\n";
    for (unit, errs, expected) in [
        ("单位：亿元,,,,", 1, 2),
        ("注：金额单位为亿元,,,,", 1, 2),
        ("二、续建项目（单位：亿元）,,,,", 1, 2),
        ("单位：万元,,,,", 0, 3),
        ("单位：人民币万元,,,,", 0, 3),
    ] {
        let (names, _, findings) =
            table(&format!("{head}{rows}{unit}\n丁项目,丁司,5,3,2024-03-01\n"), "owner_name");
        assert_eq!(names.len(), expected, "{unit} {findings:#?}");
        errors(&findings, "unit", errs);
    }
    let (names, _, findings) =
        table(&format!("{}{rows}单位：亿元,,,,\n", head.replace("单位：万元,,,,\n", "")), "owner_name");
    assert_eq!(names.len(), 2);
    errors(&findings, "unit", 1);
}

#[test]
fn a_currency_is_no_unit() {
    let (_, totals, _) = table(
        "项目名称,总投资(人民币),年度计划投资(RMB)\n甲项目,12000,500\n乙项目,8000,100\n",
        "total_investment",
    );
    assert_eq!(totals, ["12000", "8000"]);
    let (_, totals, _) = table("项目名称,总投资(人民币元),建设单位\n甲项目,12000,甲\n", "total_investment");
    assert_eq!(totals, ["1.2"]);
}

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
fn a_list_that_is_numbered_in_words_is_no_list_of_groups() {
    for (text, expected) in [
        ("序号,项目名称,总投资(万元)\n一,甲项目,100\n二,乙项目,200\n三,丙项目,300\n", 3),
        ("序号,项目名称,总投资(万元),开工时间\n一,甲项目,100,\n二,乙项目,200,2024-01\n三,丙项目,300,\n", 3),
        ("项目名称,建设单位,总投资(万元),备注\n一、甲项目,,100,\n二、乙项目,,200,\n三、丙项目,,300,\n", 3),
        (
            "项目名称,建设单位,总投资(万元),备注\n甲项目,甲司,100,\n三、四号楼改造,,100,\n乙项目,乙司,200,\n",
            3,
        ),
        (
            "项目名称,建设单位,总投资(万元),备注\n一、滨江片区,,300,\n甲项目,甲司,100,\n乙项目,乙司,200,\n二、城东片区,,50,\n丙项目,丙司,50,\n",
            3,
        ),
        ("项目名称,建设单位,总投资(万元),备注\n一、产业项目,,0,\n二、民生项目,,50,\n丙项目,丙司,50,\n", 1),
    ] {
        let (names, _, findings) = table(text, "owner_name");
        assert_eq!(names.len(), expected, "{text} {names:?} {findings:#?}");
    }
}

#[test]
fn a_total_whose_count_stands_beside_it_is_one_and_is_checked() {
    let rows = "序号,项目名称,建设单位,总投资(万元)\n1,甲项目,甲司,100\n2,乙项目,乙司,200\n";
    for (total, wrong) in [
        ("合计,2个,,300", 0),
        ("合计,共3个项目,,300", 1),
        ("总计,2项,,400", 1),
        ("小计,产业项目,,300", 0),
        ("合计,,,300", 0),
    ] {
        let (names, _, findings) = table(&format!("{rows}{total}\n"), "owner_name");
        assert_eq!(names.len(), 2, "{total} {findings:#?}");
        assert_eq!(findings.iter().filter(|f| f.contains(" V15 ")).count(), wrong, "{total} {findings:#?}");
    }
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
fn a_column_of_units_is_the_unit_of_the_amounts_beside_it() {
    for text in [
        "项目名称,总投资,单位\n甲项目,100,万元\n乙项目,2,亿元\n丙项目,3,\n",
        "项目名称,总投资,投资额单位,建设单位\n甲项目,100,万元,甲司\n乙项目,2,亿元,乙司\n丙项目,3,,丙司\n",
    ] {
        let (_, totals, findings) = table(text, "total_investment");
        assert_eq!(totals, ["100", "20000", "3"], "{findings:#?}");
        let told = |f: &&String| {
            f.starts_with("warning unit ") && f.contains("`3` has no unit beside it and was read in `万元`")
        };
        assert_eq!(findings.iter().filter(told).count(), 1, "{findings:#?}");
        assert!(!findings.iter().any(|f| f.starts_with("error") || f.contains("建设单位")), "{findings:#?}");
    }
    let (owners, ..) = table("项目名称,总投资(万元),单位\n甲项目,100,甲公司\n", "owner_name");
    assert_eq!(owners.len(), 1);
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
fn a_table_above_the_one_that_is_read_is_told() {
    let text = "统计表,,\n区县,个数,总额\n甲区,3,500\n乙区,4,600\n丙区,7,100\n\n项目名称,建设单位,总投资(万元)\n甲项目,甲司,100\n乙项目,乙司,200\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names, ["甲项目", "乙项目"]);
    errors(&findings, "second-table", 1);
    let (_, _, findings) = table(
        "重大项目表,,\n填报单位：住建局,,2024年3月\n项目名称,建设单位,总投资(万元)\n甲项目,甲司,100\n",
        "owner_name",
    );
    errors(&findings, "second-table", 0);
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
fn units_above_a_table_hold_for_its_areas_and_a_column_that_says_otherwise_is_told() {
    let text = "单位：亿元、公顷、万平方米,,,\n项目名称,总投资,用地面积,总建筑面积\n甲项目,2,200,3\n";
    let (_, land, findings) = table(text, "land_area_mu");
    assert_eq!(land, ["3000.0"], "{findings:#?}");
    assert_eq!(table(text, "total_investment").1, ["20000"]);
    assert_eq!(table(text, "floor_area_m2").1, ["30000.0"]);
    let (_, totals, findings) = table("项目名称,总投资(万元),单位\n甲项目,100,亿元\n", "total_investment");
    assert_eq!(totals, ["100"]);
    errors(&findings, "unit", 1);
    errors(&table("项目名称,总投资(万元),单位\n甲项目,100,万元\n", "total_investment").2, "unit", 0);
}

#[test]
fn a_unit_in_a_sentence_is_one() {
    let rows = "项目名称,建设单位,总投资\n甲项目,甲司,1\n乙项目,乙司,2\n";
    for above in ["说明：本表金额以亿元计。,,", "（金额单位均以亿元计）,,", "本表以亿元为单位,,"]
    {
        let (_, totals, findings) = table(&format!("{above}\n{rows}"), "total_investment");
        assert_eq!(totals, ["10000", "20000"], "{above} {findings:#?}");
    }
    for below in ["注：本表金额均以亿元计,,", "注：总投资以亿元计,,", "说明：表中数据按亿元计算。,,"]
    {
        let (_, totals, findings) = table(&format!("{rows}{below}\n"), "total_investment");
        assert_eq!(totals, ["1", "2"], "{below}");
        errors(&findings, "unit", 1);
    }
}

#[test]
fn labels_that_nobody_filled_in_are_no_record() {
    let text = "项目名称,责任单位,联系人,总投资(万元)\n甲项目,甲局,张三,100\n责任单位,联系人,联系电话,\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names, ["甲项目"], "{findings:#?}");
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
fn a_unit_above_the_table_counts_however_it_is_written_and_one_that_is_not_understood_is_told() {
    for above in [
        "重大项目表,,,\n,,,单位：亿元 填报日期：2023年5月\n",
        "重大项目表,,,\n（金额：亿元）,,,\n",
        "2023年重大项目表（亿元）,,,\n",
        "\"填报单位：湖塘镇\n单位：亿元\n日期：2023年5月\",,,\n",
        "重大项目表,,（亿元）,\n",
    ] {
        let text = format!("{above}序号,项目名称,建设单位,总投资\n1,甲,甲公司,5\n");
        let (_, totals, findings) = table(&text, "total_investment");
        assert_eq!(totals, ["50000"], "{above} {findings:#?}");
    }
    let (_, totals, _) =
        table("序号,项目名称,建设单位,总投资,单位：亿元\n1,甲,甲公司,5,\n", "total_investment");
    assert_eq!(totals, ["50000"]);
    let (_, totals, findings) = table(
        "重大项目表 总投资亿元 面积亩,,,\n序号,项目名称,建设单位,总投资\n1,甲,甲公司,5\n",
        "total_investment",
    );
    assert_eq!(totals, ["5"]);
    assert!(findings.iter().any(|f| f.starts_with("warning unit ")), "{findings:#?}");
    for title in ["2023年亿元以上重大项目表", "填报单位：元氏县"] {
        let text = format!("{title},,,\n序号,项目名称,建设单位,总投资\n1,甲,甲公司,5\n");
        let (_, totals, findings) = table(&text, "total_investment");
        assert_eq!(totals, ["5"], "{title}");
        assert!(!findings.iter().any(|f| f.contains(" unit ")), "{findings:#?}");
    }
}

#[test]
fn rows_of_groups_with_counts_and_sums_are_no_records() {
    let head = "序号,项目名称,建设单位,总投资（万元）,形象进度\n";
    for (rows, expected) in [
        ("一,产业项目,1个,1000,\n1,甲,甲公司,1000,在建\n,湖塘镇,,2000,\n2,乙,乙公司,2000,在建\n", 2),
        ("一,产业项目,,1000,开工1个\n1,甲,甲公司,1000,在建\n2,乙,乙公司,2000,在建\n", 2),
        ("合计,,,3,\n其中,续建项目,,1,\n,新建项目,,2,\n1,甲,甲公司,1,在建\n2,乙,乙公司,2,在建\n", 2),
        ("1,甲,甲公司,1000,在建\n,合计,,1000,较上月增加1个\n", 1),
        ("1,甲,甲公司,1000,在建\n平均,,,1000,\n", 1),
        (",湖塘镇,,100,\n1,甲,甲公司,100,在建\n,牛塘镇,,300,\n1,乙,乙公司,300,在建\n", 2),
        ("1,园区打包,甲公司,600,在建\n,其中：道路工程,,100,\n,桥梁工程,,200,\n2,乙项目,乙公司,200,在建\n", 3),
        ("注：请补充完善,,,,\n1,甲,,,\n2,乙,,,\n3,丙,,,x\n", 3),
        ("例1,某某项目,某某公司,12,\n1,甲,甲公司,1000,在建\n", 1),
        ("1,甲,甲公司,1000,在建\n填表说明：,,,,\n1,总投资以立项批复为准,,,\n2,建设单位填全称,,,\n", 1),
    ] {
        let (names, _, findings) = table(&format!("{head}{rows}"), "owner_name");
        assert_eq!(names.len(), expected, "{rows} {names:?} {findings:#?}");
    }
}

#[test]
fn totals_are_known_without_a_column_of_numbers_and_beside_words_that_count() {
    for (text, expected) in [
        ("项目名称,总投资（万元）,形象进度\n甲,1,在建\n湖塘镇小计,1,\n乙,2,在建\n合计,3,开工2个\n", 2),
        ("项目名称,总投资（万元）,形象进度\n甲,1,在建\n合计（万元）,1,\n", 1),
        ("项目名称,总投资（万元）,形象进度\n甲,1,在建\n总计（含预备）,1,\n", 1),
        ("所属板块,项目名称,总投资（万元）\n湖塘镇,甲,1\n湖塘镇,乙,2\n湖塘镇,合计,3\n", 2),
        ("所属乡镇,项目名称,总投资（万元）,形象进度\n湖塘镇,甲,1,在建\n合计,,1,开工1个\n", 1),
        ("项目名称,建设单位,总投资（万元）\n合计划建设项目,甲公司,1\n小计算机厂,乙公司,1\n", 2),
    ] {
        let (names, _, findings) = table(text, "owner_name");
        assert_eq!(names.len(), expected, "{text} {names:?} {findings:#?}");
    }
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
fn a_second_unit_in_a_sheet_is_told_and_its_rows_are_not_read() {
    let head = "序号,项目名称,建设单位,总投资\n";
    for unit in [
        "填报单位：湖塘镇  单位：亿元,,,",
        "二、新建项目（单位：亿元）,,,",
        "单位：亿元,,,",
        "二、新建,,,单位：亿元",
        "新建项目表,,,（亿元）",
    ] {
        let text = format!("单位：万元,,,\n{head}1,甲,甲公司,30000\n{unit}\n{head}2,乙,乙公司,2\n");
        let (names, _, findings) = table(&text, "owner_name");
        assert_eq!(names, ["甲"], "{unit} {findings:#?}");
        errors(&findings, "unit", 1);
        let back = format!("{text}单位：万元,,,\n{head}3,丙,丙公司,3\n");
        assert_eq!(table(&back, "owner_name").0, ["甲", "丙"], "{unit}");
    }
    let text = "序号,项目名称,总投资（万元）\n1,甲,5\n注：外资金额单位为万美元,,\n";
    errors(&table(text, "owner_name").2, "unit", 0);
    let text = "单位：万元,,,\n序号,项目名称,建设单位,总投资\n二、新建项目,,,单位：万元\n1,甲,甲公司,3\n";
    let (names, natures, _) = table(text, "construction_nature");
    assert_eq!((names, natures), (vec!["甲".to_owned()], vec!["新建".to_owned()]));
}

#[test]
fn the_value_of_a_group_ends_with_it_and_what_says_which_projects_is_no_industry() {
    let head = "序号,项目名称,建设单位,总投资（万元）\n";
    for title in ["区属国企（1个）", "谋划一批（1个）"] {
        let text = format!("{head}湖塘镇（1个）,,,\n1,甲,甲公司,1\n{title},,,\n2,乙,乙公司,2\n");
        let (_, regions, findings) = table(&text, "region_name");
        assert_eq!(regions, ["湖塘镇", ""], "{findings:#?}");
        assert!(!findings.iter().any(|f| f.contains(" V15 ")), "{findings:#?}");
    }
    let text =
        format!("{head}湖塘镇（2个）,,,\n续建（1个）,,,\n1,甲,甲公司,1\n新建（1个）,,,\n2,乙,乙公司,2\n");
    assert_eq!(table(&text, "region_name").1, ["湖塘镇", "湖塘镇"], "known titles lie in one another");
    for title in ["续建产业", "重点产业", "亿元以上产业", "省级重大产业", "2023年重大产业"]
    {
        let text = format!("{head}一、{title}项目,,,\n1,甲,甲公司,1\n");
        assert_eq!(table(&text, "industry_name").1, [""], "{title}");
    }
    let text = format!("{head}一、高端装备产业项目,,,\n1,甲,甲公司,1\n");
    assert_eq!(table(&text, "industry_name").1, ["高端装备产业"]);
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
fn a_table_beside_the_first_one_is_not_read_as_columns_of_it() {
    let text = "序号,项目名称,开工时间,,序号,项目名称,竣工时间\n1,甲,2023-03-01,,1,乙,2023-05-01\n";
    let (names, days, findings) = table(text, "finish_date");
    assert_eq!((names, days), (vec!["甲".to_owned()], vec![String::new()]));
    errors(&findings, "V24", 1);
}

#[test]
fn a_small_table_below_the_list_is_told_and_not_read() {
    let text = "序号,项目名称,建设单位,总投资（万元）\n1,甲,甲公司,1\n,,,\n,板块,项目数,总投资（万元）\n,湖塘镇,3,100\n,前黄镇,2,50\n";
    let (names, _, findings) = table(text, "owner_name");
    assert_eq!(names, ["甲"], "{findings:#?}");
    errors(&findings, "second-table", 1);
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
fn a_small_table_that_ends_before_the_figures_is_told_and_not_read() {
    let head = "序号,项目名称,总投资（万元）,形象进度\n1,甲,100,主体\n2,乙,200,封顶\n,,,\n";
    for below in
        ["责任单位,项目数,,\n发改局,1,,\n住建局,1,,\n", "各单位项目数,,,\n责任单位,项目数,,\n发改局,1,,\n"]
    {
        let (names, _, findings) = table(&format!("{head}{below}"), "owner_name");
        assert_eq!(names, ["甲", "乙"], "{findings:#?}");
        errors(&findings, "second-table", 1);
    }
    // Records whose other cells are still empty.
    let (names, _, findings) = table(&format!("{head}3,丙,,\n,丁,,\n"), "owner_name");
    assert_eq!(names, ["甲", "乙", "丙", "丁"], "{findings:#?}");
    errors(&findings, "second-table", 0);
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
fn parts_of_a_total_end_where_they_add_up_to_it() {
    let head = "项目名称,责任单位,总投资（万元）\n甲,A局,100\n乙,B局,200\n合计,,300\n其中：省级重点,,100\n";
    let (names, ..) = table(&format!("{head}市级重点,,200\n"), "owner_name");
    assert_eq!(names, ["甲", "乙"]);
    let (names, ..) = table(&format!("{head}市级重点,,150\n区级重点,,50\n"), "owner_name");
    assert_eq!(names, ["甲", "乙"]);
    let (names, ..) = table(&format!("{head}丙,,70\n丁,C局,60\n"), "owner_name");
    assert_eq!(names, ["甲", "乙", "丙", "丁"]);
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
fn an_amount_without_a_unit_beside_another_with_one_is_told() {
    for (header, warnings) in [
        ("项目名称,总投资（亿元）,2023年计划投资", 1),
        ("项目名称,总投资（亿元）,年度计划投资（亿元）", 0),
        ("项目名称,总投资（万元）,年度计划投资", 0),
        ("项目名称,总投资,年度计划投资", 0),
        ("单位：亿元,,\n项目名称,总投资（万元）,年度计划投资（万元）", 1),
        ("单位：亿元,,\n项目名称,总投资（万元）,年度计划投资", 0),
    ] {
        let (_, _, findings) = table(&format!("{header}\n甲项目,2,1\n"), "total_investment");
        let told = findings.iter().filter(|finding| finding.starts_with("warning unit ")).count();
        assert_eq!(told, warnings, "{header} {findings:#?}");
    }
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

const LIST: &str = "项目名称,建设单位,总投资（万元）,形象进度\n甲项目,甲司,100,主体\n乙项目,乙司,200,封顶\n";

#[test]
fn totals_say_more_than_their_word() {
    for total in [
        "合计,2个,300,开工1个、竣工1个",
        "合计2个项目,,300,",
        "合计：2个项目,,300,",
        "共计2个项目,,300,",
        "共2个项目,,300,",
        "共2个,,300,",
        "汇总,,300,",
        "∑,,300,",
        "2个,,300,",
        "湖塘镇共2个项目，总投资300万元,,,",
        "总投资300万元,,,",
        "续表,,,",
        "第1页,,,",
        "第2页共3页,,,",
        "……,,,",
        "/,/,/,/",
        "举例,某某项目,某某公司,100",
    ] {
        let (names, _, findings) = table(&format!("{LIST}{total}\n"), "owner_name");
        let example = total.starts_with("举例");
        assert_eq!(names.len(), if example { 3 } else { 2 }, "{total} {findings:#?}");
    }
}

#[test]
fn titles_are_told_by_the_sums_beside_them() {
    let head = "项目名称,建设单位,总投资（万元）,形象进度\n";
    let rows = ("甲项目,甲司,100,主体\n", "乙项目,乙司,150,封顶\n丙项目,丙司,50,封顶\n");
    let text = format!("{head}续建,,100,\n{}新建,,200,\n{}", rows.0, rows.1);
    let (names, natures, findings) = table(&text, "construction_nature");
    assert_eq!(names, ["甲项目", "乙项目", "丙项目"], "{findings:#?}");
    assert_eq!(natures, ["续建", "新建", "新建"]);
    let text = format!("{head}合计,,300,\n湖塘镇,,100,\n{}区属国企,,200,\n{}", rows.0, rows.1);
    let (names, regions, findings) = table(&text, "region_name");
    assert_eq!(names, ["甲项目", "乙项目", "丙项目"], "{findings:#?}");
    assert_eq!(regions, ["湖塘镇", "", ""]);
    // A record with an amount of its own is one.
    let (names, ..) = table(&format!("{head}丁项目,,90,\n{}{}", rows.0, rows.1), "region_name");
    assert_eq!(names.len(), 4);
    for title in ["湖塘镇,,,100,", "湖塘镇,1个,,100,", "Ⅰ,湖塘镇,,100,", "A,湖塘镇,,100,"] {
        let text =
            format!("序号,项目名称,建设单位,总投资（万元）,形象进度\n{title}\n1,甲项目,甲司,100,主体\n");
        let (names, regions, findings) = table(&text, "region_name");
        assert_eq!((names, regions), (vec!["甲项目".into()], vec!["湖塘镇".into()]), "{title} {findings:#?}");
    }
    let text = "序号,项目名称,建设单位,总投资（万元）\n1,产业项目,,100\n1.1,甲项目,甲司,100\n";
    assert_eq!(table(text, "owner_name").0, ["甲项目"]);
}

#[test]
fn a_title_that_says_nothing_ends_the_group_above() {
    let head = "序号,项目名称,建设单位,总投资（万元）\n续建项目,,,\n1,甲项目,甲司,100\n";
    for title in ["新增项目,,,", "其他,,,"] {
        let (names, natures, findings) =
            table(&format!("{head}{title}\n2,乙项目,乙司,200\n"), "construction_nature");
        assert_eq!(names, ["甲项目", "乙项目"], "{findings:#?}");
        assert_eq!(natures, ["续建", ""], "{title} {findings:#?}");
    }
    let text = "项目名称,建设单位,总投资（万元）\n续建项目,,\n甲项目,甲司,100\n新增项目,,\n乙项目,乙司,200\n";
    let (names, natures, findings) = table(text, "construction_nature");
    assert_eq!(
        (names.last(), natures.last()),
        (Some(&"乙项目".into()), Some(&String::new())),
        "{findings:#?}"
    );
    errors(&findings, "name-only", 1);
    // 前期 behind rows stands beside 新开工 and not inside.
    let text = "项目名称,建设单位,总投资（万元）\n高新区,,\n计划新开工,,\n甲项目,甲司,100\n前期,,\n乙项目,乙司,200\n";
    assert_eq!(table(text, "construction_nature").1, ["新建", ""]);
    assert_eq!(table(text, "region_name").1, ["高新区", "高新区"]);
}

#[test]
fn parts_of_totals_have_no_numbers_and_names_that_begin_like_them_are_names() {
    let numbered = "序号,项目名称,责任单位,总投资（万元）\n1,甲项目,A局,100\n2,乙项目,B局,200\n";
    for parts in [
        "合计,,,300\n其中：续建,,,100\n新建,,,200\n",
        "合计,2,,300\n其中：产业类,1,,100\n民生类,1,,200\n",
        "合计,,,300\n产业类,,,100\n民生类,,,200\n",
    ] {
        let (names, _, findings) = table(&format!("{numbered}{parts}"), "owner_name");
        assert_eq!(names, ["甲项目", "乙项目"], "{parts} {findings:#?}");
    }
    let (head, rows) = ("项目名称,责任单位,总投资（万元）\n", "甲项目,A局,100\n乙项目,B局,200\n");
    for parts in [
        "合计,,300\n其中：续建,,100\n新建,,200\n",
        "合计,2,300\n其中：产业类,1,100\n民生类,1,200\n",
        "合计,,300\n其中：产业类,,120\n民生类,,100\n",
    ] {
        let (names, _, findings) = table(&format!("{head}{rows}{parts}"), "owner_name");
        assert_eq!(names, ["甲项目", "乙项目"], "{parts} {findings:#?}");
        let (names, _, findings) = table(&format!("{head}{parts}{rows}"), "owner_name");
        assert_eq!(names, ["甲项目", "乙项目"], "{parts} {findings:#?}");
    }
    // By chance they add up, and records follow.
    let text = format!("{head}{rows}合计,,300\n其中：省级重大项目,,100\n丙项目,,200\n丁项目,,50\n");
    assert_eq!(table(&text, "owner_name").0, ["甲项目", "乙项目", "丙项目", "丁项目"]);
    let (names, ..) = table(&format!("{head}{rows}其中村改造,,200\n"), "owner_name");
    assert_eq!(names, ["甲项目", "乙项目", "其中村改造"]);
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

#[test]
fn small_tables_below_a_list_of_words_are_told_and_not_read() {
    let list = "序号,项目名称,5月形象进度,存在问题,责任单位\n1,甲项目,主体施工,,发改局\n2,乙项目,主体施工,征地,住建局\n,,,,\n";
    for below in [
        ",责任单位,项目数,开工数,\n,发改局,1,1,\n",
        "责任单位,项目数,开工数,,\n发改局,1,1,,\n",
        "统计,,,,\n新建,1,,,\n",
        "新建,1,,,\n续建,1,,,\n",
        "开工项目数,1,,,\n开工率,50%,,,\n",
    ] {
        let (names, _, findings) = table(&format!("{list}{below}"), "owner_name");
        assert_eq!(names, ["甲项目", "乙项目"], "{below} {findings:#?}");
        errors(&findings, "second-table", 1);
    }
    let (names, _, findings) = table(&format!("{list}3,丙项目,,,\n,丁项目,,,交通局\n"), "owner_name");
    assert_eq!(names.len(), 4, "{findings:#?}");
}
