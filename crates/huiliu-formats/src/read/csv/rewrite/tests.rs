//! Wrapped lines and set columns come back as the tables they are; lists and prose stay what they are.

use arrow::array::{Array, AsArray};
use tempfile::NamedTempFile;

use crate::read::{FormatKind, FormatOptions, ReadOptions, open, open_raw};
use huiliu_stage::{EXTRA, Field, FieldType, ROW, RecordSchema, SHEET};

/// Header and rows of a text read without a schema, with `¦` between the cells, and whether it was told to be written
/// anew.
fn read(text: &str) -> (Vec<String>, bool) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let format = FormatOptions { kind: Some(FormatKind::Csv), ..FormatOptions::default() };
    let mut reading = open_raw(file.path(), &ReadOptions { format, ..ReadOptions::default() }).unwrap();
    let mut all: Vec<String> = reading.header().unwrap_or_default().iter().map(|row| row.join("¦")).collect();
    let mut told = false;
    for outcome in &mut reading {
        let outcome = outcome.unwrap();
        let words = ["quotes as one cell", "set with blanks", "several blanks", "frame of strokes"];
        told |= outcome.findings.iter().any(|f| words.iter().any(|words| f.message.en.contains(words)));
        let (batch, schema) = (&outcome.batch, outcome.batch.schema());
        let own = |at: &usize| ![SHEET, ROW, EXTRA].contains(&schema.field(*at).name().as_str());
        for row in 0..batch.num_rows() {
            let text = |at: usize| match batch.column(at).as_string_opt::<i32>() {
                Some(texts) if !texts.is_null(row) => texts.value(row).to_owned(),
                _ => String::new(),
            };
            let cells: Vec<String> = (0..batch.num_columns()).filter(own).map(text).collect();
            all.push(cells.join("¦"));
        }
    }
    (all, told)
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let (rows, told) = read(text);
    assert_eq!(rows, expected, "{text}");
    assert!(told, "{text}");
}

#[test]
fn lines_in_quotes_are_read_as_the_rows_they_are() {
    let rows = ["code¦day¦title", "A-1¦2021-02-03¦Lamp", "A-2¦2021-02-04¦Rope, 5\"", "A-3¦2021-02-05¦"];
    let body = "\"A-1,2021-02-03,Lamp\"\n\"A-2,2021-02-04,\"\"Rope, 5\"\"\"\"\"\"\"\n\"A-3,2021-02-05,\"\n";
    check(&format!("\"code,day,title\"\n{body}"), &rows);
    check(&format!("code,day,title\n{body}"), &rows);
    check(&format!("\"code,day,title\"\n{body}").replace('\n', "\r\n"), &rows);
    check(
        "\"code;day\"\n\"A-1;2021-02-03\"\n\"A-2;2021-02-04\"\n",
        &rows_of("code¦day A-1¦2021-02-03 A-2¦2021-02-04"),
    );
    check(
        "\"code,note\"\n\"1,\"\"two\nlines\"\"\"\n\"2,one\"\n\"3,one\"\n",
        &["code¦note", "1¦two\nlines", "2¦one", "3¦one"],
    );
}

fn rows_of(rows: &str) -> Vec<&str> {
    rows.split(' ').collect()
}

#[test]
fn a_long_file_of_lines_in_quotes_is_read_to_its_end() {
    let rows = 30_000;
    let body: String = (0..rows).map(|at| format!("\"A-{at},项目,\"\"x, {at}\"\",2021-02-03\"\n")).collect();
    let (found, told) = read(&format!("\"code,kind,title,day\"\n{body}"));
    assert!(told);
    assert_eq!(found.len(), rows + 1);
    assert_eq!(found[rows], format!("A-{0}¦项目¦x, {0}¦2021-02-03", rows - 1));
}

#[test]
fn a_list_in_quotes_stays_a_list() {
    for text in [
        "title\n\"Home, again\"\n\"Rain, snow\"\n\"Night, day\"\n",
        "\"Last, first\"\n\"Li, Bo\"\n\"Smith, Ann\"\n\"Doe, Jo\"\n",
        "amount\n\"1,200\"\n\"3,400\"\n\"5,600\"\n",
        "\"1,200\"\n\"3,400\"\n\"5,600\"\n",
        "name\n\"plain\"\n\"words\"\n\"only\"\n",
    ] {
        let (rows, told) = read(text);
        assert!(!told && rows.iter().all(|row| !row.contains('¦')), "{text}: {rows:?}");
    }
}

#[test]
fn columns_set_with_blanks_are_cut_at_their_places() {
    check(
        "code  name           town\n1     Anna Smith     Bonn\n22    Li             St. Polten\n333   Peter, O Neil  Graz\n",
        &["code¦name¦town", "1¦Anna Smith¦Bonn", "22¦Li¦St. Polten", "333¦Peter, O Neil¦Graz"],
    );
    check(
        "Station   Day         Rain  Wind\n--------- ---------- ----- -----\nA-1       2021-02-03   1.5     3\n\
         Long name 2021-02-04  12.5    13\nB 7       2021-02-05             \nC         2021-02-06   0.5     3\n\
         D e f     2021-02-07   0.5    12\n",
        &[
            "Station¦Day¦Rain¦Wind",
            "A-1¦2021-02-03¦1.5¦3",
            "Long name¦2021-02-04¦12.5¦13",
            "B 7¦2021-02-05¦¦",
            "C¦2021-02-06¦0.5¦3",
            "D e f¦2021-02-07¦0.5¦12",
        ],
    );
    check(
        "编号  名称        地区\n1     储能一期    合肥市\n22    生物医药    芜湖市\n333   示范        安庆市\n",
        &["编号¦名称¦地区", "1¦储能一期¦合肥市", "22¦生物医药¦芜湖市", "333¦示范¦安庆市"],
    );
}

#[test]
fn several_blanks_part_cells_however_many_they_are() {
    check(
        "name    city    amount\nAnn    New York    12\nBob    Leeds    30\nCat    Hull    77\n",
        &["name¦city¦amount", "Ann¦New York¦12", "Bob¦Leeds¦30", "Cat¦Hull¦77"],
    );
    check(
        "name    city    n    day\nAnn B    Co    100    2024-01-01\nBob    Li    200    2024-02-01\nCat    Li Co    300    2024-03-01\n\
         Long name here    Long company    12345    2024-04-01\n",
        &[
            "name¦city¦n¦day",
            "Ann B¦Co¦100¦2024-01-01",
            "Bob¦Li¦200¦2024-02-01",
            "Cat¦Li Co¦300¦2024-03-01",
            "Long name here¦Long company¦12345¦2024-04-01",
        ],
    );
    check(
        "名称  地区   投资\n储能, 一期   合肥市  12\n生物医药     芜湖市    30\n\n示范  安庆市  7\n",
        &["名称¦地区¦投资", "储能, 一期¦合肥市¦12", "生物医药¦芜湖市¦30", "示范¦安庆市¦7"],
    );
    // A minus takes one of the two blanks of a number without.
    check(
        "  1.0   2.0   3.0\n 10.5  -2.0   3.5\n  7.0   2.5 -33.0\n",
        &["1.0¦2.0¦3.0", "10.5¦-2.0¦3.5", "7.0¦2.5¦-33.0"],
    );
    assert_eq!(read("1.0e+00 2.0e+00\n3.0e+00 4.0e+00\n5.0e+00 6.0e+00\n").0[0], "1.0e+00¦2.0e+00");
}

#[test]
fn a_frame_around_cells_is_taken_off() {
    let rows = ["name¦city¦n", "Ann, B¦York¦1", "Cat¦¦22"];
    check("| name | city | n |\n|------|:----:|--:|\n| Ann, B | York | 1 |\n| Cat |  | 22 |\n", &rows);
    check(
        "+--------+------+----+\n| name   | city | n  |\n+--------+------+----+\n| Ann, B | York |  1 |\n\
         | Cat    |      | 22 |\n+--------+------+----+\n2 rows in set\n",
        &rows,
    );
    for text in [
        " name   | city | n\n--------+------+----\n Ann, B | York |  1\n Cat    |      | 22\n(2 rows)\n",
        "name | city | n\n--- | --- | ---\nAnn, B | York | 1\nCat | | 22\n",
        "| name | city | n |\n|---|---|---|\n| Ann, B | York | 1 |\n| Cat |  | 22 |\n(2 行受影响)\n",
    ] {
        check(text, &rows);
    }
    check(
        "# A title\n\n| name | n |\n|---|---|\n| Ann \\| B | 1 |\n| Cat | 22 |\n",
        &["name¦n", "Ann | B¦1", "Cat¦22"],
    );
    // A stroke at the edge stands beside an empty cell where the frame has none there.
    check(
        " id | name  | amt \n----+-------+-----\n  1 | Anna  | 1.5\n  2 | Bob   |    \n    | Cat   | 2.5\n(3 rows)\n",
        &["id¦name¦amt", "1¦Anna¦1.5", "2¦Bob¦", "¦Cat¦2.5"],
    );
    let pipes = "a|b|c\n1|2|3\n4|5|6\n";
    assert!(!read(pipes).1);
}

#[test]
fn what_is_not_set_in_columns_is_left_as_it_is() {
    for text in [
        "a b c\n1 2 3\n4 5 6\n7 8 9\n",
        "title\nOn the road\nHome again now\nRain\n",
        "id,name\n1,a  b\n2,c  d\n3,e  f\n",
        "the cat sat on\nthe mat and it\nhas not gone a\nway since then\n",
    ] {
        assert!(!read(text).1, "{text}");
    }
}

#[test]
fn a_schema_reads_lines_in_quotes_as_well() {
    let field = |name: &str| Field { name: name.to_owned(), kind: FieldType::Text, ..Field::default() };
    let fields = vec![field("code"), field("title")];
    let record = RecordSchema { record: "thing".into(), label: String::new(), fields };
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "\"code,title\"\n\"A-1,Lamp\"\n\"A-2,Rope\"\n\"A-3,Pen\"\n").unwrap();
    let mut reading = open(file.path(), &record, &ReadOptions::default()).unwrap();
    let (rows, findings) = crate::read::tests::collect(&mut reading).unwrap();
    assert!(rows[2].starts_with("code=\"A-3\" title=\"Pen\""), "{rows:?}");
    assert!(findings.iter().any(|finding| finding.contains("quotes as one cell")), "{findings:?}");
}

#[test]
fn columns_that_a_line_of_strokes_draws_are_cut_there() {
    let text = "id          name                 sum\n----------- -------------------- -----------\n          1 Anna Lee                                      10\n          2 李四                          20\n         30 Carl Poe                       5\n\n(3 rows affected)\n";
    check(text, &["id¦name¦sum", "1¦Anna Lee¦10", "2¦李四¦20", "30¦Carl Poe¦5"]);
    // Strokes that draw nothing: blanks part the cells, or commas.
    for delimiter in [" ", ",", "\t"] {
        let text = "id name sum\n-- ---- ---\n1 Anna 10\n2 Bob 200\n3 Carl 30\n\n(3 rows affected)\n";
        let (rows, _) = read(
            &text
                .replace(' ', delimiter)
                .replace(&["(3", "rows", "affected)"].join(delimiter), "(3 rows affected)"),
        );
        assert_eq!(rows, ["id¦name¦sum", "1¦Anna¦10", "2¦Bob¦200", "3¦Carl¦30"], "{delimiter}");
    }
    // Marks for nothing in a row further below.
    let (rows, _) = read("id,name,sum\n1,Anna,10\n--,--,--\n3,Carl,30\n4,Dan,40\n");
    assert_eq!(rows.len(), 5, "{rows:?}");
    let (rows, _) = read("name,sum\n--,--\nAnna,10\n--,30\nDan,40\n");
    assert_eq!(rows.len(), 5, "{rows:?}");
}

#[test]
fn a_cell_in_a_frame_may_go_on_in_the_next_line() {
    let rows = ["id¦name¦note", "1¦Anna¦first\nsecond\nthird", "2¦Bob¦one"];
    let open = " id |  name  |   note    \n----+--------+-----------\n  1 | Anna   | first    +\n    |        | second   +\n                    |        | third\n  2 | Bob    | one\n(2 rows)\n\n";
    check(open, &rows);
    let closed = "+----+--------+---------+\n| id |  name  |  note   |\n+----+--------+---------+\n|  1 | Anna   | first  +|\n|    |        |                   second +|\n|    |        | third   |\n|  2 | Bob    | one     |\n+----+--------+---------+\n";
    check(closed, &rows);
    // A plus of the cell's own, and one with another row below.
    check(
        " id | mark\n----+------\n  1 | C+\n  2 | A\n  3 | B+\n  4 | long\n",
        &["id¦mark", "1¦C+", "2¦A", "3¦B+", "4¦long"],
    );
    check(" id | mark\n----+------\n  1 | Cc +\n  2 | A\n", &["id¦mark", "1¦Cc +", "2¦A"]);
}

#[test]
fn a_long_table_in_a_frame_with_cells_of_two_lines_is_read_to_its_end() {
    let rows = 40_000;
    let body: String = (0..rows).map(|at| format!(" {at:6} | one {:6}+\n        | two\n", at % 7)).collect();
    let (found, told) = read(&format!("   id   |    note    \n--------+------------\n{body}"));
    assert!(told);
    assert_eq!(found.len(), rows + 1);
    assert_eq!(found[rows], format!("{}¦one {:6}\ntwo", rows - 1, (rows - 1) % 7));
}

#[test]
fn columns_may_hold_blanks_and_commas_that_stand_in_all_rows() {
    let rows: String = (100..112).map(|n| format!("Item {n}  ${n}.50  {}  $1,{n}.00\n", n % 7)).collect();
    let (found, told) = read(&format!("item      price    n  total\n{rows}"));
    assert!(told);
    assert_eq!(
        (found[0].as_str(), found[1].as_str()),
        ("item¦price¦n¦total", "Item 100¦$100.50¦2¦$1,100.00")
    );
}
