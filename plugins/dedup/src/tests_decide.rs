//! What people's decisions promise: they are carried out at once, obeyed for ever, and can be undone without loss.

mod pins;
mod properties;
mod stage;
mod undo;

use std::collections::BTreeSet;

use huiliu_stage::MERGED_INTO;

use self::stage::{Delivery, Sent, Stage, texts};

const PUMP: Sent = (["K1", "甲水务有限公司", "东山泵站", "张", "东区"], 10);
const MILL: Sent = (["K2", "乙磨坊有限公司", "西河磨坊", "李", "西区"], 30);

#[test]
fn two_that_are_accepted_become_one_and_the_other_id_answers_with_it() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP, MILL]);
    let (pump, mill) = (stage.id("东山泵站"), stage.id("西河磨坊"));
    let made = stage.decide("accept", &pump, &[("other", &mill)]).unwrap();
    assert_eq!(texts(&made, "record_id"), [mill.clone(), pump.clone()]);
    assert_eq!(texts(&made, MERGED_INTO), [pump.clone(), "-".into()]);
    assert_eq!(texts(&made, "matched_by"), ["decision", "decision"]);
    assert_eq!(texts(&made, "name")[0], "西河磨坊", "what it was comes out with it");
    assert_eq!(stage.records().len(), 1);
    // The latest word counts, the greatest total, and of two votes the later.
    assert_eq!(stage.values(&pump), ["K2", "乙磨坊有限公司", "西河磨坊", "李", "西区", "30"]);
    // Rows of both go to the one, whatever they say of themselves: by their keys and as they were.
    stage.send("住建局", &[(["K1", "", "", "", ""], 0), (["K2", "", "", "", ""], 50)]);
    assert_eq!(stage.values(&pump)[5], "50");
    // The old id means the new record.
    assert!(stage.decide("accept", &mill, &[("other", &pump)]).is_ok());
    assert_eq!(stage.records().len(), 1);
}

#[test]
fn two_that_are_rejected_stay_two_and_are_not_asked_about_again() {
    let mut stage = Stage::new();
    let a: Sent = (["", "", "民用飞机航电系统集成平台", "张", ""], 0);
    let b: Sent = (["", "", "民用飞机航电系统“三中心一总部”项目", "李", ""], 0);
    stage.send("发改局", &[a]);
    let outcome = stage.send("住建局", &[b]);
    let queue = |stage: &Stage| stage.host.state().keys().filter(|key| key.starts_with(b"q/")).count();
    assert_eq!(outcome.findings.iter().filter(|f| f.code == "review").count(), 1, "{:?}", outcome.findings);
    assert_eq!(queue(&stage), 1);
    let (first, second) = (stage.id("张"), stage.id("李"));
    stage.decide("reject", &first, &[("other", &second)]).unwrap();
    assert_eq!(queue(&stage), 0);
    // They come again, also with news, and each finds its own.
    let outcome = stage.send("住建局", &[(b.0, 7)]);
    assert_eq!(outcome.findings.iter().filter(|f| f.code == "review").count(), 0);
    assert_eq!(stage.values(&second)[5], "7");
    assert_eq!((stage.records().len(), queue(&stage)), (2, 0));
    assert!(stage.decide("accept", &first, &[("other", &second)]).is_ok(), "people may change their mind");
    assert_eq!(stage.records().len(), 1);
}

#[test]
fn senders_have_priority_or_the_majority() {
    let mut stage = Stage::new();
    let row =
        |leader: &'static str, place: &'static str| -> Sent { (["K1", "", "泵站", leader, place], 0) };
    stage.send("发改局", &[row("张", "东")]);
    stage.send("住建局", &[row("李", "西")]);
    let id = stage.id("泵站");
    assert_eq!(stage.values(&id)[3..5], ["张", "西"], "not named, so behind; one vote each, the later");
    stage.send("统计局", &[row("王", "东")]);
    stage.send("发改局", &[row("赵", "东")]);
    assert_eq!(stage.values(&id)[3..5], ["王", "东"]);
    stage.send("发改局", &[row("", "西")]);
    assert_eq!(stage.values(&id)[4], "西", "a voter has changed its mind");
}

#[test]
fn a_voter_who_comes_back_to_its_word_has_said_it_last_even_if_that_changes_nothing_yet() {
    let mut stage = Stage::new();
    let row = |place: &'static str| -> Sent { (["K1", "", "泵站", "", place], 0) };
    stage.send("发改局", &[row("西")]);
    for sender in ["发改局", "住建局", "统计局"] {
        stage.send(sender, &[row("东")]);
    }
    stage.send("发改局", &[row("西")]);
    let id = stage.id("泵站");
    assert_eq!(stage.values(&id)[4], "东", "two to one");
    stage.send("住建局", &[row("西")]);
    assert_eq!(stage.values(&id)[4], "西", "two to one the other way");
}

#[test]
fn a_value_that_a_trusted_sender_comes_back_to_is_its_own() {
    let mut stage = Stage::new();
    let row = |leader: &'static str| -> Sent { (["K2", "", "泵站", leader, ""], 0) };
    stage.send("住建局", &[row("张")]);
    stage.send("统计局", &[row("李"), row("张")]);
    stage.send("发改局", &[row("李")]);
    let id = stage.id("泵站");
    assert_eq!(stage.values(&id)[3], "张", "统计局 goes before 发改局");
}

#[test]
fn what_a_trusted_sender_confirms_is_its_own_from_then_on() {
    let mut stage = Stage::new();
    let row = |leader: &'static str| -> Sent { (["K1", "", "泵站", leader, ""], 0) };
    stage.send("住建局", &[row("张")]);
    stage.send("统计局", &[row("张")]);
    stage.send("住建局", &[row("李")]);
    let id = stage.id("泵站");
    assert_eq!(stage.values(&id)[3], "张", "统计局 has said so");
}

#[test]
fn what_a_sender_corrects_counts_no_more_and_the_rule_chooses_among_what_stands() {
    let mut stage = Stage::new();
    let row = |leader: &'static str, total: i64| -> Sent { (["K1", "", "泵站", leader, ""], total) };
    stage.send("发改局", &[row("张", 100)]);
    stage.send_file("住建局", "月报.xlsx", &[row("", 300)]);
    let id = stage.id("泵站");
    assert_eq!(stage.values(&id)[5], "300");
    stage.send_file("住建局", "月报.xlsx", &[row("", 90)]);
    assert_eq!(stage.values(&id)[5], "100", "the greatest that is still said");
    stage.send_file("住建局", "月报.xlsx", &[row("", 120)]);
    assert_eq!(stage.values(&id)[5], "120");
    // Trust stays what it is, and nothing is lost.
    stage.send_file("统计局", "表.xlsx", &[row("王", 110)]);
    stage.send_file("统计局", "表.xlsx", &[row("赵", 0)]);
    stage.send_file("住建局", "月报.xlsx", &[row("钱", 80)]);
    assert_eq!(stage.values(&id)[3..], ["赵", "-", "110"]);
    let parts = crate::inspect::Inspect::new(stage.host.clone()).parts(&id).unwrap();
    let totals: BTreeSet<_> =
        parts.iter().flat_map(|p| &p.values).filter(|s| s.field == "total").map(|s| &*s.value).collect();
    assert_eq!(totals.into_iter().collect::<Vec<_>>(), ["100", "110", "120", "300", "80", "90"]);
}

#[test]
fn two_that_were_rejected_stay_apart_when_one_of_them_is_merged_into_a_third() {
    let mut stage = Stage::new();
    let plant = |name: &'static str, leader: &'static str| -> Sent { (["", "", name, leader, ""], 0) };
    stage.send("发改局", &[plant("民用飞机航电系统集成平台", "张")]);
    stage.send("住建局", &[plant("民用飞机航电系统“三中心一总部”项目", "李")]);
    stage.send("统计局", &[plant("民用飞机航电系统总部基地", "王")]);
    let [a, b, c] = ["张", "李", "王"].map(|leader| stage.id(leader));
    let asked = |stage: &Stage, one: &str, other: &str| {
        let inspect = crate::inspect::Inspect::new(stage.host.clone());
        let queue = inspect.queue().unwrap();
        queue
            .iter()
            .any(|q| [&*q.record, &*q.other] == [one, other] || [&*q.record, &*q.other] == [other, one])
    };
    assert!(asked(&stage, &a, &b) && asked(&stage, &b, &c), "the third looks like both");
    stage.decide("reject", &a, &[("other", &b)]).unwrap();
    let made = stage.decide("accept", &a, &[("other", &c)]).unwrap();
    let stays = texts(&made, MERGED_INTO)[0].clone();
    assert!(!asked(&stage, &stays, &b), "what is part of it was said to be another thing");
    // It comes again with news, and is not asked about again either.
    stage.send("统计局", &[plant("民用飞机航电系统总部新基地", "王")]);
    assert!(!asked(&stage, &stays, &b));
    // A person may overrule it, and reads that it was overruled.
    stage.decide("accept", &stays, &[("other", &b)]).unwrap();
    let log = crate::inspect::Inspect::new(stage.host.clone()).decisions().unwrap();
    assert!(log[2]["came"].as_str().unwrap().contains("taken back"), "{log:?}");
}

#[test]
fn a_decision_that_is_refused_stands_in_the_log_with_the_reason() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP, MILL]);
    let (pump, mill) = (stage.id("东山泵站"), stage.id("西河磨坊"));
    stage.decide("accept", &pump, &[("other", &mill)]).unwrap();
    stage.decide("reject", &pump, &[("other", &mill)]).unwrap_err();
    let log = crate::inspect::Inspect::new(stage.host.clone()).decisions().unwrap();
    assert_eq!((log.len(), &log[1]["refused"]), (2, &true.into()));
    assert!(log[1]["came_zh"].as_str().unwrap().contains("unmerge"), "{log:?}");
    assert!(log[0].get("refused").is_none());
}

/// What two senders said and both have corrected stands no more, whoever said it first.
#[test]
fn a_value_that_everybody_has_corrected_stands_no_more() {
    let mut stage = Stage::new();
    let total = |total| -> Sent { (["K2", "", "海晨物流中心", "", ""], total) };
    stage.send_file("统计局", "甲.xlsx", &[total(2)]);
    stage.send_file("发改局", "乙.xlsx", &[total(2)]);
    let id = stage.id("海晨物流中心");
    stage.send_file("统计局", "甲.xlsx", &[total(1)]);
    assert_eq!(stage.values(&id)[5], "2", "the other still says so");
    stage.send_file("发改局", "乙.xlsx", &[total(1)]);
    assert_eq!(stage.values(&id)[5], "1");
}

/// Rows of one sender that say the same of things with different codes are one row to the linkage. It is part of each of
/// these things: what shares a code with one of them does not go elsewhere for it.
#[test]
fn rows_that_share_a_code_stay_together_where_another_thing_is_called_the_same() {
    let mut stage = Stage::new();
    let row = |code, name| -> Sent { ([code, "", name, "", ""], 0) };
    let first = [
        row("K2", "海晨物流中心一期"),
        row("K2", "海晨物流中心项目(Ⅰ期)"),
        row("K3", ""),
        row("K3", "海晨物流中心一期"),
    ];
    let deliveries: [Delivery; 3] = [
        (0, 0, 1, first.to_vec()),
        (0, 0, 1, vec![row("", "海晨物流中心一期")]),
        (0, 0, 2, vec![row("K1", "海晨物流中心一期")]),
    ];
    for delivery in &deliveries {
        stage.deliver(delivery);
    }
    let inspect = crate::inspect::Inspect::new(stage.host.clone());
    let says_k3 = |id: &&String| {
        let parts = inspect.parts(id).unwrap();
        parts.iter().any(|part| part.values.iter().any(|said| said.value == "K3"))
    };
    assert_eq!(stage.records().keys().filter(says_k3).count(), 1, "both rows with K3 are of one record");
}
