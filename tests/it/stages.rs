//! Stages as shared libraries: the built-in ones do the same as when linked in, plugins in Rust and C work,
//! and bad ones cost no more than what they were given.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Home, root, small_pipeline};

/// A shared library that cargo built beside this test.
fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test.parent().unwrap().join(format!("lib{name}.so"));
    assert!(path.exists(), "cargo builds `{}` with the tests", path.display());
    path
}

/// Compiles a C source of the tree.
fn compile(source: &str, to: &Path, flags: &[&str]) {
    let root = root();
    let mut cc = Command::new("cc");
    cc.args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]).args(flags);
    cc.arg("-I").arg(root.join("crates/huiliu-abi/include")).arg("-I").arg(root.join("plugins/example-c"));
    let done = cc.arg("-o").arg(to).arg(root.join(source)).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Gives a home a plugin folder with these libraries.
fn install(home: &mut Home, libraries: &[&str]) -> PathBuf {
    let folder = home.path("plugins");
    fs::create_dir_all(&folder).unwrap();
    for name in libraries {
        std::os::unix::fs::symlink(built(name), folder.join(format!("{name}.so"))).unwrap();
    }
    home.options = vec!["--plugins".to_owned(), folder.to_string_lossy().into_owned()];
    folder
}

const BUILTIN: [&str; 6] = [
    "huiliu_validate",
    "huiliu_dedup",
    "huiliu_commitment",
    "huiliu_score",
    "huiliu_derive",
    "huiliu_classify",
];
/// The stages in them.
pub(crate) const STAGES: [&str; 11] = [
    "classify",
    "commitment",
    "dedup",
    "derive",
    "filter",
    "history",
    "land_start",
    "lifecycle",
    "lookup",
    "score",
    "validate",
];

#[test]
fn built_in_stages_do_the_same_linked_in_and_loaded() {
    let mut linked = Home::shipped();
    linked.drop_samples();
    linked.once().expect(0);

    let mut loaded = Home::shipped();
    install(&mut loaded, &BUILTIN);
    loaded.options.push("--without-builtin".to_owned());
    let listed = loaded.huiliu(&loaded.with_options(&["stages", "--json"])).expect(0);
    let stages = listed.json()["stages"].as_array().unwrap().clone();
    assert_eq!(stages.len(), STAGES.len(), "{stages:#?}");
    assert!(stages.iter().all(|stage| stage["builtin"] == false), "{stages:#?}");
    loaded.drop_samples();
    loaded.once().expect(0);

    loaded.picture().assert_same(&linked.picture(), "loaded and linked in");
}

const ROWS: &str = "项目名称,挂钩领导,联系电话\n一号泵站,暂无,13812345678\n二号泵站,李某,0519-12345678\n";

#[test]
fn a_plugin_in_rust_and_one_in_c_work_in_one_pipeline() {
    let stages = "[{spot_placeholders: {column: leader}}, {mask_phone: {columns: [phone]}}]";
    let mut home = Home::new(&small_pipeline("plugins", "inbox", stages, "[{jsonl: {path: out}}]"));
    let folder = install(&mut home, &["huiliu_example"]);
    compile("plugins/example-c/placeholders.c", &folder.join("in-c.so"), &[]);
    home.drop_file("甲/a.csv", ROWS.as_bytes());
    home.once().expect(0);

    let phones: Vec<_> =
        home.lines("out").iter().map(|row| row["phone"].as_str().unwrap().to_owned()).collect();
    assert_eq!(phones, ["138****5678", "051******5678"]);
    let receipt = home.receipt("a.");
    let finding = &receipt["findings"][0];
    assert_eq!(receipt["findings_total"], 1, "{receipt:#}");
    assert_eq!(finding["code"], "placeholder");
    assert_eq!(finding["row"], 2);
    assert_eq!(finding["raw"], "暂无");
    assert_eq!(finding["message"], "这里填的是占位词，不是内容；请填写实际内容，没有则留空");
}

#[test]
fn what_is_no_plugin_is_refused_with_its_reason_and_the_daemon_goes_on() {
    let mut home = Home::new(&small_pipeline("plugins", "inbox", "[validate]", "[{jsonl: {path: out}}]"));
    let folder = install(&mut home, &[]);
    fs::write(folder.join("text.so"), "说明\n").unwrap();
    compile("crates/huiliu-abi/tests/fixtures/faulty.c", &folder.join("version.so"), &["-DVERSION=7"]);
    compile("crates/huiliu-abi/tests/fixtures/faulty.c", &folder.join("entry.so"), &["-DENTRY=other"]);
    std::os::unix::fs::symlink(built("huiliu_score"), folder.join("score.so")).unwrap();
    let reasons = [
        "text.so` is not a shared library: it is a text file",
        "version.so` has ABI version 7, this program wants 1; build it against the `huiliu.h` of this program",
        "entry.so` is a library but no plugin: it exports no symbol `huiliu_plugin_v1`",
        "stage `score` of `",
    ];

    let listed = home.huiliu(&home.with_options(&["stages"])).expect(78);
    for stage in STAGES {
        assert!(listed.out.contains(stage), "the others are there: {}", listed.out);
    }
    let checked = home.check().expect(78);
    home.drop_file("甲/a.csv", ROWS.as_bytes());
    let ran = home.once().expect(0);
    for said in [&listed.err, &checked.err, &ran.err] {
        for reason in reasons {
            assert!(said.contains(reason), "`{reason}` is not in\n{said}");
        }
    }
    assert_eq!(home.lines("out").len(), 2, "the daemon goes on without them");
}

#[test]
fn a_stage_that_panics_or_loses_rows_costs_its_delivery_and_nothing_else() {
    for (stage, told) in [
        (
            "panics: {when: finish}",
            "stage `panics` of plugin `huiliu-example-faulty` panicked: the end was too much; it is not called again",
        ),
        ("loses: {}", "stage `loses` "),
    ] {
        let faulty =
            small_pipeline("faulty", "faulty", &format!("[{{{stage}}}]"), "[{jsonl: {path: out/faulty}}]");
        let sound = small_pipeline("sound", "inbox", "[validate]", "[{jsonl: {path: out/sound}}]");
        let mut home = Home::new(&sound);
        home.write("pipelines/faulty.yaml", faulty.as_bytes());
        home.config = home.path("pipelines");
        install(&mut home, &["huiliu_example_faulty"]);
        let mut daemon = home.start();
        daemon.hear("ready");

        for number in 1..=2 {
            home.write(
                &format!("data/faulty/甲/{number}.csv.part"),
                format!("{ROWS}{number}号泵站,1,\n").as_bytes(),
            );
            let to = home.data(&format!("faulty/甲/{number}.csv"));
            fs::rename(home.data(&format!("faulty/甲/{number}.csv.part")), to).unwrap();
            home.drop_file(&format!("甲/{number}.csv"), format!("{ROWS}{number}号泵站,1,\n").as_bytes());
            daemon.wait("two answers more", || home.answered() == 2 * number);
        }
        assert!(daemon.stop().success(), "{stage}");
        home.once().expect(0);
        assert_eq!(home.lines("out/sound").len(), 6);
        assert!(home.names("out/faulty").is_empty());
        let refused: Vec<_> =
            home.deliveries().into_iter().filter(|delivery| delivery["state"] == "refused").collect();
        assert_eq!(refused.len(), 2, "{refused:#?}");
        for delivery in refused {
            let id = delivery["id"].as_str().unwrap();
            let shown = home.huiliu(&["deliveries", id, "--json"]).expect(0).json();
            let finding = &shown["findings"][0]["finding"];
            assert_eq!(finding["code"], "stage-failed", "{shown:#}");
            assert!(finding.to_string().contains(told), "`{told}` is not in {finding:#}");
        }
    }
}

#[test]
fn a_stage_that_panics_when_it_is_opened_is_a_wrong_configuration() {
    let mut home =
        Home::new(&small_pipeline("faulty", "inbox", "[{panics: {when: open}}]", "[{jsonl: {path: out}}]"));
    install(&mut home, &["huiliu_example_faulty"]);
    let checked = home.check().expect(78);
    assert!(checked.err.contains("panicked"), "{}", checked.err);
    assert!(checked.err.contains("pipeline.yaml:15:"), "{}", checked.err);
}
