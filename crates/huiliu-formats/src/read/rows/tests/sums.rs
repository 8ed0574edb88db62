//! Totals, their parts, and groups.

use super::{errors, table};

const LIST: &str = "项目名称,建设单位,总投资（万元）,形象进度\n甲项目,甲司,100,主体\n乙项目,乙司,200,封顶\n";

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
fn amounts_that_add_up_by_chance_make_no_title_of_a_record() {
    for (text, expected) in [
        (
            "项目名称,总投资（万元）,形象进度\n一、产业项目,,\n甲项目,100,30%\n乙项目,200,60%\n二、民生项目,,\n丙项目,300,80%\n",
            3,
        ),
        ("项目名称,总投资（万元）,形象进度\n甲项目,100,30%\n,,\n丙项目,300,80%\n", 2),
        ("项目名称,建设单位,年度累计完成投资（万元）\n甲项目,,0\n乙项目,乙司,0\n丙项目,丙司,0\n", 3),
        ("项目名称,建设单位,总投资（亿元）\n甲项目,,3\n乙项目,乙司,1\n丙项目,丙司,2\n", 3),
        (
            "项目名称,建设单位,总投资（亿元）,本年完成投资\n甲项目,,3亿,0\n乙项目,乙司,2亿,0\n丙项目,丙司,3亿,0\n",
            3,
        ),
        (
            "项目名称,建设单位,总投资（万元）,计划开工时间\n甲项目,,300,2023\n乙项目,乙司,100,2023\n丙项目,丙司,200,2023\n",
            3,
        ),
        ("序号,项目名称,总投资（万元）\n,甲项目,600\n1,乙项目,100\n2,丙项目,200\n3,丁项目,300\n", 4),
        (
            "序号,项目名称,总投资（万元）,年度计划投资（万元）\n,合计,600,60\n,其中：续建,300,30\n,新建,300,30\n,甲项目,300,30\n,乙项目,100,10\n,丙项目,200,20\n",
            3,
        ),
        (
            "序号,项目名称,建设单位,总投资（万元）\n1,甲项目,甲司,100\n第2页,,,\n2,填海工程,,\n3,乙项目,乙司,200\n",
            3,
        ),
    ] {
        let (names, _, findings) = table(text, "owner_name");
        assert_eq!(names.len(), expected, "{text} {names:?} {findings:#?}");
    }
    let text =
        "项目名称,子项目名称,总投资（万元）,形象进度\n打包项目,,300,\n,一号路,100,主体\n,二号路,200,基础\n";
    assert_eq!(table(text, "owner_name").0[0], "打包项目");
}

#[test]
fn titles_with_sums_are_told_from_parts_of_the_total_above() {
    let head = "项目名称,建设单位,总投资（万元）\n";
    let groups = ["400\n甲项目,甲司,200\n乙项目,乙司,200\n", "600\n丙项目,丙司,600\n"];
    for (one, two) in [("一、湖塘镇", "二、前黄镇"), ("湖塘镇", "前黄镇")] {
        let rows = format!("{one},,{}{two},,{}", groups[0], groups[1]);
        for above in ["", "合计,,1000\n", "合计,,1000\n其中：续建,,700\n新建,,300\n"] {
            let (names, regions, findings) = table(&format!("{head}{above}{rows}"), "region_name");
            assert_eq!(names, ["甲项目", "乙项目", "丙项目"], "{above}{rows} {findings:#?}");
            assert_eq!(regions, ["湖塘镇", "湖塘镇", "前黄镇"], "{above}{rows} {findings:#?}");
        }
    }
    let text = format!("{head}续建项目,,2\n乙项目,乙司,2\n小计,,2\n新建项目,,2\n丙项目,丙司,2\n小计,,2\n");
    assert_eq!(table(&text, "construction_nature").1, ["续建", "新建"]);
    let text = format!(
        "{head}合计,,1000\n一、湖塘镇,,300\n其中：省重点,,100\n市重点,,200\n甲项目,甲司,100\n乙项目,乙司,200\n二、前黄镇,,700\n丙项目,丙司,700\n"
    );
    assert_eq!(table(&text, "region_name").0, ["甲项目", "乙项目", "丙项目"]);
    // A record of the group that has nothing but its amount, and sums that are nothing.
    let text = format!("{head}高新区,,320\n甲项目,甲司,300\n丁项目,,0\n乙项目,乙司,20\n");
    assert_eq!(table(&text, "region_name").1, ["高新区"; 3]);
    let text = "项目名称,建设单位,总投资（万元）,年度累计完成投资（万元）\n湖塘镇,,320,0\n甲项目,甲司,300,0\n丁项目,丁司,20,0\n前黄镇,,30,0\n丙项目,丙司,30,0\n";
    assert_eq!(table(text, "region_name").1, ["湖塘镇", "湖塘镇", "前黄镇"]);
    let text = format!("{head}一、湖塘镇,,30\n甲项目,甲司,10\n丁项目,,10\n乙项目,乙司,10\n");
    assert_eq!(table(&text, "region_name").1, ["湖塘镇"; 3]);
    let text = format!("{head}合计,,0\n其中：续建,,0\n新建,,0\n甲项目,甲司,0\n乙项目,乙司,0\n");
    assert_eq!(table(&text, "construction_nature").1, ["", ""]);
    let text = format!("{head}一、湖塘镇,,30\n甲项目,甲司,10\n丁项目,,20\n乙项目,乙司,10\n丙项目,丙司,10\n");
    assert_eq!(table(&text, "region_name").0.len(), 4);
    let text = format!("{head}甲项目,甲司,300\n平价超市,,10\n乙项目,乙司,10\n");
    assert_eq!(table(&text, "region_name").0.len(), 3);
}
