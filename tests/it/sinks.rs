//! Sinks go at their own pace: one that is broken holds up nobody, and catches up once it is mended.

use std::fs;

use crate::support::{Home, small_pipeline};

const SINKS: &str = "[{jsonl: {path: out/good}}, {csv: {path: out/broken}}, {parquet: {path: out/parquet}}]";

#[test]
fn a_broken_sink_stops_no_other_and_catches_up_when_it_is_mended() {
    let mut home = Home::new(&small_pipeline("sinks", "inbox", "[validate]", SINKS));
    // Where a folder should be, there is a file.
    let in_the_way = home.write("data/out/broken", b"in the way");
    let mut daemon = home.start();
    daemon.hear("ready");
    for number in 1..=3 {
        home.drop_file(&format!("甲/{number}.csv"), format!("项目名称\n{number}号泵站\n").as_bytes());
        daemon.wait("the other sinks", || home.names("out/good").len() == number);
        daemon.wait("the answer", || home.answered() == number);
    }
    daemon.hear("sink failed");
    daemon.wait("the third sink", || home.names("out/parquet").len() == 3);
    fs::remove_file(in_the_way).unwrap();
    daemon.wait("the broken sink to catch up", || home.names("out/broken").len() == 3);
    assert!(daemon.stop().success());
    home.once().expect(0);
    assert!(home.names("log").is_empty(), "what every sink has taken is not kept: {:?}", home.names("log"));
}

#[test]
fn a_sink_that_stays_broken_makes_the_exit_code_1_and_loses_nothing() {
    let mut home = Home::new(&small_pipeline("sinks", "inbox", "[validate]", SINKS));
    let in_the_way = home.write("data/out/broken", b"in the way");
    home.drop_file("甲/a.csv", "项目名称\n一号泵站\n".as_bytes());
    let ended = home.once().expect(1);
    assert!(ended.err.contains("sink `csv` of pipeline `sinks` is behind"), "{}", ended.err);
    assert_eq!((home.names("out/good").len(), home.names("archive").len()), (1, 1));
    fs::remove_file(in_the_way).unwrap();
    home.once().expect(0);
    assert_eq!(home.names("out/broken").len(), 1);
}

#[test]
fn a_text_that_looks_like_a_formula_is_disarmed_in_csv() {
    let mut home = Home::new(&small_pipeline("sinks", "inbox", "[validate]", SINKS));
    home.drop_file("甲/a.csv", "项目名称,挂钩领导\n\"=HYPERLINK(\"\"http://x\"\")\",@李某\n".as_bytes());
    home.once().expect(0);
    let files = home.files("out/broken");
    let text = String::from_utf8_lossy(files.values().next().unwrap()).into_owned();
    assert!(text.contains("'=HYPERLINK") && text.contains("'@李某"), "{text}");
    assert_eq!(home.lines("out/good")[0]["leader"], "@李某", "programs get it as it was sent");
}
