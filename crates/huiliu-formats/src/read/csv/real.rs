//! Files as offices and machines really write them, and what they should be read as.

use super::sniff::Known;
use super::table::Plan;

/// Header rows, then all rows with `|` between their cells.
fn read(text: &str) -> (usize, Vec<String>) {
    let mut plan = Plan::new(text, &Known::default(), None, true);
    let (mut rows, mut at) = (Vec::new(), plan.outline.start);
    while at < plan.outline.end.unwrap_or(text.len()) {
        let row = plan.row(text, at, rows.len() < plan.outline.header);
        at = row.next;
        if !row.blank {
            rows.push(row.cells.join("|"));
        }
    }
    (plan.outline.header, rows)
}

#[test]
fn files_from_the_world_are_read_as_they_were_meant() {
    let mut wrong = Vec::new();
    for (name, text, header, first, last, count) in [
        (
            "statistics with a title, notes and a source",
            "Table 3.1 Population by region\nUnits: thousands\n\nRegion,2019,2020,2021\nNorth,\"1,204\",\"1,210\",\"1,220\"\nSouth,980,985,\"1,001\"\nEast,455,460,462\nWest,320,321,325\n\nNote: provisional figures.\nSource: Office of Statistics\n",
            1,
            "Region|2019|2020|2021",
            "West|320|321|325",
            5,
        ),
        (
            "semicolons and decimal commas",
            "Datum;Menge;Preis;Ort\n01.02.2023;5;12,50;Köln\n02.02.2023;7;1.300,00;Bonn, Mitte\n03.02.2023;9;7,25;Kiel\n",
            1,
            "Datum|Menge|Preis|Ort",
            "03.02.2023|9|7,25|Kiel",
            4,
        ),
        (
            "a log with pipes and no header",
            "2024-05-01 10:00:01|INFO|main|started, waiting\n2024-05-01 10:00:02|WARN|disk|90% full; clean up\n2024-05-01 10:00:05|INFO|main|stopped\n",
            0,
            "2024-05-01 10:00:01|INFO|main|started, waiting",
            "2024-05-01 10:00:05|INFO|main|stopped",
            3,
        ),
        (
            "a department's list with title, unit and footer",
            "2023年4月重点项目进展情况表,,,\n单位：万元,,,\n序号,项目名称,总投资,开工时间\n1,示例储能一期,12000,2023年2月\n2,示例装备基地,8500,2022年9月\n3,示例生物医药园,30000,2023年3月\n填报人：张三,,,\n",
            1,
            "序号|项目名称|总投资|开工时间",
            "3|示例生物医药园|30000|2023年3月",
            4,
        ),
        (
            "tabs and apostrophes",
            "name\tquote\tyear\nO'Neil\tit's fine\t1999\nD'Arcy\t'tis\t2001\nSmith\tnone\t2002\n",
            1,
            "name|quote|year",
            "Smith|none|2002",
            4,
        ),
        (
            "words only",
            "city,country,continent\nParis,France,Europe\nLima,Peru,America\nOslo,Norway,Europe\n",
            1,
            "city|country|continent",
            "Oslo|Norway|Europe",
            4,
        ),
        (
            "one column of sentences",
            "comment\nI like it, really.\nNot bad\nWell, it depends, as always\nfine\n",
            1,
            "comment",
            "fine",
            5,
        ),
        (
            "empty columns behind the table",
            "id,name,amount,,\n1,a,5,,\n2,b,6,,\n3,c,7,,\n",
            1,
            "id|name|amount||",
            "3|c|7||",
            4,
        ),
        (
            "export with doubled quotes and line breaks",
            "id,text,when\n1,\"said \"\"yes\"\"\nand left\",2020-01-01\n2,\"a,b\",2020-01-02\n3,c,2020-01-03\n",
            1,
            "id|text|when",
            "3|c|2020-01-03",
            4,
        ),
        (
            "measurements cut by spaces",
            "time temp hum\n10:00 21.5 40\n10:10 21.7 41\n10:20 21.9 39\n",
            1,
            "time|temp|hum",
            "10:20|21.9|39",
            4,
        ),
        (
            "comments before the header",
            "# station 17\n# depth in metres, speed in knots\nday,depth,speed\n2021-01-01,3.2,5\n2021-01-02,3.4,6\n2021-01-03,3.1,7\n",
            1,
            "day|depth|speed",
            "2021-01-03|3.1|7",
            4,
        ),
        (
            "amounts with unquoted thousands",
            "id,amount,city\n1,500,Rome\n2,1,200,Oslo\n3,700,Bern\n4,650,Kiel\n",
            1,
            "id|amount|city",
            "4|650|Kiel",
            5,
        ),
    ] {
        let (height, rows) = read(text);
        let found = (height, rows.first().map(String::as_str), rows.last().map(String::as_str), rows.len());
        if found != (header, Some(first), Some(last), count) {
            wrong.push(format!("{name}: {height} rows of header, {rows:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_in_a_text_makes_it_panic_or_stand_still() {
    let parts = ["\"", ",", "\n", "a", "é项", "\\", "'", ";", " ", "\r", "1", "||", "\u{feff}", "\0"];
    let mut state = 9_u64;
    for _ in 0..1500 {
        let mut text = String::new();
        for _ in 0..60 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            text.push_str(parts[(state >> 33) as usize % parts.len()]);
        }
        read(&text);
    }
}
