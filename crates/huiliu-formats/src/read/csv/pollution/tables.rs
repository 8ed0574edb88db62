//! Clean tables of several characters: what pollution must not hide.

mod open;

use super::Table;

/// A small generator of numbers; the same seed gives the same table.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(7919).wrapping_add(17))
    }

    pub(super) fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.next(from.len())]
    }
}

/// The tables by name.
pub(crate) const NAMES: [&str; 17] = [
    "orders",
    "projects",
    "stock",
    "numbers",
    "people",
    "words",
    "sparse",
    "pairs",
    "single",
    "permits",
    "census",
    "visits",
    "register",
    "wide",
    "orders quoted",
    "census quoted",
    "register quoted",
];

/// Makes the cells of one row.
type MakeRow = fn(&mut Chance, usize) -> Vec<String>;

/// A clean table of so many rows below its header; all cells of a `quoted` one stand in quotes.
pub(crate) fn table(name: &str, seed: u64, rows: usize) -> Table {
    let mut chance = Chance::new(seed);
    let name = name.trim_end_matches(" quoted");
    if name == "wide" {
        return open::wide(&mut chance, rows);
    }
    let (header, row): (&[&str], MakeRow) = match name {
        "permits" => open::PERMITS,
        "census" => open::CENSUS,
        "visits" => open::VISITS,
        "register" => open::REGISTER,
        "orders" => (
            &["DAY", "CLOCK", "Count", "ITEMCODE", "Amount", "ItemKind", "ItemText", "LINK", "Remarks"],
            order,
        ),
        "projects" => (&["编号", "开工日期", "总投资", "项目名称", "地区", "网址", "备注"], project),
        "stock" => (&["id", "day", "at", "amount", "title", "place", "link", "note"], stock),
        "numbers" => (&["year", "station", "t_min", "t_max", "rain", "wind", "pressure"], numbers),
        "people" => (&["Name", "First name", "Street", "Post code", "Town", "Phone", "E-mail"], people),
        "words" => (&["word", "class", "meaning", "example"], words),
        "sparse" => (&["Ref", "Opened", "Owner", "Closed", "Fee", "Waiver", "Appeal", "Remark"], sparse),
        "pairs" => (&["key", "value"], pairs),
        _ => (&["title"], single),
    };
    let mut all = vec![header.iter().map(|name| (*name).to_owned()).collect()];
    all.extend((0..rows).map(|at| row(&mut chance, at)));
    all
}

fn order(chance: &mut Chance, at: usize) -> Vec<String> {
    let text = chance.pick(&[
        "Lamp, desk, black",
        "Chair 5\" wheels",
        "Rope",
        "Box with \"soft\" lid, large",
        "Paper A4, 80 g",
        "Pencil",
    ]);
    let remark = chance.pick(&[
        "",
        "none",
        "Deliver on Monday, please",
        "Called \"urgent\" by the buyer",
        "two lines\nof remarks, with a comma",
        "ok",
    ]);
    vec![
        format!("{}/{}/2018", 1 + chance.next(12), 1 + chance.next(28)),
        format!("{}:{:02} {}", 1 + chance.next(12), chance.next(60), chance.pick(&["AM", "PM"])),
        format!("{}", 1 + chance.next(12)),
        format!("{}-{:04}", chance.pick(&["LA", "CH", "RO"]), at * 37 % 9973),
        format!("${}.{:02}", chance.next(300), chance.next(100)),
        chance.pick(&["Furniture", "Office", "Tools"]).to_owned(),
        text.to_owned(),
        format!("http://example.org/items/{}", chance.next(5000)),
        remark.to_owned(),
    ]
}

fn project(chance: &mut Chance, at: usize) -> Vec<String> {
    let name = format!(
        "{}{}项目",
        chance.pick(&["新能源", "装备制造", "生物医药", "储能"]),
        chance.pick(&["一期", "二期", "基地"])
    );
    let note =
        chance.pick(&["", "", "含土地费，另报", "规模:5,000吨", "他说\"可以\"，待定", "第一行\n第二行"]);
    vec![
        format!("AB-{:05}", at * 37 % 9973),
        day(chance),
        format!("{}", 100 + chance.next(90_000)),
        name,
        chance.pick(&["合肥市", "芜湖市", "安庆市"]).to_owned(),
        format!("http://example.org/{}", chance.next(1000)),
        note.to_owned(),
    ]
}

fn stock(chance: &mut Chance, at: usize) -> Vec<String> {
    let note = chance.pick(&[
        "",
        "",
        "fragile, handle with care",
        "says \"new\"",
        "5\" wide",
        "first line\nsecond, line",
        "ok",
    ]);
    vec![
        format!("{}", 1000 + at),
        day(chance),
        format!("{:02}:{:02}:{:02}", chance.next(24), chance.next(60), chance.next(60)),
        format!("{}.{:02}", chance.next(9000), chance.next(100)),
        format!("{} {}", chance.pick(&["Blue", "Green", "Small"]), chance.pick(&["Lamp", "Chair", "Rope"])),
        chance.pick(&["North", "South", "East"]).to_owned(),
        format!("http://example.org/{}?q={}", at, chance.next(1000)),
        note.to_owned(),
    ]
}

fn numbers(chance: &mut Chance, at: usize) -> Vec<String> {
    let mut row = vec![format!("{}", 1960 + at % 60), format!("{:05}", 10_000 + chance.next(400))];
    row.push(format!("-{}.{}", chance.next(20), chance.next(10)));
    row.push(format!("{}.{}", 10 + chance.next(25), chance.next(10)));
    row.push(format!("{}", chance.next(900)));
    row.push(format!("{}.{}", chance.next(12), chance.next(10)));
    row.push(format!("{}.{}", 980 + chance.next(50), chance.next(10)));
    row
}

fn people(chance: &mut Chance, _: usize) -> Vec<String> {
    let first = chance.pick(&["Anna", "Peter", "Maria", "José", "Li"]);
    let name = chance.pick(&["Smith", "O'Neil", "Müller", "van Dyk", "Brown, Jr."]);
    vec![
        name.to_owned(),
        first.to_owned(),
        format!("{} {}", chance.pick(&["High Street", "Mill Lane", "Am Ring"]), 1 + chance.next(200)),
        format!("{:05}", chance.next(99_999)),
        chance.pick(&["Leeds", "Bonn", "Graz", "St. Pölten"]).to_owned(),
        format!("+44 {} {}", 100 + chance.next(800), 10_000 + chance.next(80_000)),
        format!("{}{}@example.org", first.to_lowercase(), chance.next(100)),
    ]
}

fn words(chance: &mut Chance, at: usize) -> Vec<String> {
    let word = ["table", "chair", "run", "quick", "slowly", "under", "green", "sing"][at % 8];
    vec![
        format!("{word}{}", ["", "s", "ing", "er"][at / 8 % 4]),
        chance.pick(&["noun", "verb", "adverb", "adjective"]).to_owned(),
        chance
            .pick(&["a thing to sit on", "to move fast", "not quickly; with care", "below, beneath"])
            .to_owned(),
        chance.pick(&["He said \"go\" and left", "It is there.", "", "Why not?"]).to_owned(),
    ]
}

fn sparse(chance: &mut Chance, at: usize) -> Vec<String> {
    let mut some = |text: String, of: usize| if chance.next(of) == 0 { text } else { String::new() };
    vec![
        format!("C{:04}", 3000 + at),
        format!("2021-{:02}-{:02}", 1 + at % 12, 1 + at % 28),
        some("J. Doe".to_owned(), 2),
        some(format!("2022-{:02}-01", 1 + at % 12), 3),
        some(format!("{}.00", 10 * at), 3),
        some("yes".to_owned(), 6),
        some(format!("2023-{:02}-11", 1 + at % 12), 9),
        some("see letter, second page".to_owned(), 8),
    ]
}

fn pairs(chance: &mut Chance, at: usize) -> Vec<String> {
    let text = chance.pick(&["plain text", "with, comma", "a \"word\" quoted", "short"]);
    vec![format!("{}", 100 + at), text.to_owned()]
}

fn single(chance: &mut Chance, at: usize) -> Vec<String> {
    let text = chance.pick(&["On the road", "Home, again", "Night \"watch\"", "Rain"]);
    vec![format!("{text} {at}")]
}

fn day(chance: &mut Chance) -> String {
    format!("20{:02}-{:02}-{:02}", chance.next(24), 1 + chance.next(12), 1 + chance.next(28))
}
