//! Other tables above, beside and below the one that is read.

use super::{errors, table};

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

#[test]
fn what_is_counted_below_a_gap_is_no_record() {
    let plain = "项目名称,责任单位,总投资（万元）\n甲项目,A局,100\n乙项目,B局,200\n";
    let numbered = "序号,项目名称,责任单位,总投资（万元）\n1,甲项目,A局,100\n2,乙项目,B局,200\n";
    for (list, below) in [
        (plain, ",,\n湖塘镇,1个,100\n前黄镇,1个,200\n"),
        (plain, ",,\n开工项目数,3个,\n开工率,75%,\n"),
        (plain, ",,\n发改局,2,\n"),
        (plain, "汇总,,\n发改局,2,\n"),
        (numbered, ",,,\n,已开工,1,\n,未开工,1,\n"),
        (numbered, ",,,\n汇总,,,\n产业类,1,,\n"),
    ] {
        let (names, _, findings) = table(&format!("{list}{below}"), "owner_name");
        assert_eq!(names, ["甲项目", "乙项目"], "{below} {findings:#?}");
        errors(&findings, "second-table", 1);
    }
    let text =
        "项目名称,建设内容及规模,总投资（万元）\n甲项目,新建厂房,100\n,,\n镇级污水,3个,\n乙项目,道路,20\n";
    assert_eq!(table(text, "owner_name").0.len(), 3);
    let text = "项目名称,总投资（万元）\n甲项目,100\n续表,\n乙项目,200\n第2页,\n丙项目,300\n";
    assert_eq!(table(text, "owner_name").0.len(), 3);
}
