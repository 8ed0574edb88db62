//! Tables as offices publish them: codes, amounts in groups of three, coordinates, programs' names, rows of flags.

use super::{Chance, MakeRow, Table};

/// Permits to build, with sentences in capitals and coordinates in quotes.
pub(super) const PERMITS: (&[&str], MakeRow) = (
    &[
        "Permit Number",
        "Permit Type",
        "Filed Date",
        "Street Number",
        "Street Name",
        "Description",
        "Estimated Cost",
        "Status",
        "Location",
    ],
    permit,
);

/// People by area, year and sex, with amounts in groups of three.
pub(super) const CENSUS: (&[&str], MakeRow) =
    (&["area_code", "area_name", "year", "sex", "persons", "rate", "lower_ci", "upper_ci"], census);

/// What a server noted of its visitors.
pub(super) const VISITS: (&[&str], MakeRow) =
    (&["timestamp", "host", "user", "request", "status", "bytes", "referrer", "agent"], visit);

/// Shops and their owners, with flags and many cells empty.
pub(super) const REGISTER: (&[&str], MakeRow) = (
    &[
        "LICENSE NO",
        "DBA NAME",
        "OWNER",
        "STREET",
        "CITY",
        "STATE",
        "ZIP",
        "PHONE",
        "ISSUED",
        "EXPIRES",
        "FOOD",
        "ALCOHOL",
        "NOTES",
    ],
    shop,
);

fn permit(chance: &mut Chance, at: usize) -> Vec<String> {
    let description = chance.pick(&[
        "REPLACE KITCHEN SINK",
        "NEW ROOF, TEAR OFF EXISTING",
        "ADD 2 BATHROOMS; REMOVE WALL",
        "INSTALL 3\" PIPE",
        "SIGN READING \"OPEN LATE\"",
        "",
    ]);
    let (north, east) = (37_000 + chance.next(999), 122_000 + chance.next(999));
    vec![
        format!("20{:02}{:06}", 10 + chance.next(9), at * 131 % 99_991),
        chance.pick(&["otc alterations permit", "additions", "sign - erect", "demolitions"]).to_owned(),
        format!("{:02}/{:02}/20{}", 1 + chance.next(12), 1 + chance.next(28), 13 + chance.next(5)),
        format!("{}", 1 + chance.next(4000)),
        chance.pick(&["Ellis", "Geary", "Pacific", "Market", "Indiana", "11th"]).to_owned(),
        description.to_owned(),
        if chance.next(5) == 0 { String::new() } else { format!("{}.0", 500 * chance.next(400)) },
        chance.pick(&["complete", "issued", "expired", "withdrawn"]).to_owned(),
        format!("({}.{}, -{}.{})", north / 1000, north % 1000, east / 1000, east % 1000),
    ]
}

fn census(chance: &mut Chance, at: usize) -> Vec<String> {
    let area = at / 6;
    let place = ["Hartlepool", "Kingston upon Hull, City of", "Herefordshire, County of", "Leeds", "York"];
    let persons = 900 + chance.next(400_000);
    let grouped = match persons / 1000 {
        0 => persons.to_string(),
        thousands => format!("{thousands},{:03}", persons % 1000),
    };
    let rate = 50 + chance.next(900);
    let tenth = |value: usize| format!("{}.{}", value / 10, value % 10);
    vec![
        format!("E06{:06}", 1 + area),
        place[area % place.len()].to_owned(),
        format!("{}", 2011 + at / 2 % 3),
        ["Male", "Female"][at % 2].to_owned(),
        grouped,
        tenth(rate),
        tenth(rate - 20),
        tenth(rate + 20 + chance.next(9)),
    ]
}

fn visit(chance: &mut Chance, at: usize) -> Vec<String> {
    let agent = chance.pick(&[
        "Mozilla/5.0 (X11; Linux x86_64)",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64), like Gecko",
        "curl/7.58.0",
        "",
    ]);
    let page = chance.pick(&["/index.html", "/search?q=csv&lang=en", "/a/b/c", "/img/logo.png"]);
    vec![
        format!("2021-03-{:02}T{:02}:{:02}:{:02}Z", 1 + at % 28, chance.next(24), chance.next(60), at % 60),
        format!("10.{}.{}.{}", chance.next(255), chance.next(255), 1 + chance.next(254)),
        chance.pick(&["-", "-", "anna", "bo.li"]).to_owned(),
        format!("{} {page}", chance.pick(&["GET", "POST"])),
        chance.pick(&["200", "200", "304", "404"]).to_owned(),
        format!("{}", chance.next(90_000)),
        chance.pick(&["", "https://example.org/", "https://example.org/news?id=12"]).to_owned(),
        agent.to_owned(),
    ]
}

fn shop(chance: &mut Chance, at: usize) -> Vec<String> {
    let name = chance.pick(&["JOE'S DINER", "GOLDEN WOK", "A & B MARKET, INC.", "THE \"CORNER\"", "7 STARS"]);
    let owner = chance.pick(&["SMITH, JOHN", "LI WEI", "O'NEIL, PAT", "GARCIA HOLDINGS LLC"]);
    let day = |chance: &mut Chance, year: usize| {
        format!("{:02}-{}-{year}", 1 + chance.next(28), chance.pick(&["Jan", "Feb", "Jun", "Oct", "Dec"]))
    };
    let flag = |chance: &mut Chance| chance.pick(&["Y", "N", "N", ""]).to_owned();
    vec![
        format!("{:07}", 1_000_000 + at * 17),
        name.to_owned(),
        owner.to_owned(),
        format!("{} {} ST", 100 + chance.next(900), chance.pick(&["MAIN", "OAK", "N CLARK", "W 5TH"])),
        chance.pick(&["CHICAGO", "OAK PARK", "CICERO"]).to_owned(),
        "IL".to_owned(),
        format!("606{:02}", chance.next(60)),
        match chance.next(3) {
            0 => String::new(),
            _ => format!("(312) 555-{:04}", chance.next(10_000)),
        },
        day(chance, 2018),
        day(chance, 2020),
        flag(chance),
        flag(chance),
        chance.pick(&["", "", "", "CALL FIRST", "CLOSED ON SUNDAY, MONDAY"]).to_owned(),
    ]
}

/// Forty columns of answers to questions.
pub(super) fn wide(chance: &mut Chance, rows: usize) -> Table {
    let name = |at: usize| match at {
        0 => "respondent".to_owned(),
        at => format!("q{}{}", at / 3 + 1, ["a", "b", "c"][at % 3]),
    };
    let answer = |chance: &mut Chance, at: usize, row: usize| match at {
        0 => format!("R{:04}", row + 1),
        at if at % 5 == 1 => format!("{}", 1 + chance.next(5)),
        at if at % 5 == 2 => chance.pick(&["yes", "no", ""]).to_owned(),
        at if at % 5 == 3 => chance.pick(&["often", "never", "now and then", "once, long ago"]).to_owned(),
        at if at % 5 == 4 => format!("{}.{}", chance.next(100), chance.next(10)),
        _ => chance.pick(&["", "", "1", "0"]).to_owned(),
    };
    let mut all = vec![(0..40).map(name).collect()];
    all.extend((0..rows).map(|row| (0..40).map(|at| answer(chance, at, row)).collect()));
    all
}
