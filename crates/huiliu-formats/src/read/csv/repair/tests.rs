//! Rows that are read by what their columns hold, whatever the program that wrote them.

use super::super::sniff::Known;
use super::super::table::Plan;
use super::Repair;

/// Header rows and all rows of a text with `¦` between their cells.
pub(in crate::read::csv) fn read(text: &str) -> (usize, Vec<String>) {
    let mut plan = Plan::new(text, &Known::default(), None, true);
    let rows = plan.rows(text);
    assert!(rows.iter().all(|row| !row.repairs.contains(&Repair::Failed)), "{rows:?}");
    (plan.outline.header, rows.iter().map(|row| row.cells.join("¦")).collect())
}

pub(in crate::read::csv) const HEADER: &str = "ref,opened,street,fee,place,remark\n";

/// Thirty rows of a code, a day, an address, an amount, one of three places and a remark.
pub(in crate::read::csv) fn body() -> String {
    let place = ["Leeds", "York", "Hull"];
    let row = |n: usize| {
        let remark = ["\"first, second\"", "", "see file"][n / 3 % 3];
        format!(
            "K{:03},2021-0{}-1{},{n} Mill Lane,{n}.50,{},{remark}\n",
            100 + n,
            1 + n % 9,
            n % 9,
            place[n % 3]
        )
    };
    (0..30).map(row).collect()
}

/// What becomes of one more row, last and in the middle.
fn mended(row: &str) -> String {
    let last = read(&format!("{HEADER}{}{row}\n", body()));
    let middle = read(&format!("{HEADER}{}{row}\n{}", body(), body()));
    assert_eq!((last.0, last.1.len(), middle.0, middle.1.len()), (1, 32, 1, 62), "{row}");
    assert_eq!(last.1[31], middle.1[31], "{row}");
    last.1[31].clone()
}

#[test]
fn a_row_written_by_another_program_is_one_wherever_it_stands() {
    let meant = "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦first, second";
    for row in [
        "K200:2021-03-11:9 Mill Lane:9.50:York:\"first, second\"",
        "K200^2021-03-11^9 Mill Lane^9.50^York^first, second",
        "\"K200\"~\"2021-03-11\"~\"9 Mill Lane\"~\"9.50\"~\"York\"~\"first, second\"",
        "K200||2021-03-11||9 Mill Lane||9.50||York||\"first, second\"",
        "K200 2021-03-11 \"9 Mill Lane\" 9.50 York \"first, second\"",
        "K200,2021-03-11,9 Mill Lane,9.50,York,first\\, second",
        "K200,2021-03-11,9 Mill Lane,9.50,York,\"first, second\",,,",
        "K200,2021-03-11 9 Mill Lane,9.50,York,\"first, second\"",
        "K200,2021-03-11,9 Mill Lane,9.50York,\"first, second\"",
        "K200,2021-03-11,9 Mill Lane,9.50,York \"first, second\"",
        "K200,2021-03-11,9 Mill Lane,9.50,York\n\"first, second\"",
    ] {
        assert_eq!(mended(row), meant, "{row}");
    }
    for delimiter in ["; ", ";;", "::", "|~|", ";", "\t", "|", "\u{1}", "\u{1f}", "，", "；"] {
        let row = "K200;2021-03-11;9 Mill Lane;9.50;York;\"first, second\"".replace(';', delimiter);
        assert_eq!(mended(&row), meant, "{row}");
    }
    // The blank, or the tab, is all that is left between an empty cell and another one.
    for (row, meant) in [
        ("K200,2021-03-11,9 Mill Lane,9.50,York ", "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦"),
        ("K200,2021-03-11,9 Mill Lane ,York,see file", "K200¦2021-03-11¦9 Mill Lane¦¦York¦see file"),
        ("K200,2021-03-11,9 Mill Lane,9.50, see file", "K200¦2021-03-11¦9 Mill Lane¦9.50¦¦see file"),
        ("K200, 9 Mill Lane,9.50,York,see file", "K200¦¦9 Mill Lane¦9.50¦York¦see file"),
        ("K200,2021-03-11,9 Mill Lane,9.50, ", "K200¦2021-03-11¦9 Mill Lane¦9.50¦¦"),
        ("K200,2021-03-11,9 Mill Lane,9.50,\tsee file", "K200¦2021-03-11¦9 Mill Lane¦9.50¦¦see file"),
    ] {
        assert_eq!(mended(row), meant, "{row}");
    }
    assert_eq!(mended("K200"), "K200¦¦¦¦¦");
}

#[test]
fn another_escape_is_understood_in_all_cells_of_its_row() {
    let row = "\"K200\",\"2021//03//11\",\"9 Mill Lane\",9.50,York,\"called /\"old/\" here\"";
    let text = (HEADER.to_owned() + &body()).replace('-', "/");
    let (header, rows) = read(&format!("{text}{row}\n"));
    assert_eq!((header, rows.len()), (1, 32));
    assert_eq!(rows[31], "K200¦2021/03/11¦9 Mill Lane¦9.50¦York¦called \"old\" here");
    // Where the file doubles its quotes the row alone has another escape.
    let doubled = "K198,2021-03-11,1 Lane,1.50,York,\"say \"\"so\"\", or not\"\n";
    for escape in ["\\", "/", "^"] {
        let row = "\"K200\",\"2021-03-11\",\"9 Mill^^Lane\",9.50,York,\"called ^\"old^\" here\""
            .replace('^', escape);
        let (_, rows) = read(&format!("{HEADER}{}{doubled}{row}\n", body()));
        assert_eq!(
            rows[32],
            format!("K200¦2021-03-11¦9 Mill{escape}Lane¦9.50¦York¦called \"old\" here"),
            "{row}"
        );
    }
}

#[test]
fn a_damaged_header_is_one() {
    for header in [
        "ref:opened:street:fee:place:remark",
        "ref^opened^street^fee^place^remark",
        "ref,opened,street,fee,place,remark,,,",
        "\"ref\" \"opened\" \"street\" \"fee\" \"place\" \"remark\"",
    ] {
        let (height, rows) = read(&format!("{header}\n{}", body()));
        assert_eq!((height, rows.len()), (1, 31), "{header}");
        assert_eq!(rows[0], "ref¦opened¦street¦fee¦place¦remark", "{header}");
    }
    let (height, rows) = read(&format!("ref,opened,street,fee\n{}", body()));
    assert_eq!((height, rows[0].as_str()), (1, "ref¦opened¦street¦fee¦¦"));
}

#[test]
fn rows_of_names_above_words_that_come_again_are_its_header() {
    let words = |n: usize| {
        [["red", "blue", "green"][n % 3], ["cat", "dog"][n % 2], ["up", "down"][n / 2 % 2]].join(",")
    };
    let body: String = (0..40).map(|n| format!("w{n},{}\n", words(n))).collect();
    let names = "item,colour,animal,way\n";
    for (header, rows) in [
        (names.to_owned(), 1),
        (format!("{names}text,text,group,side\n"), 2),
        (format!("All,,Others,\n{names}"), 2),
    ] {
        assert_eq!(read(&format!("{header}{body}")).0, rows, "{header}");
    }
    // A first row that is shifted or written in other quotes is none.
    for row in ["w40,,red,cat", "'w40','red','cat','up'", "w40,red,cat,up,"] {
        assert_eq!(read(&format!("{names}{row}\n{body}")).0, 1, "{row}");
    }
}

#[test]
fn titles_and_notes_of_a_list_are_none_of_its_rows() {
    let texts = ["On the road", "Home again", "Rain"];
    let list: String = (0..20).map(|n| format!("{} {n}\n", texts[n % 3])).collect();
    for (before, behind) in [("Report of the year\n", ""), ("", "\nSource: somebody\n")] {
        let (header, rows) = read(&format!("{before}title\n{list}{behind}"));
        assert_eq!((header, rows.len(), rows[0].as_str()), (1, 21, "title"), "{before}{behind}");
    }
    assert_eq!(read(&format!("title\ntitle\n{list}")).0, 2);
}

#[test]
fn one_sign_of_another_file_parts_two_cells() {
    let meant = "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦see file";
    for sign in [" ", ";", "|", ":", "^", "~", ";;", "||"] {
        for place in 1..6 {
            let mut row = String::new();
            for (at, cell) in meant.split('¦').enumerate() {
                row.push_str(if at == 0 {
                    ""
                } else if at == place {
                    sign
                } else {
                    ","
                });
                row.push_str(cell);
            }
            assert_eq!(mended(&row), meant, "{row}");
        }
    }
}

#[test]
fn stray_quotes_and_lost_delimiters_move_no_cell() {
    for (row, meant) in [
        (
            "K200,2021-03-11,9 Mill Lane,\"9.50,York,see file",
            "K200¦2021-03-11¦9 Mill Lane¦\"9.50¦York¦see file",
        ),
        (
            "K200,2021-03-11,9 Mill Lane,9.50,Yo\"rk,see file",
            "K200¦2021-03-11¦9 Mill Lane¦9.50¦Yo\"rk¦see file",
        ),
        ("K200,2021-03-11,,9 Mill Lane,9.50,York,,", "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦"),
        ("K2002021-03-11,9 Mill Lane,9.50,York,see file", "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦see file"),
    ] {
        assert_eq!(mended(row), meant, "{row}");
    }
    // A quoted cell of two lines ends the row whose line end is lost.
    let glued = "K200,2021-03-11,9 Mill Lane,9.50,York,\"first,\nsecond\"K201,2021-03-11,9 Mill Lane,9.50,York,see file";
    let (_, rows) = read(&format!("{HEADER}{}{glued}\n{}", body(), body()));
    assert_eq!((rows.len(), rows[32].as_str()), (63, "K201¦2021-03-11¦9 Mill Lane¦9.50¦York¦see file"));
}

const NAMES: [&str; 3] = ["Ann Lee", "Bob May", "Cy Poe"];

#[test]
fn a_line_of_words_takes_nothing_from_the_row_below_it() {
    for line in [
        "and so on it goes",
        "and so on it goes, here",
        "it's so, here",
        "K200 2021-03-11 9Lane 9.50 York file",
        "K200,2021-03-11",
    ] {
        let (_, rows) = read(&format!("{HEADER}{}{line}\n{}", body(), body()));
        assert_eq!(rows.len(), 62, "{line}");
        assert_eq!(rows[32], "K100¦2021-01-10¦0 Mill Lane¦0.50¦Leeds¦first, second", "{line}");
    }
    // Unless that one's first cell is torn.
    let people: String = (10..40).map(|n| format!("{},2021-03-{n},{n} Lane\n", NAMES[n % 3])).collect();
    let (_, rows) = read(&format!("name,day,street\n{people}Ann\nLee,2021-03-11,9 Lane\n{people}"));
    assert_eq!((rows.len(), rows[31].as_str()), (62, "Ann\nLee¦2021-03-11¦9 Lane"));
}

#[test]
fn a_word_without_a_seam_is_whole_where_the_last_cell_may_be_missing() {
    let row = |row: &str| {
        let rows = ["1,Anna,Rome,ok", "2,Bob,Berlin,late", row, "4,Di,Bern,late", "5,Ed,Rome,ok"];
        read(&format!("id,name,city,note\n{}\n", rows.join("\n"))).1[3].clone()
    };
    for (text, meant) in [
        ("3,Carl,Paris", "3¦Carl¦Paris¦"),
        ("3,Carl,New York", "3¦Carl¦New York¦"),
        // What is known of either column, or the case of letters, shows where one begins.
        ("3,Carl,Parislate", "3¦Carl¦Paris¦late"),
        ("3,Carl,Romefine", "3¦Carl¦Rome¦fine"),
        ("3,CarlRome,ok", "3¦Carl¦Rome¦ok"),
    ] {
        assert_eq!(row(text), meant, "{text}");
    }
}

#[test]
fn a_header_without_a_name_for_the_names_of_rows_lacks_the_first_one() {
    for (text, header) in [
        ("\"x\",\"y\"\n\"1\",3.5,a\n\"2\",4.5,b\n\"3\",5.5,c\n", "¦x¦y"),
        ("\"mpg\",\"gear\"\n\"Mazda RX4\",21,4\n\"Datsun 710\",22.8,4\n\"Valiant\",18.1,3\n", "¦mpg¦gear"),
        // Outside quotes: names that are counted, or blanks between words and values.
        ("x1 x2 x3\na 1.5 2.5 3.5\nb 2.5 3.5 4.5\nc 3.5 4.5 5.5\nd 1.5 1.5 2.5\n", "¦x1¦x2¦x3"),
        ("V1,V2,V3\n1,1.5,x,3.5\n2,2.5,y,4.5\n3,3.5,z,5.5\n4,1.5,x,2.5\n", "¦V1¦V2¦V3"),
        (
            "mpg cyl disp\nMazda 21 6 160\nDatsun 22.8 4 108\nHornet 21.4 6 258\nValiant 18.1 6 225\n",
            "¦mpg¦cyl¦disp",
        ),
        ("one,two,three\n1.5,3.5,1,7\n0.5,4.5,2,8\n2.5,5.5,3,9\n", "one¦two¦three¦"),
        // Names outside quotes, rows that all end in a delimiter, and names that come again.
        ("x,y\n1,3.5,a\n2,4.5,b\n3,5.5,c\n", "x¦y¦"),
        ("\"x\",\"y\"\n\"1\",3.5,\n\"2\",4.5,\n\"3\",5.5,\n", "x¦y"),
        ("\"x\",\"y\"\n\"1\",3.5,a\n\"1\",4.5,b\n\"3\",5.5,c\n", "x¦y¦"),
    ] {
        assert_eq!(read(text).1[0], header, "{text}");
    }
}

#[test]
fn half_a_number_is_none_where_all_have_as_many_digits_behind_the_point() {
    let rows: String = (1..20).map(|n| format!("{n},Item {n},{}.50,{n}\n", n * 3)).collect();
    let text = format!("no,item,price,count\n{rows}20,Item 20,25.50\n21,Item 21,27.508\n");
    let found = read(&text).1;
    assert_eq!(found[20..], ["20¦Item 20¦25.50¦", "21¦Item 21¦27.50¦8"]);
}

#[test]
fn a_quote_alone_is_an_empty_cell_that_lacks_one_where_all_are_quoted() {
    let rows: String = (1..20).map(|n| format!("\"{n}\",\"K{n}\",\"{}\"\n", ["", "late"][n % 2])).collect();
    let found = read(&format!("\"no\",\"code\",\"note\"\n{rows}\"20\",\"K20\",\"\n\"21\",\"K21\",\"\"\n")).1;
    assert_eq!(found[20..], ["20¦K20¦", "21¦K21¦"]);
}
