//! How many processors work at record linkage changes how long it takes and nothing of what comes out.

use std::fmt::Write;

use crate::support::{Home, root};

const DEPARTMENTS: [&str; 2] = ["发改局", "住建局"];
/// Rows of a file; fewer than a few hundred are not shared out among threads.
const ROWS: usize = 700;

/// The shipped pipeline, with so many threads for likeness.
fn home(threads: usize) -> Home {
    let mut home = Home::shipped();
    let mut folders = vec![root().join("pipelines")];
    while let Some(folder) = folders.pop() {
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            let place = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            match path.is_dir() {
                true => folders.push(path),
                false => drop(home.write(&place, &std::fs::read(path).unwrap())),
            }
        }
    }
    home.config = home.path("pipelines/projects.yaml");
    let shipped = std::fs::read_to_string(&home.config).unwrap();
    let with = shipped.replacen("      link:\n", &format!("      link:\n        threads: {threads}\n"), 1);
    assert_ne!(with, shipped, "the shipped pipeline recognises by likeness");
    std::fs::write(&home.config, with).unwrap();
    home
}

/// Projects as a department writes them: most are sent by both, each in its own words, many without a code.
fn file(department: usize) -> String {
    let mut text = "项目名称,建设单位,建设地点,总投资（万元）\n".to_owned();
    let (companies, products) =
        (["恒立智能", "宏源新材料", "金石水务", "远东电缆"], ["传感器", "树脂", "光伏组件"]);
    for row in 0..ROWS {
        let (company, product) = (companies[row % 4], products[row / 4 % 3]);
        let (phase, site, total) = (row / 12 % 3, row / 36, 1_000 + 37 * (row / 12));
        let phase = ["一期", "二期", "三期"][phase];
        let _ = match department {
            0 => writeln!(
                text,
                "江苏{company}有限公司年产{}万套{product}项目{phase},江苏{company}有限公司,湖塘镇第{site}大道{row}号,{total}",
                site + 1
            ),
            _ => writeln!(
                text,
                "{company}年产{}万套{product}生产线建设项目({phase}),江苏{company}有限公司,第{site}大道{row}号,{total}.5",
                site + 1
            ),
        };
    }
    text
}

#[test]
fn one_two_and_four_threads_give_the_same_registers_and_exports_byte_for_byte() {
    let run = |threads: usize| {
        let mut home = home(threads);
        for (number, department) in DEPARTMENTS.into_iter().enumerate() {
            home.drop_file(&format!("{department}/月报.csv"), file(number).as_bytes());
        }
        home.once().expect(0);
        let state = {
            let store = home.store();
            let mut state = Vec::new();
            let slots = store.slots().unwrap();
            for slot in slots.into_iter().filter(|slot| slot.ends_with("/dedup")) {
                huiliu_pipeline::ports::Store::state_scan(&store, &slot, b"", &mut |key, value| {
                    state.push((key.to_vec(), value.to_vec()));
                    true
                })
                .unwrap();
            }
            state
        };
        (home.picture().outcome(), state)
    };
    let (one, of_one) = run(1);
    let linked = of_one.iter().filter(|(key, _)| key.starts_with(b"n/")).count();
    assert!(linked >= ROWS, "{linked} rows were asked of likeness");
    for threads in [2, 4] {
        let (outcome, state) = run(threads);
        assert!(outcome == one, "with {threads} threads something else came out");
        assert!(state == of_one, "with {threads} threads the stage keeps something else");
    }
}
