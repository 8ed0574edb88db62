//! Tables as departments, shops and machines write them; their texts hold what is a delimiter elsewhere.

use super::{Chance, Table};

pub(crate) const THEMES: [&str; 8] =
    ["projects", "orders", "numbers", "log", "people", "statistics", "accounts", "pairs"];

type MakeRow = fn(&mut Chance, usize) -> Vec<String>;

/// The table of a theme, its header first.
pub(crate) fn theme(name: &str, chance: &mut Chance, rows: usize) -> Table {
    let (header, row): (&[&str], MakeRow) = match name {
        "projects" => (&["编号", "项目名称", "地区", "总投资", "开工日期", "负责人", "备注"], project),
        "orders" => (&["Order", "Customer", "E-mail", "Day", "Amount", "Link", "Remark"], order),
        "numbers" => (&["t", "depth", "speed", "pressure", "flag"], numbers),
        "log" => (&["time", "level", "path", "address", "message"], log),
        "people" => (&["Name", "City", "Country", "Phone", "Born"], people),
        "statistics" => (&["地区", "2019", "2020", "2021", "增长率"], statistics),
        "accounts" => (&["user", "home", "shell", "group", "tags"], account),
        _ => (&["key", "value"], pair),
    };
    let mut all = vec![header.iter().map(|name| (*name).to_owned()).collect()];
    all.extend((0..rows).map(|at| row(chance, at)));
    all
}

fn day(chance: &mut Chance) -> (usize, usize, usize) {
    (2015 + chance.next(9), 1 + chance.next(12), 1 + chance.next(28))
}

fn project(chance: &mut Chance, at: usize) -> Vec<String> {
    let (year, month, _) = day(chance);
    let name = chance.pick(&[
        "储能电池一期",
        "装备制造基地",
        "污水处理厂（二期）",
        "中心医院",
        "物流园",
        "智慧停车场",
    ]);
    vec![
        format!("HL-{year}-{at:03}"),
        format!("{}{name}", chance.pick(&["东湖", "江北", "高新区", "汉阳", "临空"])),
        chance.pick(&["武汉市", "襄阳市", "宜昌市", "黄石市"]).to_owned(),
        format!("{}.{}", 1 + chance.next(90), chance.next(10)),
        format!("{year}年{month}月"),
        chance.pick(&["王伟", "李娜", "张强", "刘洋"]).to_owned(),
        chance.pick(&["已开工，进度50%；正常", "", "待批", "资金到位、土地已交", "联系人：陈工"]).to_owned(),
    ]
}

fn order(chance: &mut Chance, at: usize) -> Vec<String> {
    let (year, month, day) = day(chance);
    let name = chance.pick(&["anna", "j.smith", "mary-k", "bob_1"]);
    vec![
        (1000 + at).to_string(),
        chance
            .pick(&["Smith & Sons", "O'Neil Ltd.", "Yahoo! Inc.", "ACME #1", "Müller/Maier GmbH"])
            .to_owned(),
        format!("{name}@example.org"),
        format!("{day:02}/{month:02}/{year}"),
        format!("{},{:02}", 1 + chance.next(900), chance.next(100)),
        format!("https://shop.example/item?id={}&ref=a+b%20c#top", chance.next(900)),
        chance
            .pick(&["great!", "10% off, only today", "", "call: 555-0100; ask for Jim", "50/50"])
            .to_owned(),
    ]
}

fn numbers(chance: &mut Chance, at: usize) -> Vec<String> {
    let mut value = |below: usize| format!("{}.{:02}", chance.next(below), chance.next(100));
    vec![
        format!("{at}.5"),
        value(90),
        value(9),
        format!("-{}", value(1000)),
        at.is_multiple_of(3).to_string(),
    ]
}

fn log(chance: &mut Chance, at: usize) -> Vec<String> {
    let (year, month, day) = day(chance);
    vec![
        format!("{year}-{month:02}-{day:02} {:02}:{:02}:{:02}", at % 24, chance.next(60), chance.next(60)),
        chance.pick(&["INFO", "WARN", "ERROR", "DEBUG"]).to_owned(),
        format!("/var/lib/{}/part-{}", chance.pick(&["app", "db", "web"]), chance.next(9)),
        format!("10.0.{}.{}:8080", chance.next(255), chance.next(255)),
        chance
            .pick(&["disk 90% full!", "user=root, retry", "started; waiting", "a->b failed", "ok"])
            .to_owned(),
    ]
}

fn people(chance: &mut Chance, _: usize) -> Vec<String> {
    let (year, month, day) = day(chance);
    vec![
        format!("{}, {}", chance.pick(&["Lee", "Novak", "García"]), chance.pick(&["Ann", "Jan", "Eva"])),
        chance.pick(&["New York", "Berlin", "São Paulo", "Stratford-upon-Avon"]).to_owned(),
        chance.pick(&["USA", "Germany", "Brazil", "United Kingdom"]).to_owned(),
        format!("+{} {:03} {:04}", 1 + chance.next(90), chance.next(1000), chance.next(10_000)),
        format!("{day}.{month}.{}", year - 40),
    ]
}

fn statistics(chance: &mut Chance, at: usize) -> Vec<String> {
    let region = ["湖北", "湖南", "广东", "北京", "上海", "四川", "浙江", "江苏", "河南", "山东"][at % 10];
    let mut count = || (1000 + chance.next(90_000)).to_string();
    let mut row = vec![format!("{region}{}", if at < 10 { "" } else { "(续)" }), count(), count(), count()];
    row.push(format!("{}.{}%", chance.next(20), chance.next(10)));
    row
}

fn account(chance: &mut Chance, at: usize) -> Vec<String> {
    vec![
        format!("u{at:04}"),
        format!("/home/{}", chance.pick(&["anna", "bob", "carl"])),
        chance.pick(&["/bin/sh", "/bin/bash", "/sbin/nologin"]).to_owned(),
        chance.pick(&["staff", "admin", "guest"]).to_owned(),
        chance.pick(&["c++", "a=1", "x*y", "#new", "100%", ""]).to_owned(),
    ]
}

fn pair(chance: &mut Chance, at: usize) -> Vec<String> {
    vec![format!("item {at}"), format!("{}", chance.next(10_000))]
}
