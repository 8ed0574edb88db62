//! Units of amounts, wherever they are written.

use super::{errors, table};

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
