//! With a record schema as without one: the same dialects, the same repairs, nothing moved to another column.

use tempfile::NamedTempFile;

use crate::read::tests::collect;
use crate::read::{FormatOptions, ReadOptions, open};
use huiliu_stage::{Field, FieldType, RecordSchema};

fn record() -> RecordSchema {
    let field = |name: &str, kind| Field { name: name.to_owned(), kind, ..Field::default() };
    let fields = vec![
        field("code", FieldType::Text),
        field("title", FieldType::Text),
        field("amount", FieldType::Number),
        field("opened", FieldType::Date),
        field("note", FieldType::Text),
    ];
    RecordSchema { record: "thing".into(), label: String::new(), fields }
}

const HEADER: [&str; 5] = ["code", "title", "amount", "opened", "note"];

fn rows() -> Vec<[String; 5]> {
    let row = |at: usize| {
        let note = ["fine", "", "wide, with care", "said \"new\""][at % 4].to_owned();
        [
            format!("A-{at:03}"),
            format!("Lamp {at}"),
            format!("{}.5", 10 + at),
            format!("2021-02-{:02}", 1 + at),
            note,
        ]
    };
    (0..20).map(row).collect()
}

/// The rows as a file, cells in quotes where they need them.
fn text(delimiter: &str, quote: char, escape: char) -> String {
    let cell = |cell: &str| {
        let bare = !cell.contains(delimiter) && !cell.contains([quote, ',', '"']);
        let inner = cell.replace(quote, &format!("{escape}{quote}"));
        if bare { cell.to_owned() } else { format!("{quote}{inner}{quote}") }
    };
    let (header, rows) = (HEADER.map(str::to_owned), rows());
    let all = std::iter::once(&header).chain(&rows);
    all.map(|row| row.iter().map(|c| cell(c)).collect::<Vec<_>>().join(delimiter) + "\n").collect()
}

fn read(text: &str, format: FormatOptions) -> (Vec<String>, Vec<String>, String) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut reading =
        open(file.path(), &record(), &ReadOptions { format, ..ReadOptions::default() }).unwrap();
    let (rows, findings) = collect(&mut reading).unwrap();
    let rows = rows.iter().map(|row| row.split(" _").next().unwrap_or_default().to_owned()).collect();
    (rows, findings, reading.report().dialect.clone())
}

#[test]
fn a_schema_reads_every_dialect_alike() {
    let (plain, ..) = read(&text(",", '"', '"'), FormatOptions::default());
    assert_eq!(plain.len(), 20);
    for (delimiter, quote, escape, told) in [
        (";", '"', '"', "delimiter ';', quote '\"', header in row 1"),
        ("||", '"', '"', "delimiter '||', quote '\"', header in row 1"),
        ("|~|", '"', '"', "delimiter '|~|', quote '\"', header in row 1"),
        ("^", '"', '"', "delimiter '^', quote '\"', header in row 1"),
        (",", '\'', '\'', "delimiter ',', quote '\'', header in row 1"),
        (",", '"', '\\', "delimiter ',', quote '\"', escape '\\', header in row 1"),
    ] {
        let (found, findings, dialect) = read(&text(delimiter, quote, escape), FormatOptions::default());
        assert_eq!(found, plain, "{delimiter} {quote} {escape} {findings:?}");
        assert_eq!(dialect, told);
    }
    let format = FormatOptions { delimiter: Some("||".into()), ..FormatOptions::default() };
    assert_eq!(read(&text("||", '"', '"'), format).0, plain);
}

#[test]
fn a_malformed_row_is_repaired_and_told_and_moves_no_other() {
    let clean = text(",", '"', '"');
    let (plain, ..) = read(&clean, FormatOptions::default());
    for (right, wrong, repair) in [
        ("A-004,Lamp 4,14.5", "A-004,,Lamp 4,14.5", "a surplus empty cell was left out"),
        ("A-004,Lamp 4,14.5", "A-004,Lamp 414.5", "two cells without a delimiter were parted"),
        (
            "A-004,Lamp 4,14.5,2021-02-05,fine",
            "A-004;Lamp 4;14.5;2021-02-05;fine",
            "another delimiter was used",
        ),
        (
            "\"wide, with care\"\nA-007",
            "wide, with care\nA-007",
            "a delimiter without quotes was kept as text",
        ),
    ] {
        assert!(clean.contains(right), "{right}");
        let (found, findings, _) = read(&clean.replacen(right, wrong, 1), FormatOptions::default());
        assert_eq!(found, plain, "{wrong} {findings:?}");
        assert!(findings.iter().any(|finding| finding.contains(repair)), "{wrong} {findings:?}");
    }
}

#[test]
fn what_ends_a_row_may_be_told() {
    let plain = read(&text(",", '"', '"'), FormatOptions::default()).0;
    for newline in ["\n", "\r\n", "\r", "||\n", "\u{1e}"] {
        let format = FormatOptions { newline: Some(newline.into()), ..FormatOptions::default() };
        let (found, findings, _) = read(&text(",", '"', '"').replace('\n', newline), format);
        assert_eq!(found, plain, "{newline:?} {findings:?}");
    }
    // Other line breaks are text.
    let format = FormatOptions { newline: Some("||\n".into()), ..FormatOptions::default() };
    let broken = text(",", '"', '"').replace('\n', "||\n").replace("Lamp 4", "Lamp\n4");
    let (found, findings, _) = read(&broken, format);
    assert_eq!((found.len(), findings.len()), (20, 0), "{findings:?}");
    assert!(found[4].contains("Lamp\\n4"), "{}", found[4]);
}

#[test]
fn the_report_tells_a_delimiter_of_several_characters() {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text("|~|", '"', '"')).unwrap();
    let reading = open(file.path(), &record(), &ReadOptions::default()).unwrap();
    assert_eq!(reading.report().delimiter.as_deref(), Some("|~|"));
}

#[test]
fn a_row_of_two_cells_may_have_a_blank_behind_its_delimiter() {
    let rows: String = (0..30).map(|at| format!("K{at},\"value, {at}\"\n")).collect();
    let rows = rows.replace("K7,\"value, 7\"", "K7, value");
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("key, value\n{rows}")).unwrap();
    let format = FormatOptions { kind: Some(crate::read::FormatKind::Csv), ..FormatOptions::default() };
    let options = ReadOptions { format, ..ReadOptions::default() };
    let mut reading = crate::read::open_raw(file.path(), &options).unwrap();
    assert_eq!(reading.header(), Some(&[vec!["key".to_owned(), "value".to_owned()]][..]));
    let (rows, _) = collect(&mut reading).unwrap();
    assert!(rows.len() == 30 && rows[7].contains("\"value\""), "{}", rows[7]);
}

#[test]
fn a_row_that_lacks_a_cell_waits_for_a_person_however_small_the_file() {
    let row = |at: usize| format!("A-{at:03},Lamp {at},{}.5,2021-02-0{at},note {at}\n", 10 + at);
    for (rows, at) in [(2, 1), (3, 1), (3, 3), (5, 2), (8, 1)] {
        let clean: String = (1..=rows).map(row).collect();
        for (wrong, what) in [
            (format!("A-{at:03},{}.5,2021-02-0{at},note {at}\n", 10 + at), "a cell is lacking"),
            (format!("A-{at:03},Lamp {at}{}.5,2021-02-0{at},note {at}\n", 10 + at), "a delimiter is lacking"),
        ] {
            let text = format!("{}\n{}", HEADER.join(","), clean.replace(&row(at), &wrong));
            let (found, findings, _) = read(&text, FormatOptions::default());
            let told = format!("{what} in row {at} of {rows}: {found:?} {findings:?}");
            assert_eq!(found.len(), rows, "{told}");
            assert!(findings.iter().any(|finding| finding.starts_with("error")), "{told}");
        }
        // What is left out at the end harms none.
        let text = format!("{}\n{}", HEADER.join(","), clean.replace(&format!(",note {at}\n"), "\n"));
        let (found, findings, _) = read(&text, FormatOptions::default());
        let told = format!("no note in row {at} of {rows}: {found:?} {findings:?}");
        assert!(found.len() == rows && findings.len() == 1 && !findings[0].starts_with("error"), "{told}");
    }
}

#[test]
fn a_row_in_quotes_as_if_it_were_one_cell_is_unwrapped_and_told() {
    let clean = text(",", '"', '"');
    let (plain, ..) = read(&clean, FormatOptions::default());
    let wrapped = |line: &str| format!("\"{}\"", line.replace('"', "\"\""));
    for chosen in [&[4][..], &[1], &[7, 8, 20], &[3, 16]] {
        let lines = clean.lines().enumerate();
        let polluted: String = lines
            .map(|(at, line)| if chosen.contains(&at) { wrapped(line) } else { line.to_owned() } + "\n")
            .collect();
        let (found, findings, _) = read(&polluted, FormatOptions::default());
        assert_eq!(found, plain, "{chosen:?} {findings:?}");
        let told = findings.iter().filter(|finding| finding.contains("quotes around the whole row")).count();
        assert_eq!(told, chosen.len(), "{findings:?}");
    }
}

#[test]
fn a_nul_in_a_cell_is_kept_and_told() {
    let polluted = text(",", '"', '"').replacen("Lamp 4", "La\0mp 4", 1);
    let told =
        |findings: &[String]| findings.iter().any(|f| f.starts_with("warning encoding") && f.contains("B6"));
    let (found, findings, _) = read(&polluted, FormatOptions::default());
    assert!(found.len() == 20 && told(&findings), "{findings:?}");
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), polluted).unwrap();
    let format = FormatOptions { kind: Some(crate::read::FormatKind::Csv), ..FormatOptions::default() };
    let options = ReadOptions { format, ..ReadOptions::default() };
    let (rows, findings) = collect(&mut crate::read::open_raw(file.path(), &options).unwrap()).unwrap();
    assert!(rows.len() == 20 && told(&findings), "{findings:?}");
}

#[test]
fn a_row_torn_within_a_word_is_one_and_waits_for_a_person_where_few_are_known() {
    let header = "title,code,amount,opened\n";
    let rows = "春江路小学,武进区教育局,1200,2026-03-01\n滨湖新城学校,武进区教育局,3500,2026-01-02\n\
        横山桥水厂,武进区水务局,880,2026-05-20\n";
    for (whole, torn) in
        [("武进区教育局,3500", "武进区\n教育局,3500"), ("武进区教育局,3500", "武进\r\n区教育局,3500")]
    {
        assert!(rows.contains(whole));
        let (found, findings, _) =
            read(&format!("{header}{}", rows.replace(whole, torn)), FormatOptions::default());
        assert_eq!(found.len(), 3, "{found:?}");
        let shown = found[1].replace("\\n", "").replace("\\r", "");
        assert!(["滨湖新城学校", "3500", "2026-01-02"].iter().all(|cell| shown.contains(cell)), "{found:?}");
        assert!(
            findings.len() == 1 && findings[0].starts_with("error") && findings[0].contains("row 3"),
            "{findings:?}"
        );
    }
}

#[test]
fn a_delimiter_in_a_name_moves_no_cell_of_a_small_table() {
    let header = "title,code,amount,opened\n";
    for rows in [
        "牛塘镇学校,牛塘镇人民政府,300,2026-01-02\n城东水厂,武进区水务局,400,2026-02-02\n",
        "甲,乙镇,3,2026-01-02\n",
    ] {
        let torn = "湖塘镇污水,管网改造,湖塘镇人民政府,880,2026-05-20\n";
        let (found, findings, _) = read(&format!("{header}{rows}{torn}"), FormatOptions::default());
        let row = found.last().unwrap();
        let cells = ["湖塘镇污水", "管网改造", "amount=880", "opened=\"2026-05-20\""];
        assert!(cells.iter().all(|cell| row.contains(cell)), "{row}");
        assert!(findings.len() == 1 && findings[0].starts_with("error"), "{findings:?}");
    }
}

#[test]
fn a_number_whose_neighbour_is_lacking_is_not_cut_in_two() {
    let rows: String = (1..=12).map(|at| format!("Lamp {at},{},2026-01-{at:02}\n", 100 + at)).collect();
    let text =
        format!("title,amount,opened\n{}Lamp x,200.5\nBulb,300,2026-02-02\n", rows.replace("Lamp ", "L"));
    let (found, findings, _) = read(&text, FormatOptions::default());
    assert!(found.len() == 14 && found[13].contains("Bulb"), "{found:?}");
    assert!(findings.len() == 1 && !findings[0].starts_with("error"), "{findings:?}");
    for number in ["200.5", "3500.5", "1,234"] {
        let text =
            format!("title,amount,opened\n{rows}Lamp x,\"{number}\"\n{}", rows.replace("Lamp", "Lump"));
        let (found, findings, _) = read(
            &text.replace("\"200.5\"", "200.5").replace("\"3500.5\"", "3500.5"),
            FormatOptions::default(),
        );
        assert!(found.len() == 25 && found[12].contains(&number.replace(',', "")), "{}", found[12]);
        assert!(findings.len() == 1 && !findings[0].starts_with("error"), "{findings:?} {}", found[12]);
    }
}

#[test]
fn a_last_row_that_breaks_off_within_its_last_cell_is_told() {
    let days: String = (1..=12).map(|at| format!("Lamp {at},{},2026-01-{at:02}\n", 100 + at)).collect();
    let told = |text: &str| {
        let (found, findings, _) = read(text, FormatOptions::default());
        assert_eq!(found.len(), 13, "{text}");
        findings.iter().filter(|finding| finding.starts_with("error cut-off 14: C14 ")).count()
    };
    let whole = format!("title,amount,opened\n{days}Lamp x,500,2025-11-12");
    assert_eq!(told(&whole), 0);
    for length in 1..10 {
        let cut = &whole[..whole.len() - 10 + length];
        assert_eq!(told(cut), 1, "{cut}");
        let quoted = cut.replace("Lamp 1,", "'Lamp 1',").replace("title,", "'title',");
        assert_eq!(told(&quoted), 1, "{quoted}");
        assert_eq!(told(&format!("{cut}\n")), 0, "a line end shows that the row is whole");
    }
    // Amounts have any length, and days may be written in any way where others are.
    let amounts: String = (1..=12).map(|at| format!("Lamp {at},x,{}\n", 100 + at)).collect();
    assert_eq!(told(&format!("title,note,amount\n{amounts}Lamp x,y,9")), 0);
    let (found, findings, _) =
        read(&format!("title,amount,opened\n{}a,1,2024\nb,2,2025", days), FormatOptions::default());
    assert!(found.len() == 14 && !findings.iter().any(|f| f.contains("cut-off")), "{findings:?}");
}

#[test]
fn quotes_that_hold_rows_of_the_table_are_told() {
    let row = |at: usize| format!("A-{at:03},Lamp {at},{}.5,2021-02-0{at},note {at}\n", 10 + at);
    let text = format!("{}\n{}", HEADER.join(","), (1..8).map(row).collect::<String>());
    for (open, close) in [("Lamp 2", "Lamp 5"), ("Lamp 2", "Lamp 3"), ("note 2", "note 4")] {
        let wrong = text.replace(open, &format!("\"{open}")).replace(close, &format!("{close}\""));
        let (_, findings, _) = read(&wrong, FormatOptions::default());
        assert!(findings.iter().any(|f| f.starts_with("error quotes ")), "{open} {close}: {findings:?}");
    }
    let fine = text.replace("note 3", "\"two, or\nthree\"");
    assert!(read(&fine, FormatOptions::default()).1.is_empty());
}

#[test]
fn a_last_row_that_lacks_cells_and_its_line_end_waits_for_a_person() {
    let row = |at: usize| format!("A-{at:03},Lamp {at},{}.5,2021-02-0{at},note {at}\n", 10 + at);
    let text = format!("{}\n{}", HEADER.join(","), (1..5).map(row).collect::<String>());
    for (cut, errors) in [("A-005,Lamp 5,1", 1), ("A-005,Lamp 5,1\n", 0)] {
        let (found, findings, _) = read(&format!("{text}{cut}"), FormatOptions::default());
        assert_eq!(found.len(), 5, "{cut}");
        assert_eq!(
            findings.iter().filter(|f| f.starts_with("error cut-off ")).count(),
            errors,
            "{findings:?}"
        );
    }
}

#[test]
fn no_word_number_or_day_is_cut_for_a_cell_that_is_lacking() {
    let header = "title,code,amount,opened\n";
    for count in [3, 12] {
        let rows: String = (1..=count)
            .map(|at| format!("项目{at}号,单位{at},{},2024-0{}-01\n", 100 + at, 1 + at % 9))
            .collect();
        for (row, cells) in [
            ("乙项目,200,2024-02-01", ["乙项目", "2024-02-01"]),
            ("乙项目,乙司,2024-02-01", ["乙项目", "2024-02-01"]),
            ("乙项目,乙司,60", ["乙项目", "60.0"]),
            ("高新区2024年改造项目,城投公司,2024-01-05", ["高新区2024年改造项目", "2024-01-05"]),
        ] {
            let (found, findings, _) =
                read(&format!("{header}{rows}{row}\n{rows}"), FormatOptions::default());
            let got = &found[count];
            assert!(cells.iter().all(|cell| got.contains(cell)), "{row} {count}: {got} {findings:?}");
        }
    }
}

#[test]
fn quotes_that_do_not_pair_are_told_in_whatever_way_they_are_kept() {
    let clean = text(",", '"', '"');
    for (right, wrong) in
        [("Lamp 4,", "\"Lamp\" 4,"), ("Lamp 4,", "\"Lamp 4,"), ("A-019,Lamp 19", "A-019,\"Lamp 19")]
    {
        assert!(clean.contains(right), "{right}");
        let (found, findings, _) = read(&clean.replacen(right, wrong, 1), FormatOptions::default());
        assert_eq!(found.len(), 20, "{wrong} {findings:?}");
        let told = findings.iter().filter(|f| f.contains("repair") || f.contains("quotes")).count();
        assert_eq!(told, 1, "{wrong} {findings:?}");
    }
}
