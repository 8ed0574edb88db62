//! Where tables begin and end; first and last rows that are damaged, and words around a table that are none of it.

use super::super::lex::Form;
use super::super::repair::tests::{HEADER, body, read};
use super::outline;

/// Width, rows of the header, and the lines where the table begins and what ends it.
pub(super) fn laid(text: &str) -> (usize, usize, String, Option<String>) {
    let (delimiter, quote) = (",".to_owned(), Some(b'"'));
    let form = Form { delimiter, quote, escape: None, newline: None, comment: None };
    let found = outline(text, &form, None, true);
    let line = |at: usize| text[at..].lines().next().unwrap_or_default().to_owned();
    (found.width, found.header, line(found.start), found.end.map(line))
}

#[test]
fn preamble_header_and_end_are_found_together() {
    let body = "1,a,2020-01-01\n2,b,2020-01-02\n3,c,2020-01-03\n4,d,2020-01-04\n";
    for (text, header, start, end) in [
        (format!("id,n,d\n{body}"), 1, "id,n,d", None),
        (body.to_owned(), 0, "1,a,2020-01-01", None),
        (format!("Title\n\nid,n,d\n{body}"), 1, "id,n,d", None),
        (format!("Title,,\n,,\nid,n,d\n{body}"), 1, "id,n,d", None),
        (format!("id,n,d\n{body}\nSource: us\n"), 1, "id,n,d", Some("Source: us")),
        (format!("id,n,d\n{body}Source: us\n"), 1, "id,n,d", Some("Source: us")),
        (format!("id,n,d\nkey,name,day\n{body}"), 2, "id,n,d", None),
        (format!("id,n,d\n{body}\nx,y\n1,2\n2,3\n"), 1, "id,n,d", Some("x,y")),
        (format!("id,n,d\n{body}\nid,n,d\n{body}"), 1, "id,n,d", Some("id,n,d")),
        (format!("id,n,d\n{body}x,y,z,w\n1,2,3,4\n2,3,4,5\n"), 1, "id,n,d", Some("x,y,z,w")),
        (format!("id,n,d\n{body}5,2020-01-01\n"), 1, "id,n,d", None),
        ("id,n,d\n".to_owned(), 1, "id,n,d", None),
    ] {
        let (width, rows, first, last) = laid(&text);
        let found = (width, rows, first.as_str(), last.as_deref());
        assert_eq!(found, (3, header, start, end), "{text}");
    }
}

#[test]
fn rows_that_say_more_of_each_column_belong_to_the_header() {
    let days: String = (1..=20).map(|day| format!("2020-01-{day:02},{}.5,A\n", day * 7)).collect();
    let towns = ["Rondonia", "Acre", "Amazonas", "Roraima", "Para", "Amapa", "Tocantins", "Ceara"];
    let people: String =
        towns.iter().zip(17_964..).map(|(town, count)| format!("{town},{count}60\n")).collect();
    let pairs: String = (100..120).map(|at| format!("-{at}.5E-09,-68{at}.1\n")).collect();
    for (text, width, header) in [
        // Facts of a series, each in a row with its name.
        (
            format!(
                "Title,Index of ice cream,Codes\nid,010537266,\nlast update,03/03/2023 08:45,\nPeriod,,\n{days}"
            ),
            3,
            4,
        ),
        (
            format!(
                "Series,Rate,Code\nUnit:,Percent,\nMultiplier:,1,\nCurrency:,NA,\nId,H15/H15,\nTime,RIFS.M,\n{days}"
            ),
            3,
            6,
        ),
        (format!("Title,Index,Codes\nUnit,%,\nSource,us,\n{}", days.replace("2020-01-", "2020-")), 3, 3),
        // A single one may be a bad cell.
        (format!("day,sum,code\nlater,7.5,A\n{days}"), 3, 1),
        (format!("day,sum,code\nn/a,7.5,A\nn/a,8.5,A\n{days}"), 3, 1),
        // Cells that were merged over both rows.
        (format!("State of the country,Year\nState of the country,2020\n{people}"), 2, 2),
        (format!("State,Year\nParana,1146000\n{people}"), 2, 1),
        // A name with a number above the units.
        (format!("x-axis,2\nsecond,Volt\n{pairs}"), 2, 2),
    ] {
        let found = laid(&text);
        assert_eq!((found.0, found.1), (width, header), "{text}");
    }
}

#[test]
fn a_title_with_its_number_is_no_name_of_columns() {
    let body: String = (1..9).map(|at| format!("{at},Total,20{at:02},Density,50.{at},,UN\n")).collect();
    let text = format!("T02,\"Population, density\",,,,,\nRegion,,Year,Series,Value,Notes,Source\n{body}");
    assert_eq!(laid(&text).2, "Region,,Year,Series,Value,Notes,Source");
    let text = format!("Place,In all,,,,,\n,Sex,Year,Series,Value,Notes,Source\n{body}");
    assert_eq!(laid(&text).1, 2, "groups of columns");
}

/// Thirty rows of a code, a day, one of two colours and a slot that looks like a label.
fn slots() -> String {
    let colour = ["red", "blue"];
    let row =
        |n: usize| format!("K{},2021-0{}-11,{},A{}:{}\n", 100 + n, 1 + n % 9, colour[n % 2], n % 9, 10 + n);
    "code,day,colour,slot\n".to_owned() + &(0..30).map(row).collect::<String>()
}

/// Thirty rows of words.
fn meanings() -> String {
    let row = |n: usize| format!("w{}x,noun,a thing {n},\n", char::from(b'a' + n as u8 % 26));
    "word,class,meaning,example\n".to_owned() + &(0..30).map(row).collect::<String>()
}

/// What becomes of the last line of a table, if it is a row.
fn last(table: &str, line: &str) -> Option<String> {
    let rows = (read(table).1.len(), read(&format!("{table}{line}\n")).1);
    (rows.1.len() > rows.0).then(|| rows.1.last().cloned()).flatten()
}

#[test]
fn the_last_row_is_no_note_however_it_is_cut() {
    let table = HEADER.to_owned() + &body();
    let meant = "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦see file";
    assert_eq!(last(&table, "K200:2021-03-11:9 Mill Lane:9.50:York:see file").as_deref(), Some(meant));
    // Nothing proves where such a row is cut: it is kept and told.
    for row in [
        "tables^adverb^to move fast^Why not?",
        "tables~adverb~to move fast~Why not?",
        "tables:adverb:to move fast:Why not?",
        "tables \"adverb\" \"to move fast\" \"Why not?\"",
    ] {
        assert!(last(&meanings(), row).is_some(), "{row}");
    }
    let pairs = "no,what\n".to_owned() + &(0..20).map(|n| format!("{n},lamp {n}\n")).collect::<String>();
    assert_eq!(last(&pairs, "\"21\"\t\"with \"\"comma\"\"\"").as_deref(), Some("21¦with \"comma\""));
    let links: String = (0..30).map(|n| format!("Ann {n},https://a.example/{n},a{n}@b.example\n")).collect();
    let row = last(&format!("name,link,mail\n{links}"), ",https://a.example/5,");
    assert_eq!(row.as_deref(), Some("¦https://a.example/5¦"), "a link is no label and its value");
    // The first word looks like a code, where the column has codes.
    let kinds = |code: fn(usize) -> String| {
        "code,kind,note\n".to_owned()
            + &(0..30).map(|n| format!("{},red,so {n}\n", code(n))).collect::<String>()
    };
    let (codes, names) =
        (kinds(|n| format!("K{}", 100 + n)), kinds(|n| ["Ann", "Bob", "Cy"][n % 3].to_owned()));
    for row in ["K200 blue so", "K200 blue \"so 5\""] {
        assert!(last(&codes, row).is_some(), "{row}");
    }
    for note in ["Ann thought so", "Ann thought \"so\""] {
        assert_eq!(last(&names, note), None, "{note}");
    }
}

#[test]
fn the_half_of_a_torn_last_row_is_no_note() {
    assert_eq!(last(&slots(), "K200,2021-03-11,red\nA2:45").as_deref(), Some("K200¦2021-03-11¦red¦A2:45"));
    let remarks =
        ["asked twice", "came by post", "Note: late", "paid in full", "moved away", "", "sent back"];
    let table: String =
        (0..30).map(|n| format!("K{},2021-03-1{},{}\n", 100 + n, n % 9, remarks[n % 7])).collect();
    let table = format!("code,day,remark\n{table}");
    for (half, remark) in [
        ("\nasked twice", "asked twice"),
        ("\n\"Note: late\"", "Note: late"),
        // What is said below the table is not torn off its last row.
        ("\nSource: us", ""),
    ] {
        assert_eq!(
            last(&table, &format!("K200,2021-03-11{half}")),
            Some(format!("K200¦2021-03-11¦{remark}")),
            "{half}"
        );
    }
    let table = HEADER.to_owned() + &body();
    for (end, row) in [
        ("K200,2021-03-11,9 Mill Lane,9.50,York\n\nsee file", "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦"),
        ("K200,2021-03-11\nsee file", "K200¦2021-03-11¦¦¦¦"),
        (
            "K200,2021-03-11,9 Mill Lane,9.50,York\nThis list was made by the office of the town in May",
            "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦",
        ),
    ] {
        assert_eq!(last(&table, end).as_deref(), Some(row), "{end}");
    }
}

#[test]
fn a_header_is_one_whatever_cuts_it() {
    for delimiter in ["||", ";;", ";", "\t", "|", "^", "~", ":"] {
        let header = HEADER.replace(',', delimiter);
        let (height, rows) = read(&format!("{header}{}", body()));
        assert_eq!((height, rows[0].as_str()), (1, "ref¦opened¦street¦fee¦place¦remark"), "{header}");
    }
    for mark in ["~", " "] {
        let quoted =
            format!("\"ref,opened,street,fee,place,re{mark}mark\"").replace(',', &format!("\"{mark}\""));
        let rows = read(&format!("{quoted}\n{}", body())).1;
        assert_eq!(rows[0], format!("ref¦opened¦street¦fee¦place¦re{mark}mark"), "{quoted}");
    }
    let title = "Sales; \"north; south; east; west\"; all; of it";
    assert_eq!(read(&format!("{title}\n{HEADER}{}", body())).1[0], "ref¦opened¦street¦fee¦place¦remark");
    let semicolons = body().replace("\"first, second\"", "").replace(',', ";");
    assert_eq!(read(&format!("{HEADER}{semicolons}")).1[0], "ref¦opened¦street¦fee¦place¦remark");
    // A blank stands behind the colons of a title.
    let days: String = (10..25).map(|n| format!("2021-02-{n},Leeds,{n}.5\n")).collect();
    assert_eq!(read(&format!("Report: sales: 2020\nday,place,sum\n{days}")).1[0], "day¦place¦sum");
}

#[test]
fn names_are_lacking_in_a_header_only_if_most_are_there() {
    let rows: String = (10..30).map(|n| format!("K{n},2021-01-{n},x,{n}\n")).collect();
    for (line, body) in [
        ("ref,opened", rows),
        ("ref,opened,street", body()),
        ("ref,opened,street,fee,place,remark,more still,and more of it.", body()),
        ("ref,,street,fee", body()),
        ("ref,opened,street,1999", body()),
        ("The list was made here.,It is good.,Read it.,Yes.", body()),
    ] {
        assert_eq!(read(&format!("{line}\n{body}")).0, 0, "{line}");
    }
}

#[test]
fn a_row_of_strange_words_is_of_the_header_unless_it_may_be_a_bad_row() {
    let words = |n: usize| {
        [["red", "blue", "green"][n % 3], ["cat", "dog"][n % 2], ["up", "down"][n / 2 % 2]].join(",")
    };
    let body: String = (0..40).map(|n| format!("{}\n", words(n))).collect();
    for (row, rows) in [
        ("text,group,side", 2),
        ("text,group", 1),
        ("crimson,lion,7", 1),
        ("crimson,,", 1),
        ("crimson,lion,up", 1),
        ("crim\"son,lion,left", 1),
    ] {
        assert_eq!(read(&format!("colour,animal,way\n{row}\n{body}")).0, rows, "{row}");
    }
    let body: String = (0..40).map(|n| format!("w{n},{}\n", words(n))).collect();
    // Its code is one of those below.
    assert_eq!(read(&format!("item,colour,animal,way\nw15,crimson,lion,left\n{body}")).0, 1);
}

#[test]
fn the_first_lines_of_a_list_are_its_own_unless_they_differ_from_all_others() {
    let texts = ["On the road", "Home again", "Rain"];
    let list: String = (0..20).map(|n| format!("{} {n}\n", texts[n % 3])).collect();
    let weather = "Sun here\nFog\nWind\nNew snow\nHail\nIce\n";
    let links: String = (0..9).map(|n| format!("https://a.example/{n}\n")).collect();
    for (text, first) in [
        (format!("Report of the year\nTitle of it\n{list}"), "Report of the year"),
        (format!("Report of 2020\ntitle\n{list}"), "Report of 2020"),
        (format!("On the road\nRain5\n{list}"), "On the road"),
        (format!("On the road\nRain\n{weather}"), "On the road"),
        (format!("My own links\nlink\n{links}"), "My own links"),
        ("Report of it\ntitle\nRain1\nSun2\n".to_owned(), "Report of it"),
    ] {
        assert_eq!(read(&text).1[0], first, "{text}");
    }
    // The same text twice is a header only among texts with numbers, and without one.
    assert_eq!(read(&format!("Rain 50\nRain 50\n{list}")).0, 0);
    assert_eq!(read(&format!("Fair\nFair\n{weather}Sun\nHaze\n")).0, 1);
}

#[test]
fn rows_of_another_width_at_the_end_are_rows_if_their_cells_are_at_home() {
    let rows = "id,name,n\n1,A,5\n2,B,6\n3,C,7\n";
    for (more, width, end) in [
        // Empty cells too many, a new column, and cells left out.
        ("4,D,8,\n5,E,9,\n6,F,9,\n", 3, None),
        ("4,D,8,new\n5,E,9,new\n6,F,9,old\n", 3, None),
        ("4,D\n5,E\n6,F\n", 3, None),
        ("\n4,D,8,\n5,E,9,\n6,F,9,\n", 3, None),
        // Other kinds of cells, or a header.
        ("x,y,z,w\n1,A,3,4\n2,B,4,5\n", 3, Some("x,y,z,w")),
        ("A,1,2,3\nB,2,3,4\nC,3,4,5\n", 3, Some("A,1,2,3")),
        ("\nkey,value\nx,1\ny,2\nz,3\n", 3, Some("key,value")),
    ] {
        let found = laid(&format!("{rows}{more}"));
        assert_eq!((found.0, found.1, found.3.as_deref()), (width, 1, end), "{more}");
    }
}

#[test]
fn a_header_gives_the_width_if_most_rows_end_before_its_last_names() {
    for (text, width, start) in [
        ("id,name,n,note\n1,A,5\n2,B,6\n3,C,7\n4,D,8\n5,E,9\n6,F,9,x\n", 4, "id,name,n,note"),
        ("id,name,n,note\n1,A,5,x\n2,B,6\n3,C,7\n4,D,8\n5,E,9\n6,F,9\n", 4, "id,name,n,note"),
        ("id,name,n,note,by\n1,A,5,x\n2,B,6\n3,C,7\n4,D,8,x,me\n5,E,9\n", 5, "id,name,n,note,by"),
        // No row has the last columns.
        ("id,name,n,note,by\n1,A,5\n2,B,6\n3,C,7\n4,D,8\n", 5, "id,name,n,note,by"),
        ("编号,名称,金额,备注,审核\n1,甲,5\n2,乙,6\n3,丙,7\n", 5, "编号,名称,金额,备注,审核"),
        ("id,name,n,note,by\n1,A,5\n2,B\n3,C,7\n4,D,8\n5,E,9\n", 5, "id,name,n,note,by"),
        // Words above a header.
        ("made,by,us,in,May\nid,name,n\n1,A,5\n2,B,6\n3,C,7\n4,D,8\n", 3, "id,name,n"),
        // A name or a row with a comma too many proves nothing by itself.
        ("id,na,me,n\n1,A,5\n2,B,6\n3,C,7\n4,D,8\n5,E,9\n", 3, "id,na,me,n"),
        ("id,na,me,n\n1,A,5\n2,B,6\n3,C,7\n4,D,8\n,5,E,9\n", 3, "id,na,me,n"),
        ("id,name,n\n1,A,5\n2,B,6\n3,C,7,x\n4,D,8\n", 3, "id,name,n"),
    ] {
        let found = laid(text);
        assert_eq!((found.0, found.2.as_str()), (width, start), "{text}");
    }
}

#[test]
fn keys_and_values_above_a_wider_table_are_no_table() {
    let keys = "Station,Alpha\nLatitude,51.5\nLongitude,-0.12\n";
    let days =
        |count: usize| (1..=count).map(|n| format!("2020-01-{n:02},{n}.1,0.{}\n", n % 5)).collect::<String>();
    for gap in ["", "\n"] {
        for count in [3, 4, 7, 12] {
            let found = laid(&format!("{keys}{gap}Date,Temp,Rain\n{}", days(count)));
            assert_eq!((found.0, found.1, found.2.as_str()), (3, 1, "Date,Temp,Rain"), "{count}");
        }
    }
    let found = laid(&format!("{keys}Elevation,79\n\nDate,Temp,Rain\n{}", days(3)));
    assert_eq!((found.0, found.2.as_str()), (3, "Date,Temp,Rain"), "as many keys as rows");
    // Rows that come before hardly more others are the table.
    let (width, _, start, _) =
        laid(&format!("Town,Count\nA,5\nB,6\nC,7\nD,8\n\nDate,Temp,Rain\n{}", days(5)));
    assert_eq!((width, start.as_str()), (2, "Town,Count"));
}

#[test]
fn a_first_row_with_one_text_is_of_the_table_unless_it_is_a_title() {
    let (values, named) = ("1,3.5,x\n2,4.5,y\n3,5.5,z\n", "id,sum,code\n1,3.5,x\n2,4.5,y\n3,5.5,z\n");
    for (line, body, header, start) in [
        ("id,,", values, 1, "id,,"),
        ("7,,", values, 0, "7,,"),
        (",,5", "5,Anna,7\n6,Bob,8\n7,Carl,9\n8,Dan,1\n", 0, ",,5"),
        ("My own list,,", values, 0, "1,3.5,x"),
        ("List,,", named, 1, "id,sum,code"),
        ("List,,\n", named, 1, "id,sum,code"),
        ("Made:today,,", values, 0, "1,3.5,x"),
    ] {
        let found = laid(&format!("{line}\n{body}"));
        assert_eq!((found.0, found.1, found.2.as_str()), (3, header, start), "{line}");
    }
}
