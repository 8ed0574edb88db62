//! The watched folder: what is taken and when, where files go, and that nothing is ever overwritten.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::support::{Home, small_pipeline};

fn home() -> Home {
    Home::new(&small_pipeline("folder", "inbox", "[validate]", "[{jsonl: {path: out}}]"))
}

fn rows(name: &str) -> Vec<u8> {
    format!("项目名称,总投资(万元)\n{name},5\n").into_bytes()
}

#[test]
fn lock_partial_and_dot_files_are_left_alone() {
    let left =
        ["~$a.csv", ".~lock.a.csv#", ".a.csv", "a.csv.part", "a.csv.tmp", "a.csv.crdownload", "5F3A7C00"];
    let mut home = home();
    for name in left {
        home.write(&format!("data/inbox/甲/{name}"), &rows("不该读"));
    }
    let mut daemon = home.start();
    daemon.hear("ready");
    for name in left {
        home.drop_file(&format!("乙/{name}"), &rows("不该读"));
    }
    home.drop_file("乙/z.csv", &rows("该读"));
    daemon.wait("the one answer", || home.answered() == 1);
    assert!(daemon.stop().success());
    home.once().expect(0);
    assert_eq!(home.deliveries().len(), 1);
    assert_eq!(home.names("inbox").len(), 2 * left.len());
}

#[test]
fn files_that_were_there_before_the_start_are_taken_oldest_first() {
    let mut home = home();
    for name in ["丙", "甲", "乙"] {
        home.drop_file(&format!("水务局/{name}.csv"), &rows(name));
    }
    let mut daemon = home.start();
    daemon.wait("three answers", || home.answered() == 3);
    assert!(daemon.stop().success());
    let mut files: Vec<_> = home.deliveries().iter().map(|delivery| delivery["file"].clone()).collect();
    files.reverse();
    assert_eq!(files, ["丙.csv", "甲.csv", "乙.csv"]);
}

#[test]
fn the_sender_is_the_folder_and_a_new_department_needs_no_restart() {
    let mut home = home();
    let mut daemon = home.start();
    daemon.hear("ready");
    home.drop_file("水务局/a.csv", &rows("甲"));
    daemon.wait("an answer", || home.answered() == 1);
    home.drop_file("交通局/a.csv", &rows("乙"));
    daemon.wait("an answer to the new department", || home.answered() == 2);
    assert!(daemon.stop().success());
    let senders: Vec<_> = home.deliveries().iter().map(|delivery| delivery["sender"].clone()).collect();
    assert_eq!(senders, ["交通局", "水务局"]);
    // Each department finds its own answers and files, and nobody else's.
    for sender in ["交通局", "水务局"] {
        assert_eq!(home.names(&format!("outbox/{sender}")).len(), 1);
        assert_eq!(home.names(&format!("archive/{sender}")).len(), 1);
    }
}

#[test]
fn what_cannot_be_read_is_returned_with_a_receipt() {
    let mut home = home();
    home.drop_file("甲/坏.xlsx", b"this is no workbook");
    home.once().expect(1);
    let returned = home.files("returned/甲");
    assert_eq!(returned.values().collect::<Vec<_>>(), [b"this is no workbook"]);
    assert!(home.names("archive").is_empty() && home.names("inbox").is_empty());
    let receipt = home.receipt("坏");
    assert_eq!(
        (&receipt["state"], &receipt["findings"][0]["code"]),
        (&"refused".into(), &"V26".into()),
        "{receipt:#}"
    );
}

#[test]
fn nothing_is_overwritten_in_the_archive_or_among_the_returned() {
    let mut home = home();
    let (good, bad) = (rows("甲"), b"this is no workbook".to_vec());
    for _ in 0..3 {
        home.drop_file("甲/a.csv", &good);
        home.drop_file("甲/b.xlsx", &bad);
        home.once();
    }
    home.drop_file("甲/a.csv", &rows("乙"));
    home.once().expect(0);
    let archive = home.files("archive/甲");
    assert_eq!(archive.len(), 4, "{:?}", archive.keys());
    assert_eq!(archive.values().filter(|content| **content == good).count(), 3);
    let returned = home.files("returned/甲");
    assert_eq!(returned.len(), 3, "{:?}", returned.keys());
}

#[test]
fn a_file_that_is_written_in_place_is_read_once_and_whole() {
    let pipeline = small_pipeline("folder", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    let mut home = Home::new(&pipeline.replace("settle_ms: 0", "settle_ms: 2000"));
    let mut daemon = home.start();
    daemon.hear("ready");
    // Once this is answered, the folder is watched, and files that are renamed into it wait no more.
    home.drop_file("甲/first.csv", &rows("先"));
    daemon.wait("the first file", || home.answered() == 1);
    let path = home.write("data/inbox/甲/slow.csv", "项目名称,总投资(万元)\n".as_bytes());
    let mut file = fs::File::options().append(true).open(&path).unwrap();
    for number in 0..40 {
        file.write_all(format!("{number}号泵站,{number}\n").as_bytes()).unwrap();
        // Files that are renamed into place do not wait for the one that grows, and give it time to grow.
        if number % 8 == 0 {
            home.drop_file(&format!("甲/renamed-{number}.csv"), &rows(&format!("第{number}")));
            daemon.wait("the renamed file", || home.answered() == number / 8 + 2);
        }
    }
    drop(file);
    daemon.wait("the slow file", || home.answered() == 7);
    assert!(daemon.stop().success());
    let slow: Vec<_> =
        home.deliveries().into_iter().filter(|delivery| delivery["file"] == "slow.csv").collect();
    assert_eq!((slow.len(), &slow[0]["rows_in"]), (1, &40.into()), "{slow:#?}");
}

#[test]
fn it_stops_gracefully_and_only_one_runs_on_a_data_folder() {
    let mut home = home();
    let mut daemon = home.start();
    daemon.hear("ready");
    let second = home.once().expect(69);
    assert!(second.err.contains("another huiliu runs on"), "{}", second.err);
    home.drop_file("甲/a.csv", &rows("甲"));
    daemon.wait("an answer", || home.answered() == 1);
    assert!(daemon.runs());
    assert!(daemon.stop().success());
    home.once().expect(0);
}

#[test]
fn a_watched_folder_that_is_removed_and_made_again_is_watched_again() {
    let mut home = home();
    let mut daemon = home.start();
    daemon.hear("ready");
    home.drop_file("甲/a.csv", &rows("甲"));
    daemon.wait("the first answer", || home.answered() == 1);
    fs::remove_dir_all(home.data("inbox")).unwrap();
    daemon.wait("the folder", || home.data("inbox").exists());
    home.drop_file("甲/b.csv", &rows("乙"));
    daemon.wait("the second answer", || home.answered() == 2);
    assert!(daemon.stop().success());
}

#[test]
fn a_single_run_ends_though_an_answer_cannot_be_given() {
    let mut home = home();
    home.drop_file("甲/a.csv", &rows("甲"));
    home.write("data/outbox", b"in the way");
    home.once().expect(1);
    assert_eq!(home.lines("out").len(), 1, "what was taken is delivered");
    fs::remove_file(home.data("outbox")).unwrap();
    home.once().expect(0);
    assert_eq!((home.answered(), home.lines("out").len()), (1, 1));
}

#[test]
fn a_done_file_proves_a_file_on_a_share_and_says_when_it_is_not_whole() {
    let pipeline = small_pipeline("folder", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    // Nothing but a done file makes a file complete here: it would have to lie still for a day.
    let share = "poll: always, poll_secs: 0.05, quiet_secs: 86400, wait_for_done: true";
    let home = Home::new(&pipeline.replace("settle_ms: 0", share));
    let mut daemon = home.start();
    daemon.hear("ready");
    let content = rows("一号泵站");
    home.write("data/inbox/甲/a.csv", &content[..9]);
    daemon.hear("no done file beside it yet");
    home.write("data/inbox/甲/a.csv.done", content.len().to_string().as_bytes());
    daemon.hear("its done file tells of");
    assert_eq!(home.answered(), 0);
    home.write("data/inbox/甲/a.csv", &content);
    home.write("data/inbox/甲/a.csv.done", content.len().to_string().as_bytes());
    daemon.wait("an answer", || home.answered() == 1);
    daemon.wait("an empty inbox", || home.names("inbox").is_empty());
    home.write("data/inbox/甲/b.csv", &rows("二号泵站"));
    home.write("data/inbox/甲/b.ok", b"");
    daemon.wait("an answer", || home.answered() == 2);
    daemon.wait("an empty inbox", || home.names("inbox").is_empty());
    assert!(daemon.stop().success());
    assert_eq!(home.lines("out").len(), 2);
}

/// A folder source that waits for nothing that it need not wait for, and for the rest longer than any test.
fn impatient() -> Home {
    let pipeline = small_pipeline("folder", "inbox", "[validate]", "[{jsonl: {path: out}}]");
    Home::new(&pipeline.replace("settle_ms: 0", "settle_ms: 50, quiet_secs: 3600, rescan_secs: 3600"))
}

#[test]
fn a_folder_that_is_renamed_into_place_is_read_without_a_full_look() {
    let home = impatient();
    let mut daemon = home.start();
    daemon.hear("ready");
    home.write("data/inbox/甲/first.csv", &rows("甲"));
    daemon.wait("an answer", || home.answered() == 1); // From here on it surely watches.
    home.write("data/elsewhere/丙/a.csv", &rows("乙"));
    home.write("data/elsewhere/丙/b.csv", &rows("丙"));
    fs::rename(home.data("elsewhere/丙"), home.data("inbox/丙")).unwrap();
    daemon.wait("two more answers", || home.answered() == 3);
    home.write("data/inbox/丙/c.csv", &rows("丁"));
    daemon.wait("an answer to what came into it later", || home.answered() == 4);
    assert!(daemon.stop().success());
}

#[test]
fn a_hard_link_is_taken_once_nobody_writes_to_the_file() {
    let home = impatient();
    let probe = fs::File::open(home.write("probe", b"x")).unwrap();
    if huiliu_abi::nobody_writes(&probe).is_err() {
        return eprintln!("NOT CHECKED: no leases where temporary files are");
    }
    let mut daemon = home.start();
    daemon.hear("ready");
    let made = home.write("made.csv", &rows("甲"));
    let mut writer = fs::File::options().append(true).open(&made).unwrap();
    // Its folder is younger than the file, as if it had been moved there: file systems stamp in ticks.
    let changed = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
    while changed(&home.write("probe", b"x")) <= changed(&made) {}
    fs::create_dir_all(home.data("inbox/甲")).unwrap();
    fs::hard_link(&made, home.data("inbox/甲/a.csv")).unwrap();
    daemon.hear("it is open in");
    writer.write_all("乙,6\n".as_bytes()).unwrap();
    drop(writer);
    daemon.wait("an answer", || home.answered() == 1);
    assert!(daemon.stop().success());
    assert_eq!(home.receipt("a")["counts"]["rows_in"], 2);
}

#[test]
fn what_lies_behind_a_link_is_nobodys_delivery() {
    let home = impatient();
    home.write("outside/a.csv", &rows("外"));
    fs::create_dir_all(home.data("inbox/甲")).unwrap();
    std::os::unix::fs::symlink(home.path("outside"), home.data("inbox/乙")).unwrap();
    std::os::unix::fs::symlink(home.path("outside/a.csv"), home.data("inbox/甲/a.csv")).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        home.data("inbox/甲/pipe.csv"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let mut daemon = home.start();
    daemon.hear("ready");
    home.write("outside/b.csv", &rows("外"));
    home.write("data/inbox/甲/z.csv", &rows("内"));
    daemon.wait("an answer", || home.answered() == 1);
    assert!(daemon.stop().success());
    home.once().expect(0);
    assert_eq!(home.deliveries().len(), 1);
    assert!(home.path("outside/a.csv").exists() && home.path("outside/b.csv").exists());
}

#[test]
fn a_file_of_another_kind_is_returned_with_what_to_do() {
    let mut home = home();
    let table = [
        ("材料.rar", &b"Rar!\x1a\x07\x00rest"[..], "这是 RAR 压缩包，系统不读取这种格式；请解压后"),
        ("包.7z", b"7z\xbc\xaf\x27\x1crest", "这是 7z 压缩包"),
        ("表.tar.gz", b"\x1f\x8b\x08\x00rest", "这是 gzip 压缩包"),
        (
            "说明.pdf",
            b"%PDF-1.7",
            "这是 PDF 文件，不是表格；请把表格另存为 .xlsx 或 .csv 后上传；如果是佐证材料，请与表格一起打包成 .zip",
        ),
        ("现场.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF", "这是图片"),
    ];
    for (name, content, _) in &table {
        home.drop_file(&format!("甲/{name}"), content);
    }
    home.drop_file("甲/清单", &rows("无后缀")); // What it is, its bytes tell.
    home.once().expect(1);
    for (name, _, said) in &table {
        let receipt = home.receipt(name.rsplit_once('.').unwrap().0);
        assert_eq!(receipt["state"], "refused", "{name}");
        let told = receipt["findings"][0]["message"].to_string();
        assert!(told.contains(said), "{name}: {told}");
    }
    assert_eq!(home.receipt("清单")["state"], "committed");
    assert_eq!((home.names("returned").len(), home.names("inbox").len()), (table.len(), 0));
}

#[test]
fn a_file_that_cannot_be_taken_is_told_of_once_and_taken_when_it_can_be() {
    let mut home = home();
    let mut daemon = home.start();
    daemon.hear("ready");
    // What a full disk does to it: nothing can be written here.
    fs::remove_dir_all(home.data("spool/folder")).unwrap();
    home.write("data/spool/folder", b"no folder");
    home.drop_file("甲/a.csv", &rows("甲"));
    daemon.hear("it cannot be copied into the spool");
    fs::remove_file(home.data("spool/folder")).unwrap();
    fs::create_dir(home.data("spool/folder")).unwrap();
    daemon.wait("an answer", || home.answered() == 1);
    assert_eq!(daemon.said().matches("cannot be copied").count(), 1, "{}", daemon.said());
    assert!(daemon.stop().success());
}
