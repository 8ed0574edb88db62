//! A project file of any size, made from a seed: 15 columns, some 230 bytes a row, a tenth of the rows broken
//! in known ways, some of the rest repeated; and what a right run makes of it.
//!
//! A row is made sound, then rules are broken on it one by one, so that what must come out is known without
//! running any rule. The test in `smoke.rs` reads the text again and comes to the same.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::check::Expected;

pub(crate) const SEED: u64 = 20_260_508;

/// So many project codes there are.
pub(crate) const MOST_ROWS: u64 = MONTHS * DISTRICTS.len() as u64 * 1_000_000;

/// Goes up when the same seed gives other bytes than before: names of kept inputs carry it.
pub(crate) const EDITION: u32 = 2;

pub(crate) const COLUMNS: [&str; 15] = [
    "project_code",
    "project_name",
    "company",
    "credit_code",
    "township",
    "industry_code",
    "total_investment",
    "planned_investment_this_year",
    "completed_investment",
    "land_area_mu",
    "admitted_date",
    "start_date",
    "completion_date",
    "contact_phone",
    "status",
];
const CODE: usize = 0;
const NAME: usize = 1;
const COMPANY: usize = 2;
const CREDIT: usize = 3;
const TOWNSHIP: usize = 4;
const TOTAL: usize = 6;
const COMPLETED: usize = 8;
const ADMITTED: usize = 10;
const START: usize = 11;
const COMPLETION: usize = 12;
const PHONE: usize = 13;

/// What a row may break. `Required` comes last: an empty cell breaks no other rule, whatever stood in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    ProjectCode,
    CreditCode,
    TotalInvestment,
    CompletedGtTotal,
    DateOrder,
    Township,
    ContactPhone,
    Required,
}

impl Rule {
    const ALL: [Self; 8] = [
        Self::ProjectCode,
        Self::CreditCode,
        Self::TotalInvestment,
        Self::CompletedGtTotal,
        Self::DateOrder,
        Self::Township,
        Self::ContactPhone,
        Self::Required,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ProjectCode => "project_code",
            Self::CreditCode => "credit_code",
            Self::TotalInvestment => "total_investment",
            Self::CompletedGtTotal => "completed_gt_total",
            Self::DateOrder => "date_order",
            Self::Township => "township",
            Self::ContactPhone => "contact_phone",
            Self::Required => "required",
        }
    }
}

/// Rows in ten thousand that break a rule, for each of the eight.
const BROKEN: u64 = 75;
/// Rows in a hundred that carry the code of an earlier one.
const REPEATED: u64 = 3;

const MONTHS: u64 = 60;
const DISTRICTS: [&str; 7] = ["320402", "320404", "320405", "320411", "320412", "320413", "320481"];
pub(crate) const TOWNSHIPS: [&str; 14] = [
    "湖塘镇",
    "牛塘镇",
    "洛阳镇",
    "遥观镇",
    "横林镇",
    "横山桥镇",
    "郑陆镇",
    "雪堰镇",
    "前黄镇",
    "礼嘉镇",
    "嘉泽镇",
    "湟里镇",
    "奔牛镇",
    "南夏墅街道",
];
const NO_TOWNSHIPS: [&str; 5] = ["湖塘", "遥观村", "经开区", "待定", "-"];
const MEASURES: [&str; 6] = ["万套", "万台", "吨", "万米", "万平方米", "套"];
const GOODS: [&str; 14] = [
    "动力电池结构件",
    "光伏逆变器",
    "伺服电机",
    "风电叶片模具",
    "轨道车辆内饰",
    "石墨烯导热膜",
    "数控刀具",
    "车用传感器",
    "特种电缆",
    "医用导管",
    "半导体清洗设备",
    "绿色建材",
    "农机变速箱",
    "氢能储罐",
];
const WORKS: [&str; 7] = ["生产线", "扩建", "技改", "新建厂房", "研发中心", "智能工厂", "仓储基地"];
const PLACES: [&str; 6] = ["常州", "江苏", "武进", "常州西太湖", "常州经开", "江苏中吴"];
const STYLES: [&str; 12] =
    ["恒立", "瑞丰", "华源", "金鼎", "天盛", "龙跃", "博远", "新航", "宏图", "正泰来", "安凯", "盛世源"];
const TRADES: [&str; 8] =
    ["精密机械", "新材料科技", "电气", "汽车部件", "医疗科技", "智能装备", "新能源", "纺织"];
const FORMS: [&str; 3] = ["有限公司", "股份有限公司", "(集团)有限公司"];
const STATUSES: [&str; 5] = ["前期", "拟建", "在建", "竣工", "停工"];
/// Digits and letters of a credit code.
const SIGNS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// SplitMix64: the same numbers for the same seed, on every machine and for ever.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below `end`.
    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

struct Row {
    cells: [String; COLUMNS.len()],
    broken: [bool; Rule::ALL.len()],
    /// In hundredths of 万元.
    total: u64,
    /// In ten-thousandths of a point.
    score: u64,
}

impl Row {
    /// A row that breaks nothing, with the project code of this number.
    fn sound(dice: &mut Dice, number: u64) -> Self {
        let total = match dice.below(10) {
            0..3 => 30_000 + dice.below(700_000), // 3 to 73 million yuan, to the last figure
            3..8 => 100_000 * (8 + dice.below(140)) + 55, // 8 to 148 million, nearly round
            _ => 1_000_000 * (1 + dice.below(300)), // up to 30 billion, round
        };
        let (planned, completed) = (total * dice.below(70) / 100, total * dice.below(101) / 100);
        let land = 5 * (4 + dice.below(900)); // tenths of a mu
        let admitted = dice.below(1400);
        let start = admitted + dice.below(240);
        let completion = start + 30 + dice.below(900);
        let form = if dice.below(100) < 3 { 1 + dice.below(3) } else { 0 };
        let cells = [
            project_code(number),
            project_name(dice),
            format!(
                "{}{}{}{}",
                dice.pick(&PLACES),
                dice.pick(&STYLES),
                dice.pick(&TRADES),
                dice.pick(&FORMS)
            ),
            credit_code(dice),
            dice.pick(&TOWNSHIPS).to_owned(),
            (1311 + dice.below(3000)).to_string(),
            decimal(total, 2),
            decimal(planned, 2),
            decimal(completed, 2),
            decimal(land, 1),
            date(admitted, form),
            date(start, form),
            date(completion, form),
            format!("1{}{:09}", 3 + dice.below(7), dice.below(1_000_000_000)),
            dice.pick(&STATUSES).to_owned(),
        ];
        let score =
            score(total as f64 / 1e2, planned as f64 / 1e2, completed as f64 / 1e2, land as f64 / 1e1);
        Self { cells, broken: [false; Rule::ALL.len()], total, score }
    }

    fn break_rule(&mut self, rule: Rule, dice: &mut Dice) {
        self.broken[rule as usize] = true;
        let cells = &mut self.cells;
        match rule {
            Rule::ProjectCode => match dice.below(4) {
                0 => cells[CODE].retain(|sign| sign != '-'),
                1 => cells[CODE].truncate(23),
                2 => cells[CODE].push('0'),
                _ => cells[CODE].replace_range(6..7, "X"),
            },
            Rule::CreditCode => match dice.below(4) {
                0 => cells[CREDIT].truncate(17),
                1 => cells[CREDIT].push('1'),
                2 => cells[CREDIT].replace_range(9..10, "I"),
                _ => cells[CREDIT].replace_range(14..15, "o"),
            },
            Rule::TotalInvestment => match dice.below(6) {
                0 => cells[TOTAL] = "0".to_owned(),
                1 | 2 => cells[TOTAL].insert(0, '-'),
                _ => cells[TOTAL] = dice.pick(&["待定", "约5亿", "12,000", "1.2.3", "无"]).to_owned(),
            },
            Rule::CompletedGtTotal => cells[COMPLETED] = decimal(self.total + 1 + dice.below(2_000_000), 2),
            // Work ends at least thirty days after it starts.
            Rule::DateOrder => cells.swap(START, COMPLETION),
            Rule::Township => cells[TOWNSHIP] = dice.pick(&NO_TOWNSHIPS).to_owned(),
            Rule::ContactPhone => match dice.below(4) {
                0 => cells[PHONE].truncate(10),
                1 => cells[PHONE].replace_range(0..4, "0519"),
                2 => cells[PHONE] = "无".to_owned(),
                _ => cells[PHONE].clear(),
            },
            Rule::Required => {
                let cell = dice.pick(&[CODE, NAME, COMPANY, CREDIT, TOWNSHIP, TOTAL, ADMITTED]);
                cells[cell].clear();
                let spared: &[Rule] = match cell {
                    CODE => &[Rule::ProjectCode],
                    CREDIT => &[Rule::CreditCode],
                    TOWNSHIP => &[Rule::Township],
                    TOTAL => &[Rule::TotalInvestment, Rule::CompletedGtTotal],
                    ADMITTED => &[Rule::DateOrder],
                    _ => &[],
                };
                spared.iter().for_each(|rule| self.broken[*rule as usize] = false);
            }
        }
    }

    /// Sound in most rows; a row may break several rules.
    fn new(dice: &mut Dice, number: u64) -> Self {
        let mut row = Self::sound(dice, number);
        for rule in Rule::ALL {
            if dice.below(10_000) < BROKEN {
                row.break_rule(rule, dice);
            }
        }
        // Nothing is above a total that is no amount.
        if row.broken[Rule::TotalInvestment as usize] {
            row.broken[Rule::CompletedGtTotal as usize] = false;
        }
        row
    }
}

/// The number-th code; no two numbers have the same.
fn project_code(number: u64) -> String {
    let scattered = number * 179_424_673 % MOST_ROWS; // a prime that divides nothing there
    let (serial, rest) = (scattered % 1_000_000, scattered / 1_000_000);
    let (month, district) = (rest % MONTHS, DISTRICTS[(rest / MONTHS) as usize]);
    let (year, month) = (21 + month / 12, 1 + month % 12);
    format!("{year}{month:02}-{district}-{}-{:02}-{serial:06}", 70 + serial % 20, 1 + serial % 4)
}

fn project_name(dice: &mut Dice) -> String {
    let (count, measure) = (1 + dice.below(950), dice.pick(&MEASURES));
    let name = format!("年产{count}{measure}{}{}项目", dice.pick(&GOODS), dice.pick(&WORKS));
    match dice.below(200) {
        0..6 => format!("{name}(一期,二期)"),
        6 => format!("{name}(\"十四五\"重点)"),
        _ => name,
    }
}

fn credit_code(dice: &mut Dice) -> String {
    let mut code = format!("91{}", dice.pick(&DISTRICTS));
    code.extend((0..10).map(|_| char::from(dice.pick(SIGNS))));
    code
}

/// A whole number of parts, of which ten to the `places` make one, without zeros at the end.
fn decimal(parts: u64, places: u32) -> String {
    let one = 10_u64.pow(places);
    let text = format!("{}.{:0width$}", parts / one, parts % one, width = places as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A day in a calendar of months of 28 days, which is as good as any for telling what comes first.
fn date(day: u64, form: u64) -> String {
    let (year, month, day) = (2021 + day / 336, 1 + day / 28 % 12, 1 + day % 28);
    match form {
        0 => format!("{year}-{month:02}-{day:02}"),
        1 => format!("{year}/{month:02}/{day:02}"),
        2 => format!("{year}年{month:02}月{day:02}日"),
        _ => format!("{year}{month:02}{day:02}"),
    }
}

/// What the pipeline's four dimensions make of a row, in ten-thousandths.
pub(crate) fn score(total: f64, planned: f64, completed: f64, land: f64) -> u64 {
    let scale = (total / 10_000.0).min(10.0);
    let progress = 10.0 * completed / total;
    let plan = (10.0 * planned / total).min(10.0);
    let intensity = (total / land.max(1.0) / 100.0).min(10.0);
    ((0.4 * scale + 0.3 * progress + 0.2 * plan + 0.1 * intensity) * 10_000.0).round() as u64
}

/// Writes header and rows, and tells what a right run makes of them.
pub(crate) fn rows(rows: u64, seed: u64, out: &mut impl Write) -> std::io::Result<Expected> {
    let mut dice = Dice(seed);
    let mut counts = [0_u64; Rule::ALL.len()];
    let (mut rejected, mut duplicates, mut total, mut score) = (0, 0, 0, 0);
    // Of each project code that was given out: was it on a row that broke nothing?
    let mut kept: Vec<bool> = Vec::new();
    writeln!(out, "{}", COLUMNS.join(","))?;
    for _ in 0..rows {
        let number = if !kept.is_empty() && dice.below(100) < REPEATED {
            dice.below(kept.len() as u64)
        } else {
            kept.push(false);
            kept.len() as u64 - 1
        };
        let row = Row::new(&mut dice, number);
        write_row(&row.cells, out)?;
        if row.broken.contains(&true) {
            rejected += 1;
            counts.iter_mut().zip(row.broken).for_each(|(count, broken)| *count += u64::from(broken));
        } else if std::mem::replace(&mut kept[number as usize], true) {
            duplicates += 1;
        } else {
            total += row.total;
            score += row.score;
        }
    }
    Ok(Expected {
        rows,
        valid: rows - rejected - duplicates,
        duplicates,
        rejected,
        reasons: Rule::ALL.iter().zip(counts).map(|(rule, count)| (rule.name().to_owned(), count)).collect(),
        sum_total: total as f64 / 1e2,
        sum_score: score as f64 / 1e4,
    })
}

fn write_row(cells: &[String], out: &mut impl Write) -> std::io::Result<()> {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            out.write_all(b",")?;
        }
        if cell.contains([',', '"']) {
            write!(out, "\"{}\"", cell.replace('"', "\"\""))?;
        } else {
            out.write_all(cell.as_bytes())?;
        }
    }
    out.write_all(b"\n")
}

/// Where the expectation of a file stands.
pub(crate) fn expectation(file: &Path) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(".expected.json");
    path.into()
}

/// Writes the file, then its expectation: where that is, the file is whole.
pub(crate) fn file(count: u64, seed: u64, path: &Path) -> Result<Expected> {
    let write = || -> Result<Expected> {
        let _ = fs::remove_file(expectation(path));
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        let expected = rows(count, seed, &mut out)?;
        out.flush()?;
        fs::write(expectation(path), serde_json::to_string(&expected)? + "\n")?;
        Ok(expected)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
