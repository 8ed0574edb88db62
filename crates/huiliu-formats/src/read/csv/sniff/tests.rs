//! Forms of ordinary and of strange texts.

use super::*;

#[test]
fn the_form_is_the_one_that_makes_a_table() {
    for (text, delimiter, quote, escape) in [
        ("a,b,c\n1,2,3\n", ",", b'"', None),
        ("a;b;c\n1,5;2,5;3,5\n", ";", b'"', None),
        ("a\tb\n1\t2,3\n", "\t", b'"', None),
        ("a||b||c\n1||2||x|y\n3||4||z\n", "||", b'"', None),
        ("a, b, c\n1, 2, 3\n4, 5, 6\n", ", ", b'"', None),
        ("标题\n\na;b\n\"1,2,3\";2\n", ";", b'"', None),
        ("one\ntwo\n", ",", b'"', None),
        ("New York\nLos Angeles\nSan Diego\n", ",", b'"', None),
        ("12:30:00\n12:31:00\n12:32:00\n", ",", b'"', None),
        ("id,'name'\n1,'a,b'\n2,'c,d'\n", ",", b'\'', None),
        ("id,n\n1,\"a\\\"b,c\"\n2,\"d\\\"e,f\"\n3,\"x\"\n", ",", b'"', Some(b'\\')),
        // An apostrophe is no quote.
        (
            "name,j\nTom O'Neil,\"say \\\"hi, you\\\"\"\nEva,\"say \\\"no, you\\\"\"\nPaul,x\n",
            ",",
            b'"',
            Some(b'\\'),
        ),
        (
            "id;text\n1;\"say \\\"hi, you\\\" now\"\n2;don't go\n3;\"\\\"castle\\\"\"\n",
            ";",
            b'"',
            Some(b'\\'),
        ),
        ("id;name\n7;'Tom O\\'Neil'\n8;Anna\n9;Paul\n", ";", b'\'', Some(b'\\')),
        ("t x\n2020-01-02 5\n2020-01-03 6\n", " ", b'"', None),
        ("a,b\r1,2\r", ",", b'"', None),
        // A day with blanks is one cell where each line has one comma, and each second column may be empty.
        (
            "Wed Aug 09 2017 00:00 GMT+02 (W. Europe Time),24.16\nWed Aug 09 2017 00:05 GMT+02 (W. Europe Time),24.26\n",
            ",",
            b'"',
            None,
        ),
        ("Rank,Land,1990,,1991,,1992,\n9, Oman,0.3,,0.4,,0.3,\n7, Iran,0.5,,0.5,,0.6,\n", ",", b'"', None),
        // What another delimiter leaves in the cells of all lines parts them itself: lists and joined keys are cells.
        (
            "freq,unit,geo\\TIME\t2018 \t2019 \nA,PC,AT\t5.1 \t5.2 b\nA,PC,BE\t6.1 \t: c\nA,PC,DE\t3.1 \t3.2 \n",
            "\t",
            b'"',
            None,
        ),
        ("team,colours\nred,a;b;c\nblue,d;e;f\ngreen,g;h;i\n", ",", b'"', None),
        ("Report\n1,5;2,5;3,5\n4,5;5,5;6,5\n7,5;8,5;9,5\n", ";", b'"', None),
        ("", ",", b'"', None),
    ] {
        let expected = Form {
            delimiter: delimiter.to_owned(),
            quote: Some(quote),
            escape,
            newline: None,
            comment: None,
        };
        let found = sniff(text, &Known::default(), true);
        assert_eq!(found, expected, "{text:?}");
    }
}

#[test]
fn signs_within_words_and_numbers_cut_nothing() {
    for lines in [
        "mail\nanna@example.org\nbob@mail.example\ncarl@web.example\n",
        "anna@example.org\nbob@mail.example\ncarl@web.example\ndora@x.example\n",
        "https://a.example/x/1\nhttps://b.example/y/2\nhttps://c.example/z/3\nhttps://d.example/q/4\n",
        "https://a.example/?a=1&b=2\nhttps://b.example/?a=3&b=4\nhttps://c.example/?a=5&b=6\n",
        "/home/anna/2020\n/home/bob/2021\n/home/carl/2022\n/home/dora/2023\n",
        "01/02/2020\n11/12/2021\n05/06/2022\n07/08/2023\n",
        "2020-01-02\n2021-11-12\n2022-05-06\n",
        "day\n01/02/2020\n11/12/2021\n05/06/2022\n",
        "12.5%\n13.0%\n8.1%\n9.9%\n",
        "$1.50\n$2.75\n$3.00\n",
        "+8613800138000\n+8613900139000\n+8613700137000\n",
        "1/2\n3/4\n5/6\n7/8\n",
        "name=anna\nport=8080\nhost=example\nuser=root\n",
        "C++\nC#\nF#\nJ++\n",
        "Yahoo!\nWow!\nHello!\nStop!\n",
        "Smith & Sons\nLee & Co\nMay & Day\n",
        "10.0.0.1\n10.0.0.2\n10.0.0.3\n",
        "978-3-16-148410-0\n978-1-23-456789-7\n978-0-12-345678-9\n",
        "苹果、梨、桃子\n白菜、萝卜、土豆\n米、面、油\n",
        "项目已开工；进度正常。\n资金到位；土地已交。\n手续齐全；等待验收。\n",
        "武汉市！\n襄阳市！\n宜昌市！\n",
        "2*3\n4*5\n6*7\n8*9\n",
    ] {
        let found = sniff(lines, &Known::default(), true);
        assert_eq!(found.delimiter, ",", "{lines:?}");
    }
    for (text, delimiter) in [
        ("id,mail\n1,a@x.org\n2,b@y.org\n3,c@z.org\n", ","),
        ("day,share\n01/02/2020,5%\n02/02/2020,6%\n03/02/2020,7%\n", ","),
        ("link;size\nhttp://a.example/1/2;5\nhttp://b.example/3/4;6\n", ";"),
        ("at\tpath\n10:20:30\t/var/log/1\n10:20:31\t/var/log/2\n", "\t"),
        ("a=1,b=2,c=3\na=4,b=5,c=6\na=7,b=8,c=9\n", ","),
        ("范围,金额\n1/2/3,5万\n4/5/6,6万\n7/8/9,7万\n", ","),
        ("名称；金额；备注\n甲；1；无\n乙；2；无\n丙；3；有\n", "；"),
        ("名称、金额、备注\n甲、1、无\n乙、2、无\n丙、3、有\n", "、"),
        ("a,,b,,c\n1,,2,,3\n4,,5,,6\n7,,8,,9\n", ","),
        ("a\t\tb\t\tc\n1\t\t2\t\t3\n4\t\t5\t\t6\n7\t\t8\t\t9\n", "\t"),
        ("id@name@size\n1@x@5\n2@y@6\n3@z@7\n", "@"),
        ("id§name\n1§x\n2§y\n3§z\n", "§"),
    ] {
        let found = sniff(text, &Known::default(), true);
        assert_eq!(found.delimiter, delimiter, "{text:?}");
    }
}

#[test]
fn rows_that_end_in_rare_ways_are_rows() {
    for end in ["\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\u{1e}", "||", "\r\r\n"] {
        let text = ["a;b", "1;x", "2;y", "3;z", ""].join(end);
        let found = sniff(&text, &Known::default(), true);
        assert_eq!((found.delimiter.as_str(), found.newline.as_deref()), (";", Some(end)), "{text:?}");
    }
}

#[test]
fn rare_signs_around_cells_are_quotes() {
    for quote in ['~', '^', '$', '%'] {
        let text = "'id','name','town'\n'1','Lee, Ann','x'\n'2','May, Bob','y'\n'3','Poe, Cy','z'\n";
        let text = text.replace('\'', &quote.to_string());
        let found = sniff(&text, &Known::default(), true);
        assert_eq!((found.delimiter.as_str(), found.quote), (",", Some(quote as u8)), "{text:?}");
    }
    for text in ["a,b\n*,1\n*,2\n*,3\n", "a,b\n*1*,~x\n2,y~\n3,z\n4,*\n", "id|name\n1|~\n2|~\n3|~\n"] {
        let found = sniff(text, &Known::default(), true);
        assert_eq!(found.quote, Some(b'"'), "{text:?}");
    }
}
