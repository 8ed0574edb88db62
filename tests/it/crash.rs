//! Killed at any moment, the daemon goes on where it was: nothing is lost, nothing is there twice.
//!
//! Two hundred files go through a daemon that is killed again and again, and through one that is left in
//! peace. Both must leave the same register, sinks, receipts, quarantine and ledger, byte for byte.

use std::time::{Duration, Instant};

use crate::support::Home;

const PIPELINE: &str = r#"
pipeline: projects
record:
  record: project
  fields:
    - {name: project_code}
    - {name: project_name, required: true}
    - {name: owner_name}
    - {name: total_investment, type: money, unit: 万元, min: 0}
    - {name: ytd_investment, type: money, unit: 万元, min: 0}
    - {name: tags, type: list}
source:
  folder: {path: "inbox/{department}", settle_ms: 0}
receipts: json
stages:
  - validate:
      rules:
        - {id: within-total, check: ytd_investment <= total_investment, message: 年度累计完成投资不能大于总投资}
  - dedup:
      match: [{fields: [project_code]}]
      merge: {fields: {tags: union}}
  - score:
      unscored: off
      dimensions: [{name: size, weight: 10, value: total_investment, linear: {full: 100000}}]
sinks:
  - register: {}
  - jsonl: {path: out/records}
  - jsonl: {name: rejects, path: out/rejects, take: rejects}
  - csv: {path: out/table}
  - parquet: {path: out/parquet}
"#;

const FILES: usize = 200;
const KILLS: usize = 50;

/// Numbers that look random and can be had again (xorshift).
struct Chance(u64);

impl Chance {
    /// A number below `end`.
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// The files: from four departments, a few rows each, telling of sixty projects again and again; some rows
/// are wrong, some files cannot be read, some are sent twice.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut chance = Chance(0x5eed_0f11);
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for number in 0..FILES {
        let department = ["发改局", "水务局", "湖塘镇", "武进高新区"][number % 4];
        let place = |ending: &str| format!("{department}/第{number}份.{ending}");
        if number % 41 == 40 {
            files.push((place("xlsx"), format!("no workbook, the {number}th").into_bytes()));
            continue;
        }
        if number % 23 == 22 {
            let (_, content) = files[number - 4].clone();
            let ending = if content.starts_with(b"no workbook") { "xlsx" } else { "csv" };
            files.push((place(ending), content));
            continue;
        }
        let mut text =
            "项目代码,项目名称,建设单位,总投资(万元),年度累计完成投资(万元),标签,网格员\n".to_owned();
        for row in 0..1 + chance.below(4) {
            let project = chance.below(60);
            let name = if chance.below(12) == 0 { String::new() } else { format!("{project}号泵站") };
            let owner = ["", "示例甲公司", "示例乙公司"][chance.below(3) as usize];
            let total = 1000 + chance.below(90_000);
            let done = if chance.below(9) == 0 { total + 1 } else { total / 2 };
            let done = if chance.below(15) == 0 { "约一半?".to_owned() } else { done.to_string() };
            let tag = ["省重大", "市重点", "民生"][chance.below(3) as usize];
            text += &format!("P-{project:03},{name},{owner},{total},{done},{tag},{number}.{row}\n");
        }
        files.push((place("csv"), text.into_bytes()));
    }
    files
}

fn seed() -> u64 {
    match std::env::var("HUILIU_SEED") {
        Ok(text) => text.parse().expect("HUILIU_SEED is a number"),
        Err(_) => {
            use std::hash::{BuildHasher, RandomState};
            RandomState::new().hash_one(0) | 1
        }
    }
}

#[test]
fn killed_fifty_times_it_leaves_what_an_undisturbed_run_leaves() {
    let files = files();
    let mut calm = Home::new(PIPELINE);
    for (place, content) in &files {
        calm.drop_file(place, content);
    }
    calm.once().expect(1);
    let expected = calm.picture();

    let seed = seed();
    eprintln!("HUILIU_SEED={seed} kills at the same moments, as far as the machine allows");
    let mut chance = Chance(seed);
    let mut home = Home::new(PIPELINE);
    let mut files = files.iter();
    let mut ready_after = Duration::from_millis(200);
    let mut answered_at_kills = Vec::new();
    for round in 0..KILLS {
        // Some files are there when it starts, others come while it starts or runs.
        let mut coming = files.by_ref().take(FILES / KILLS);
        let before = chance.below(4) as usize;
        for (place, content) in coming.by_ref().take(before) {
            home.drop_file(place, content);
        }
        let started = Instant::now();
        let mut daemon = home.start();
        let early = round % 5 == 4;
        if !early {
            daemon.hear("ready");
        }
        for (place, content) in coming {
            home.drop_file(place, content);
        }
        // From before it opens its store until it is done with all there is.
        let span = if early { ready_after } else { Duration::from_millis(120) };
        let moment = Duration::from_micros(chance.below(span.as_micros() as u64));
        if !early {
            ready_after = started.elapsed();
        }
        std::thread::sleep(moment);
        daemon.kill();
        answered_at_kills.push(home.answered());
    }
    assert!(files.next().is_none(), "all files were dropped");
    home.once();
    eprintln!("deliveries answered at each kill: {answered_at_kills:?}");
    home.picture().assert_same(&expected, &format!("HUILIU_SEED={seed}"));
}
