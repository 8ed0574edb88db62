//! Rows that end before their last cells, and texts that look like what they are not: nothing is glued, parted or lost.

use super::repair::tests::{HEADER, body, read};

/// Rows of a text, its header too.
fn rows(text: &str) -> Vec<String> {
    read(text).1
}

#[test]
fn rows_that_lack_their_empty_last_cells_are_rows_of_their_own() {
    for (text, meant) in [
        ("a,b,c,d\nx\ny,1,2\nz,3,4,5\n", vec!["a¦b¦c¦d", "x¦¦¦", "y¦1¦2¦", "z¦3¦4¦5"]),
        (
            "task,owner,due,done\nWrite,Anna,2024-01-02\nPrint\nShip,Paul,2024-02-03,yes\n",
            vec!["task¦owner¦due¦done", "Write¦Anna¦2024-01-02¦", "Print¦¦¦", "Ship¦Paul¦2024-02-03¦yes"],
        ),
        ("id,qty\n1\n2\n3,5\n4,6\n", vec!["id¦qty", "1¦", "2¦", "3¦5", "4¦6"]),
        (
            "name,score,city\nAnna,4\nPaul,5\nEva,6\nTom,7\nSue,8,Rome\n",
            vec!["name¦score¦city", "Anna¦4¦", "Paul¦5¦", "Eva¦6¦", "Tom¦7¦", "Sue¦8¦Rome"],
        ),
        (
            "id,city,note\n1,Rome\n2,Oslo\n3,Bern\n4,Riga,late\n5,Kyiv\n",
            vec!["id¦city¦note", "1¦Rome¦", "2¦Oslo¦", "3¦Bern¦", "4¦Riga¦late", "5¦Kyiv¦"],
        ),
    ] {
        assert_eq!(rows(text), meant, "{text}");
    }
}

#[test]
fn a_single_row_that_is_torn_is_joined() {
    for (text, at, meant) in [
        ("a,b,c,d\nx,1\n2,3\nz,3,4,5\nw,5,6,7\n", 1, "x¦1¦2¦3"),
        (
            "task,owner,due,done\nWrite,Anna\n2024-01-02,yes\nShip,Paul,2024-02-03,yes\n",
            1,
            "Write¦Anna¦2024-01-02¦yes",
        ),
        ("id,city,note\n1,Rome,ok\n2,Oslo\nlate\n4,Riga,late\n5,Kyiv,ok\n", 2, "2¦Oslo¦late"),
    ] {
        assert_eq!(rows(text)[at], meant, "{text}");
    }
    let torn = "K200,2021-03-11,9 Mill Lane\n9.50,York,see file\n";
    let short = "K201,2021-03-11\n";
    let found = rows(&format!("{HEADER}{}{torn}{}{short}{}", body(), body(), body()));
    assert_eq!((found.len(), found[31].as_str()), (93, "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦see file"));
}

#[test]
fn a_row_with_delimiters_in_its_first_cell_alone_is_no_row_in_quotes() {
    for (text, meant) in [
        (
            "place,a,b\n\"Oslo, East, Norway\",1,2\n\"Rome, Lazio, Italy\",,\n\"Bern, West, Swiss\",3,4\n",
            "Rome, Lazio, Italy¦¦",
        ),
        (
            "sum,n,code\n\"8,123,111\",2,B3\n\"8,942,946\",,\n\"7,111,222\",4,A1\n\"9,321,654\",5,A2\n",
            "8,942,946¦¦",
        ),
    ] {
        assert_eq!(rows(text)[2], meant, "{text}");
    }
    // What was pasted into the first cell of a sheet.
    for row in [
        "\"K200,2021-03-11,9 Mill Lane,9.50,York,see file\"",
        "\"K200,2021-03-11,9 Mill Lane,9.50,York,see file\",,,,,",
    ] {
        let found = rows(&format!("{HEADER}{}{row}\n{}", body(), body()));
        assert_eq!(found[31], "K200¦2021-03-11¦9 Mill Lane¦9.50¦York¦see file", "{row}");
    }
    let found = rows("place,a,b\nOslo,1,2\n\"Rome,5,6\",,\nBern,3,4\n");
    assert_eq!(found[2], "Rome¦5¦6");
}

#[test]
fn a_last_row_of_a_word_that_the_first_column_knows_is_no_note() {
    let table = "ok,start,sum\nyes,2020-01-10,698\nno,2010-12-28,506\nno,2016-05-23,701\nno,2014-04-13,43\n";
    assert_eq!(rows(&format!("{table}no\n")).last().map(String::as_str), Some("no¦¦"));
    for note in ["checked by hand\n", "\nno\n", "Source: us\n"] {
        assert_eq!(rows(&format!("{table}{note}")).len(), 5, "{note}");
    }
}

#[test]
fn a_last_name_above_cells_that_were_left_out_is_one() {
    for (text, meant) in [
        ("no,price,code\n101,4\n102,5\n103,6\n104,7\n", vec!["no¦price¦code", "101¦4¦"]),
        (
            "city,place,path\nRome,Oslo\nRome,Bern\nRiga,Oslo\nRome,Kyiv,/usr/a.txt\n",
            vec!["city¦place¦path", "Rome¦Oslo¦"],
        ),
    ] {
        assert_eq!(rows(text)[..2], meant, "{text}");
        assert!(rows(text).iter().all(|row| row.matches('¦').count() == 2), "{text}");
    }
    // A delimiter within a name.
    for text in [
        "no,\"price, net\"\n101,4\n102,5\n103,6\n104,7\n",
        "no,price, net\n101,4\n102,5\n103,6\n104,7\n",
        "no,net price,in euro\n101,4\n102,5\n103,6\n104,7\n",
    ] {
        assert_eq!(rows(text)[1], "101¦4", "{text}");
    }
}

#[test]
fn first_rows_of_a_table_without_a_header_may_hold_their_first_cell_alone() {
    for (text, meant) in [
        ("1,,\n2,,\n3,4,5\n6,7,8\n", vec!["1¦¦", "2¦¦", "3¦4¦5", "6¦7¦8"]),
        (
            "2015-12-08;;;\n2017-11-28;Doctor;Window;3\n2022-10-20;River;Valley;4\n",
            vec!["2015-12-08¦¦¦", "2017-11-28¦Doctor¦Window¦3", "2022-10-20¦River¦Valley¦4"],
        ),
        (
            ";;;\n2015-12-08;;;\n2017-11-28;Doctor;Window;3\n2022-10-20;River;Valley;4\n",
            vec!["¦¦¦", "2015-12-08¦¦¦", "2017-11-28¦Doctor¦Window¦3", "2022-10-20¦River¦Valley¦4"],
        ),
    ] {
        assert_eq!(read(text), (0, meant.into_iter().map(str::to_owned).collect()), "{text}");
    }
    // Titles, and what stands above a header.
    for text in [
        "Report,,\n2020,,\nid,n,d\n3,4,5\n6,7,8\n",
        ",,\nid,n,d\n3,4,5\n6,7,8\n",
        "2019,,\n2020,,\nid,n,d\n3,4,5\n6,7,8\n",
    ] {
        assert_eq!(read(text).0, 1, "{text}");
        assert_eq!(rows(text)[0], "id¦n¦d", "{text}");
    }
}
