//! Words around a table: keys, titles and notes of its own width, and names of columns that are values.

use super::tests::laid;

/// Rows below names alone, and rows of numbers.
const STAFF: &str = "Anna,Rome,IT,Lead\nBob,Oslo,HR,Staff\nCarl,Bern,IT,Staff\n";
const SHARES: &str = "France,1.5,2.5,3.5\nSpain,4.5,5.5,6.5\nItaly,7.5,8.5,9.5\n";

#[test]
fn keys_of_the_tables_width_are_no_rows_of_it() {
    let paid = "Date,Type,Text\n01 Feb 2021,Visa,COFFEE\n02 Feb 2021,BACS,SALARY\n03 Feb 2021,DD,RENT\n";
    let posts = "Name,Town,Role\nAnna,Rome,Lead\nBob,Oslo,Staff\nCarl,Bern,Staff\n";
    let years = "Country,2015,2016\nFrance,1.5,2.5\nSpain,4.5,5.5\nItaly,7.5,8.5\n";
    for (text, start) in [
        (format!("Account Name:,Current ****1234,\nBalance:,\"1,204.50\",\n\n{paid}"), "Date,Type,Text"),
        (format!("Device,T-100,,\nOwner,Anna,,\n,,,\nName,City,Dept,Role\n{STAFF}"), "Name,City,Dept,Role"),
        (format!("Latitude,51.5,,\n,,,\nCountry,2019,2020,2021\n{SHARES}"), "Country,2019,2020,2021"),
        (format!("Period:,01/01/2021,31/01/2021\n\n{years}"), "Country,2015,2016"),
        // Of three columns, with a row of nothing behind them.
        (format!("Office,North,\nClerk,Lee,\nPhone,88001122,\n,,\n{posts}"), "Name,Town,Role"),
        (format!("Office,North,\nClerk,Lee,\nPhone,88001122,\n\n{paid}"), "Date,Type,Text"),
        // A single one right above the names.
        (format!("Owner,Anna,,\nName,City,Dept,Role\n{STAFF}"), "Name,City,Dept,Role"),
        (
            "填报单位,湖塘镇,,\n序号,名称,单位,备注\n1号,水泥,吨,无货\n2号,钢筋,根,现货\n3号,木材,方,紧缺\n"
                .to_owned(),
            "序号,名称,单位,备注",
        ),
        // Titles between, and groups of columns below.
        (format!("Office,North,\nClerk,Lee,\n,,\nList of posts,,\n{posts}"), "Name,Town,Role"),
        (format!("Owner,Anna,,\nPerson,,Post,\nName,City,Dept,Role\n{STAFF}"), "Person,,Post,"),
        // Rows of values without a header.
        (format!("Unit,North,,\nAuthor,Lee,,\n,,,\n{}", "7,8,a,9\n6,3,b,4\n5,1,c,2\n"), "7,8,a,9"),
        // Rows that lack cells, and no header below them.
        (format!("Name,City,,\nOwner,Anna,,\n{STAFF}"), "Name,City,,"),
        (format!("Name,City,,\n,,,\n{STAFF}"), "Name,City,,"),
        (format!("Name,City,,\n{STAFF}"), "Name,City,,"),
        (
            "Name,City,\nAnna,Rome,\nBob,Oslo,\n,,\nCarl,Bern,IT\nDan,Kiel,HR\nEve,York,IT\n".to_owned(),
            "Name,City,",
        ),
    ] {
        let found = laid(&text);
        assert_eq!(found.2, start, "{text}");
    }
}

#[test]
fn a_name_too_many_above_words_is_one_of_a_header() {
    let rows = "Anna,Rome,Lead\nBob,Oslo,Staff\nCarl,Bern,Staff\n";
    for (line, start) in
        [("name,town,role,note", "name,town,role,note"), ("by us,in,May,of 2020", "Anna,Rome,Lead")]
    {
        assert_eq!(laid(&format!("{line}\n{rows}")).2, start, "{line}");
    }
    // Names below it.
    let more = "Dan,Oslo,Lead\nEve,Rome,Lead\n";
    assert_eq!(laid(&format!("made,by,us,May\nName,Town,Role\n{rows}{more}")).2, "Name,Town,Role");
}

#[test]
fn a_title_that_its_commas_cut_like_a_row_is_no_header() {
    let rows = "Country,2015,2016\nFrance,1.5,2.5\nSpain,4.5,5.5\nItaly,7.5,8.5\n";
    for (text, start) in [
        (format!("Population by age, sex, 2015-2021\n{rows}"), "Country,2015,2016"),
        // Names with blanks behind the commas.
        (rows.replace("Country,2015,2016", "The country, In 2015, In 2016"), "The country, In 2015, In 2016"),
    ] {
        let found = laid(&text);
        assert_eq!((found.1, found.2.as_str()), (1, start), "{text}");
    }
}

#[test]
fn notes_that_a_delimiter_cuts_end_the_table() {
    let shares = format!("Country,2019,2020,2021\n{SHARES}");
    let pairs = "Country,Value\nFrance,1.5\nSpain,4.5\nItaly,7.5\n";
    let items = "Item,Day,Text,Qty\n1,2021-01-02,Bolt,5\n2,2021-01-03,Nut,6\n3,2021-01-04,Pipe,7\n";
    let three = "Country,2019,2020\nFrance,1.5,2.5\nSpain,4.5,5.5\nItaly,7.5,8.5\n";
    for (text, end) in [
        (format!("{shares}(1) Estimated.\n(2) Revised, see note.\n"), Some("(1) Estimated.")),
        (format!("{shares}(1) Revised, see note.\n"), Some("(1) Revised, see note.")),
        (format!("{shares}\nSource: Eurostat, 2021\n"), Some("Source: Eurostat, 2021")),
        (format!("{three}\nSource: Eurostat, 2021\n"), Some("Source: Eurostat, 2021")),
        (format!("{shares}\n_____\nStand: 01.02.2021 / 10:00:00\n"), Some("_____")),
        (format!("{items}\nPage 1 of 1\n"), Some("Page 1 of 1")),
        (format!("{pairs},\nSource: Eurostat,\n"), Some(",")),
        // Right below rows that hold nothing like it.
        (
            "mail\na1@x.example\nb2@x.example\nc3@x.example\nNote: not all of them.\n".to_owned(),
            Some("Note: not all of them."),
        ),
        ("code,sum\nK100,5\nK200,6\nK300,7\n注：以上为快报数,\n".to_owned(), Some("注：以上为快报数,")),
        ("word\nSun\nRain\nNote: fog\n".to_owned(), None),
        ("name,sum\nAnna,5\nBob,6\nNote: x,\n".to_owned(), None),
        (
            format!("{items}Note: these, of course, are not all.\n"),
            Some("Note: these, of course, are not all."),
        ),
        // Words alone behind values.
        (
            "name,score\nAnn,5\nBob,7\nCy,9\n\nkey,meaning\na,one\nb,two\nc,three\n".to_owned(),
            Some("key,meaning"),
        ),
        // A row of the table that is cut by blanks, one without a value, and one with a sentence.
        (format!("{items}\n4 2021-01-05 Nail 8\n"), None),
        (format!("{pairs}Malta,\n"), None),
        (format!("{shares}Malta, see note,,\n"), None),
    ] {
        assert_eq!(laid(&text).3.as_deref(), end, "{text}");
    }
}

#[test]
fn values_may_be_the_names_of_columns() {
    for (text, header) in [
        ("Country,2020\nFrance,1.5\nSpain,4.5\nItaly,7.5\nMalta,9.5\n", 1),
        ("Country,2020-01-01\nFrance,15\nSpain,45\nItaly,75\nMalta,95\n", 1),
        ("Sensor,00:00,01:00,02:00\nS1,20,21,22\nS2,19,18,19\nS3,25,24,22\nS4,25,23,28\n", 1),
        ("Sample,400.5,410.5,420.5\nA,0.1,0.3,0.1\nB,0.2,0.3,0.1\nC,0.2,0.3,0.1\nD,0.4,0.3,0.1\n", 1),
        (",0,1,2\n0,0.5,1.5,2.5\n1,3.5,4.5,5.5\n2,6.5,7.5,8.5\n3,9.5,1.5,2.5\n", 1),
        ("Region,2019,,2020,\n,Male,Female,Male,Female\nNorth,1,2,3,4\nSouth,5,6,7,8\nWest,9,10,11,12\n", 2),
        // First rows of the table's own.
        ("France,2020\nSpain,1998\nItaly,75\nMalta,2001\nCuba,1875\n", 0),
        ("Begun,2020-01-01\nWidth,15.5\nHeight,45\nMade by,Ann\nAge,95\n", 0),
        (
            "Generated,2021-05-05 10:00\nCountry,Value\nFrance,1.5\nSpain,4.5\nItaly,7.5\nMalta,9.5\nCuba,2.5\n",
            0,
        ),
        ("S1,08:00,17:00\nS2,09:00,18:00\nS3,08:00,16:30\nS4,07:00,17:00\nS5,08:00,17:30\n", 0),
        ("A,100,200,300\nB,120,150,310\nC,90,170,290\nD,130,210,305\nE,99,190,300\n", 0),
    ] {
        assert_eq!(laid(text).1, header, "{text}");
    }
}

#[test]
fn a_table_of_words_below_one_of_words_is_another() {
    let people = "Name,Town,Role\nAnna,Rome,Lead\nBob,Oslo,Staff\nCarl,Bern,Staff\n";
    let towns = "City,Land,River\nRome,Italy,Tiber\nOslo,Norway,Aker\nBern,Swiss,Aare\n";
    for (text, end) in [
        (format!("{people}\n{towns}"), Some("City,Land,River")),
        (format!("{people},,\n{towns}"), Some(",,")),
        (format!("People\n{people}\nTowns\n{towns}"), Some("Towns")),
        (format!("People,,\n{people},,\nTowns,,\n{towns}"), Some(",,")),
        // Rows of the table behind a blank line: their words come again, or nothing shows that they are none.
        (format!("{people}\nDan,York,Cook\nEve,Kiel,Lead\nFay,Graz,Cook\n"), None),
        (format!("{people}\nDan,York,Cook\nEve,Kiel,Cook\nFay,Graz,Cook\n"), None),
        ("Name,Town\nAnna,Rome\nBob,Oslo\nCarl,Bern\n\nDan,York\nEve,Kiel\nFay,Graz\n".to_owned(), None),
        (format!("{people}\nDan,York5,Cook\nEve,Kiel7,Boss\nFay,Graz6,Head\n"), None),
        // Titles of groups.
        (format!("North\n{people}\nSouth\nDan,York,Lead\nEve,Kiel,Staff\nFay,Graz,Staff\n"), None),
    ] {
        assert_eq!(laid(&text).3.as_deref(), end, "{text}");
    }
}
