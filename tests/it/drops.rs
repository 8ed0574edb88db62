//! Files as programs really write them: slowly, with their full size first, linked, renamed, truncated and written
//! again, with times of another day. Nothing may be read that is not the whole of what somebody wrote.
//!
//! `HUILIU_DROPS=10000 ./tests/run drops` makes as many drops in place of some hundred.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use huiliu_pipeline::ports::{LedgerEntry, State};
use huiliu_store::{DeliveryFilter, SqliteStore};

use crate::support::{Daemon, Home, samples, small_pipeline};

/// Writers at work at the same time, each in a department of its own.
const WRITERS: usize = 8;
/// What a slow writer waits between two pieces: part of what is tried here, not a wait for something.
const PAUSE: Duration = Duration::from_millis(15);

/// The ways in which a file comes. `Twice` and `Corrected` need an earlier one.
#[derive(Clone, Copy, Debug)]
enum Way {
    Slowly,
    SizeFirst,
    Renamed,
    Linked,
    Rewritten,
    OldTimes,
    TimesAhead,
    InRounds,
    Corrected,
    Twice,
}

const WAYS: [Way; 10] = [
    Way::Slowly,
    Way::SizeFirst,
    Way::Renamed,
    Way::Linked,
    Way::Rewritten,
    Way::OldTimes,
    Way::TimesAhead,
    Way::InRounds,
    Way::Corrected,
    Way::Twice,
];

/// What one writer has written: the contents that are whole, and those that must be read.
#[derive(Default)]
struct Written {
    whole: BTreeSet<String>,
    needed: BTreeSet<String>,
    /// By file name, the contents in their order.
    versions: BTreeMap<String, Vec<String>>,
    last: Option<Vec<u8>>,
}

impl Written {
    fn note(&mut self, content: &[u8], needed: bool) {
        let hash = blake3::hash(content).to_hex().to_string();
        if needed {
            self.needed.insert(hash.clone());
        }
        self.whole.insert(hash);
    }
}

/// A file of forty rows that no other drop has: a table, lines of JSON or a workbook.
fn content(writer: usize, number: usize, version: usize) -> (Vec<u8>, &'static str) {
    let name = |row: usize| format!("{writer}-{number}-{version} 号泵站 {row}");
    match number % 3 {
        0 => {
            let rows = (0..40).map(|row| format!("{},{row},2026-03-0{}\n", name(row), row % 9 + 1));
            (format!("项目名称,总投资(万元),开工时间\n{}", rows.collect::<String>()).into_bytes(), "csv")
        }
        1 => {
            let row = |row| format!("{{\"project_name\":\"{}\",\"total_investment\":{row}}}\n", name(row));
            ((0..40).map(row).collect::<String>().into_bytes(), "jsonl")
        }
        _ => {
            // A workbook becomes another one by the comment behind its end record.
            let mut bytes = samples().into_iter().find(|(place, _)| place.ends_with(".xlsx")).unwrap().1;
            let comment = name(0);
            let end = bytes.len() - 2;
            bytes[end..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
            bytes.extend(comment.as_bytes());
            (bytes, "xlsx")
        }
    }
}

/// Writes in pieces that end anywhere.
fn slowly(file: &mut File, content: &[u8]) {
    for piece in content.chunks(content.len() / 7 + 1) {
        file.write_all(piece).unwrap();
        std::thread::sleep(PAUSE);
    }
}

/// Writes under a name that is never read.
fn aside(path: &Path, content: &[u8]) -> PathBuf {
    let part = path.with_file_name(format!("{}.part", path.file_name().unwrap().to_string_lossy()));
    fs::write(&part, content).unwrap();
    part
}

/// One drop. What is written is noted before it can be seen.
fn drop_one(folder: &Path, writer: usize, number: usize, written: &mut Written) {
    let way = WAYS[number % WAYS.len()];
    let (bytes, ending) = content(writer, number, 0);
    let name = format!("{number}.{ending}");
    let path = folder.join(&name);
    let replaced = matches!(way, Way::Rewritten | Way::Corrected);
    if !matches!(way, Way::Twice) {
        written.note(&bytes, !replaced);
    }
    let day = Duration::from_secs(86_400);
    match way {
        Way::Slowly => slowly(&mut File::create(&path).unwrap(), &bytes),
        Way::SizeFirst => {
            let mut file = File::create(&path).unwrap();
            file.set_len(bytes.len() as u64).unwrap();
            file.seek(SeekFrom::Start(0)).unwrap();
            slowly(&mut file, &bytes);
        }
        Way::Renamed => fs::rename(aside(&path, &bytes), &path).unwrap(),
        Way::Linked => {
            let part = aside(&path, &bytes);
            fs::hard_link(&part, &path).unwrap();
            fs::remove_file(part).unwrap();
        }
        Way::Rewritten => {
            let (second, _) = content(writer, number, 1);
            written.note(&second, true);
            slowly(&mut File::create(&path).unwrap(), &bytes);
            slowly(&mut File::create(&path).unwrap(), &second);
        }
        Way::OldTimes | Way::TimesAhead => {
            let now = SystemTime::now();
            let time = if matches!(way, Way::OldTimes) { now - 900 * day } else { now + day };
            let mut file = File::create(&path).unwrap();
            for piece in bytes.chunks(bytes.len() / 7 + 1) {
                file.write_all(piece).unwrap();
                file.set_modified(time).unwrap();
                std::thread::sleep(PAUSE);
            }
        }
        Way::InRounds => {
            for piece in bytes.chunks(bytes.len() / 4 + 1) {
                let mut file = File::options().create(true).append(true).open(&path).unwrap();
                file.write_all(piece).unwrap();
                drop(file);
                std::thread::sleep(PAUSE);
            }
        }
        Way::Corrected => {
            let (second, _) = content(writer, number, 1);
            written.note(&second, true);
            let hash = |bytes: &[u8]| blake3::hash(bytes).to_hex().to_string();
            written.versions.insert(name, vec![hash(&bytes), hash(&second)]);
            fs::rename(aside(&path, &bytes), &path).unwrap();
            slowly(&mut File::create(folder.join("pause.part")).unwrap(), b"the first may be read meanwhile");
            fs::rename(aside(&path, &second), &path).unwrap();
        }
        Way::Twice => {
            let earlier = written.last.clone().unwrap();
            fs::rename(aside(&path, &earlier), &path).unwrap();
        }
    }
    written.last = Some(match replaced {
        true => content(writer, number, 1).0,
        false if matches!(way, Way::Twice) => written.last.take().unwrap(),
        false => bytes,
    });
}

/// All writers at work, `drops` in all.
fn drop_all(inbox: &Path, drops: usize) -> Written {
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let folder = inbox.join(format!("部门{writer}"));
            fs::create_dir_all(&folder).unwrap();
            std::thread::spawn(move || {
                let mut written = Written::default();
                for number in 0..drops.div_ceil(WRITERS) {
                    drop_one(&folder, writer, number, &mut written);
                }
                written
            })
        })
        .collect();
    let mut all = Written::default();
    for written in writers.into_iter().map(|writer| writer.join().unwrap()) {
        all.whole.extend(written.whole);
        all.needed.extend(written.needed);
        for (name, versions) in written.versions {
            all.versions.insert(format!("{name} {}", versions[0]), versions);
        }
    }
    all
}

fn ledger(home: &Home) -> Vec<LedgerEntry> {
    let Ok(store) = SqliteStore::open_reader(&home.data("")) else { return Vec::new() };
    store.deliveries(&DeliveryFilter::default()).unwrap_or_default()
}

fn wait_for_all(daemon: &mut Daemon, home: &Home) {
    let left = || {
        let folders = fs::read_dir(home.data("inbox")).unwrap().map(|folder| folder.unwrap().path());
        let files = folders.flat_map(|folder| fs::read_dir(folder).unwrap());
        files.filter(|file| !file.as_ref().unwrap().path().to_string_lossy().ends_with(".part")).count()
    };
    let mut before = usize::MAX;
    while before > 0 {
        daemon.wait("smaller inbox", || left() < before);
        before = left();
    }
    daemon.wait("last answer", || ledger(home).iter().all(|entry| entry.answered));
}

/// Whatever was read was the whole of what was written, and all of it was read.
fn check(home: &Home, written: &Written) {
    let entries = ledger(home);
    let read: BTreeSet<String> = entries.iter().map(|entry| entry.delivery.content_hash.clone()).collect();
    let torn: Vec<_> = entries.iter().filter(|e| !written.whole.contains(&e.delivery.content_hash)).collect();
    assert!(torn.is_empty(), "{} torn reads: {torn:#?}", torn.len());
    let missing = written.needed.difference(&read).count();
    assert_eq!(missing, 0, "of {} contents", written.needed.len());
    for entry in &entries {
        assert_eq!(entry.state, State::Committed, "{entry:#?}");
        assert_eq!(entry.codes.get("cut-off"), None, "{entry:#?}");
    }
    for versions in written.versions.values() {
        let of = |hash: &str| entries.iter().find(|entry| entry.delivery.content_hash == hash);
        if let (Some(first), Some(second)) = (of(&versions[0]), of(&versions[1])) {
            assert_eq!(second.supersedes.as_ref(), Some(&first.delivery.id), "{second:#?}");
        }
    }
    for (name, content) in home.files("archive") {
        assert!(written.whole.contains(&blake3::hash(&content).to_hex().to_string()), "{name} is torn");
    }
    assert_eq!(home.names("spool"), [""; 0], "no copy is left");
}

fn try_drops(folder_options: &str, drops: usize) {
    let pipeline = small_pipeline("drops", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let home = Home::new(&pipeline.replace("settle_ms: 0", folder_options));
    let mut daemon = home.start();
    daemon.hear("ready");
    let drops = std::env::var("HUILIU_DROPS").ok().and_then(|text| text.parse().ok()).unwrap_or(drops);
    let written = drop_all(&home.data("inbox"), drops);
    wait_for_all(&mut daemon, &home);
    assert!(daemon.stop().success());
    check(&home, &written);
}

#[test]
fn drops_on_a_local_disk_are_never_read_before_they_are_complete() {
    try_drops("settle_ms: 200, quiet_secs: 2", 160);
}

#[test]
fn drops_on_a_share_are_never_read_before_they_are_complete() {
    try_drops("poll: always, poll_secs: 0.2, quiet_secs: 3", 80);
}

#[test]
fn a_file_that_looks_cut_off_is_waited_for_and_then_told_of() {
    let pipeline = small_pipeline("drops", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let options = "settle_ms: 50, quiet_secs: 0.2, unfinished_secs: 1.5";
    let home = Home::new(&pipeline.replace("settle_ms: 0", options));
    let mut daemon = home.start();
    daemon.hear("ready");
    let rows: String = (0..6).map(|row| format!("{row} 号泵站,{row},2026-03-01\n")).collect();
    home.write("data/inbox/甲/a.csv", format!("项目名称,总投资(万元),开工时间\n{rows}七号泵站,1").as_bytes());
    daemon.hear("it looks cut off after row 7");
    assert_eq!(home.answered(), 0, "it is waited for");
    daemon.wait("an answer", || home.answered() == 1);
    assert!(daemon.stop().success());
    let receipt = home.receipt("a");
    assert_eq!(receipt["state"], "committed", "{receipt:#}");
    let told = |text: &str| {
        let findings = receipt["findings"].as_array().unwrap().iter();
        findings.filter(|f| f["code"] == "cut-off").any(|f| f["message"].as_str().unwrap().contains(text))
    };
    assert!(told("在第 7 行之后被截断"), "{receipt:#}");
    assert!(told("第8行是文件的最后一行，格数不足"), "the row waits for a person: {receipt:#}");
}

#[test]
fn the_end_of_a_file_may_come_late() {
    let pipeline = small_pipeline("drops", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let home = Home::new(&pipeline.replace("settle_ms: 0", "settle_ms: 50, quiet_secs: 0.2"));
    let mut daemon = home.start();
    daemon.hear("ready");
    let bytes = samples().into_iter().find(|(place, _)| place.ends_with(".xlsx")).unwrap().1;
    let path = home.write("data/inbox/甲/a.xlsx", &bytes[..bytes.len() / 2]);
    daemon.hear("the file is not finished");
    File::options().append(true).open(path).unwrap().write_all(&bytes[bytes.len() / 2..]).unwrap();
    daemon.wait("an answer", || home.answered() == 1);
    assert!(daemon.stop().success());
    assert_eq!(home.receipt("a")["state"], "committed");
}

#[test]
fn a_file_that_is_open_in_an_office_program_is_waited_for_and_its_user_named() {
    let pipeline = small_pipeline("drops", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let mut home = Home::new(&pipeline.replace("settle_ms: 0", "settle_ms: 50, quiet_secs: 0.2"));
    let lock =
        home.write("data/inbox/甲/.~lock.a.csv#", "王小明,wang,PC-7,24.11.2026 09:00,file:///x;".as_bytes());
    let mut daemon = home.start();
    daemon.hear("ready");
    home.drop_file("甲/a.csv", "项目名称\n一号泵站\n".as_bytes());
    daemon.hear("王小明");
    assert_eq!(home.answered(), 0);
    fs::remove_file(lock).unwrap();
    daemon.wait("an answer", || home.answered() == 1);
    assert!(daemon.stop().success());
}

#[test]
fn a_single_run_leaves_what_is_not_complete() {
    let pipeline = small_pipeline("drops", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let home = Home::new(&pipeline.replace("settle_ms: 0", "settle_ms: 50, quiet_secs: 0.2"));
    home.write("data/inbox/甲/whole.csv", "项目名称\n一号泵站\n".as_bytes());
    home.write("data/inbox/甲/empty.csv", b"");
    home.write("data/inbox/甲/cut.jsonl", b"{\"project_name\":");
    home.write("data/inbox/甲/open.csv", "项目名称\n二号泵站\n".as_bytes());
    home.write("data/inbox/甲/.~lock.open.csv#", b"wang,;");
    let ended = home.once().expect(0);
    assert_eq!(ended.err.matches("left for the next run").count(), 3, "{}", ended.err);
    assert_eq!(home.names("archive").len(), 1);
    assert_eq!(home.names("inbox").len(), 4);
}

#[test]
fn a_correction_is_told_as_such_with_what_it_leaves_out() {
    let stages = "[validate: {}, dedup: {match: [{fields: [project_name]}], merge: {fields: {total_investment: max}}}]";
    let mut home = Home::new(&small_pipeline("drops", "inbox", stages, "[{jsonl: {path: out}}]"));
    for rows in ["一号泵站,50\n二号泵站,6", "一号泵站,5"] {
        home.drop_file("甲/四月.csv", format!("项目名称,总投资(万元)\n{rows}\n").as_bytes());
        home.once().expect(0);
    }
    let entries = ledger(&home); // Newest first.
    let file = format!("四月.{}.回执.json", entries[0].delivery.id);
    let receipts = home.files("outbox");
    let receipt = receipts.iter().find(|(name, _)| name.ends_with(&file)).map(|(_, bytes)| bytes);
    let receipt = receipt.unwrap_or_else(|| panic!("no {file} in {:?}", receipts.keys()));
    let receipt: serde_json::Value = serde_json::from_slice(receipt).unwrap();
    assert_eq!(receipt["corrects"]["delivery"], *entries[1].delivery.id, "{receipt:#}");
    assert_eq!(receipt["corrects"]["received"], "2026-05-08T09:00:00+08:00");
    let found = receipt["findings"].as_array().unwrap().iter().find(|found| found["code"] == "left-out");
    let message = found.unwrap_or_else(|| panic!("{receipt:#}"))["message"].to_string();
    assert!(message.contains("这次没有（或有错误未采用）的记录：二号泵站；"), "{message}");
    let lines = home.lines("out");
    assert!(lines.iter().any(|line| line["total_investment"] == 5), "the correction counts: {lines:#?}");
}

#[test]
fn a_correction_that_is_taken_back_is_a_correction_too() {
    let pipeline = small_pipeline(
        "projects",
        "inbox",
        "[{dedup: {match: [{fields: [project_code]}]}}]",
        "[register, {jsonl: {path: out}}]",
    );
    let mut home = Home::new(&pipeline);
    let total = |home: &Home| {
        home.huiliu(&["explain", "P-1", "--json"]).expect(0).json()["record"]["data"]["total_investment"]
            .clone()
    };
    for (amount, deliveries) in [(1, 1), (2, 2), (1, 3), (1, 3), (2, 4)] {
        let content = format!("项目代码,项目名称,总投资(万元)\nP-1,一号泵站,{amount}\n");
        home.drop_file("水务局/月报.csv", content.as_bytes());
        home.once().expect(0);
        assert_eq!((total(&home), home.deliveries().len()), (amount.into(), deliveries));
    }
}
