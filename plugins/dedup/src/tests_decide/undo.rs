//! Records that are taken apart: each has what it had, and what came since goes where it belongs.

use huiliu_stage::Host;

use super::stage::{Delivery, Sent, Stage, texts};
use super::{MILL, PUMP};
use crate::entity::Record;
use crate::inspect::Inspect;
use crate::part::Part;
use crate::records::RecordId;

#[test]
fn a_record_is_taken_apart_by_source_and_stays_apart() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP]);
    stage.send("住建局", &[(["K1", "", "东山水库", "", ""], 90)]);
    stage.send("统计局", &[(["K1", "", "", "王", ""], 0)]);
    let id = stage.id("东山水库");
    assert_eq!(stage.values(&id), ["K1", "甲水务有限公司", "东山水库", "王", "东区", "90"]);
    let nobody = stage.decide("unmerge", &id, &[("source", "环保局")]).unwrap_err();
    assert!(nobody.contains("came from `环保局`"), "{nobody}");
    assert!(stage.decide("unmerge", &id, &[]).unwrap_err().contains("--source"));
    let made = stage.decide("unmerge", &id, &[("source", "住建局")]).unwrap();
    assert_eq!(texts(&made, "matched_by"), ["split", "split"]);
    let other = texts(&made, "record_id").into_iter().find(|made| *made != id).unwrap();
    assert_eq!(stage.values(&id), ["K1", "甲水务有限公司", "东山泵站", "王", "东区", "10"]);
    assert_eq!(stage.values(&other), ["K1", "-", "东山水库", "-", "-", "90"]);
    // The same rows with news: each goes to its own part, though the code is one.
    stage.send("住建局", &[(["K1", "", "东山水库", "", "山区"], 95)]);
    stage.send("发改局", &[(["K1", "甲水务有限公司", "东山泵站", "", ""], 12)]);
    assert_eq!(stage.values(&id)[5], "12");
    assert_eq!(stage.values(&other)[4..], ["山区", "95"]);
}

#[test]
fn a_record_comes_back_with_what_had_joined_it_and_what_came_by_its_codes_since() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP, MILL]);
    let by_name: Sent = (["", "乙磨坊有限公司", "西河磨坊", "王", ""], 0);
    stage.send("住建局", &[by_name]);
    let (pump, mill) = (stage.id("东山泵站"), stage.id("西河磨坊"));
    stage.send("住建局", &[(["K1", "", "", "", "东山"], 0), (["K1", "", "", "赵", ""], 0)]);
    let made = stage.decide("accept", &pump, &[("other", &mill)]).unwrap();
    assert_eq!(texts(&made, "record_id")[0], mill);
    // More comes by its code than the record that stays ever had.
    for total in 40..45 {
        stage.send("统计局", &[(["K2", "", "", "", ""], total)]);
    }
    let made = stage.decide("unmerge", &pump, &[]).unwrap();
    assert!(
        texts(&made, "record_id").contains(&mill),
        "it has its id back, though it is the bigger part now"
    );
    assert_eq!(stage.values(&mill), ["K2", "乙磨坊有限公司", "西河磨坊", "李", "西区", "44"]);
    assert_eq!(stage.values(&pump), ["K1", "甲水务有限公司", "东山泵站", "张", "东山", "10"]);
}

#[test]
fn what_joined_by_likeness_is_split_off_without_a_source_and_stays_off() {
    let mut stage = Stage::new();
    let first: Sent = (["", "宏源新材料有限公司", "年产30万吨树脂项目一期", "张", ""], 10);
    let alike: Sent = (["", "宏源新材料", "宏源新材料年产300000吨树脂建设项目(Ⅰ期)", "李", ""], 20);
    stage.send("发改局", &[first]);
    stage.send("住建局", &[alike]);
    stage.send("住建局", &[(alike.0, 25)]);
    stage.send("发改局", &[(first.0, 15)]);
    assert_eq!(stage.records().len(), 1, "{:?}", stage.records());
    let id = stage.records().into_keys().next().unwrap();
    stage.decide("unmerge", &id, &[]).unwrap();
    let other = stage.records().into_keys().find(|other| *other != id).unwrap();
    assert_eq!((&*stage.values(&id)[5], &*stage.values(&other)[5]), ("15", "25"));
    stage.send("住建局", &[(alike.0, 30)]);
    stage.send("发改局", &[(first.0, 18)]);
    assert_eq!(stage.records().len(), 2, "{:?}", stage.records());
    assert_eq!((&*stage.values(&id)[5], &*stage.values(&other)[5]), ("18", "30"));
}

#[test]
fn what_is_said_again_behind_news_counts_as_said_last() {
    let mut stage = Stage::new();
    let row = |leader: &'static str, place: &'static str, total: i64| -> Sent {
        (["K1", "", "泵站", leader, place], total)
    };
    stage.send("发改局", &[row("", "", 2)]);
    stage.send("发改局", &[row("张", "西", 0)]);
    stage.send("发改局", &[row("", "东", 0), row("张", "西", 0)]);
    stage.send("住建局", &[(["K2", "", "水库", "", ""], 0)]);
    let before = stage.records();
    let (first, other) = (stage.id("泵站"), stage.id("水库"));
    stage.there_and_back(&first, &other);
    assert_eq!(stage.records(), before);
}

#[test]
fn after_a_split_a_sender_goes_on_with_the_record_that_its_rows_made() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP]);
    stage.send("住建局", &[(["K1", "", "东山水库", "", ""], 90)]);
    let id = stage.id("东山水库");
    stage.decide("unmerge", &id, &[("source", "住建局")]).unwrap();
    let other = stage.records().into_keys().find(|other| *other != id).unwrap();
    // The name is another one now, so it is no row that the decision was about; the code belongs to both.
    stage.send("住建局", &[(["K1", "", "东山水库扩容", "", ""], 99)]);
    stage.send("发改局", &[(["K1", "", "东山大泵站", "", ""], 11)]);
    assert_eq!((&*stage.values(&id)[2], &*stage.values(&other)[2]), ("东山大泵站", "东山水库扩容"));
    assert_eq!(stage.records().len(), 2);
}

#[test]
fn a_row_that_a_correction_brought_back_is_said_last_when_a_record_is_taken_apart() {
    let mut stage = Stage::new();
    let row =
        |code: &'static str, name: &'static str, total: i64| -> Sent { ([code, "", name, "", ""], total) };
    stage.deliver(&(
        0,
        0,
        1,
        vec![row("K2", "海晨物流中心项目(Ⅰ期)", 1), row("K3", "", 0), row("K2", "", 2)],
    ));
    stage.deliver(&(0, 0, 1, vec![row("K2", "海晨物流中心项目(Ⅰ期)", 1)]));
    let before = stage.records();
    let ids: Vec<String> = before.keys().cloned().collect();
    stage.there_and_back(&ids[0], &ids[1]);
    assert_eq!(stage.records(), before);
}

/// What came since two were merged goes where it belongs: by a code, as a row that came before, or like such a row.
#[test]
fn what_came_since_the_merge_goes_with_what_it_is_like() {
    let mut stage = Stage::new();
    let (name, owner) = ("年产30万吨树脂项目一期", "恒立智能装备有限公司");
    let named = |code, leader, place| -> Sent { ([code, "", name, leader, place], 0) };
    let owned = |leader| -> Sent { (["", owner, "", leader, ""], 0) };
    stage.send("发改局", &[owned("李"), named("", "张", "")]);
    let (stays, goes) = (stage.id("李"), stage.id("张"));
    stage.decide("accept", &stays, &[("other", &goes)]).unwrap();
    assert_eq!(stage.records().into_keys().next().as_ref(), Some(&stays));
    // The same rows with news, a row of another office that is like the one, and one that has its code.
    stage.send("发改局", &[named("", "赵", ""), owned("钱")]);
    stage.send("住建局", &[named("K1", "", "东区")]);
    stage.send("统计局", &[(["K1", "", "", "", ""], 12)]);
    assert_eq!(stage.records().len(), 1, "{:?}", stage.records());
    stage.decide("unmerge", &stays, &[("source", &goes)]).unwrap();
    assert_eq!(stage.values(&goes), ["K1", "-", name, "赵", "东区", "12"]);
    assert_eq!(stage.values(&stays), ["-", owner, "-", "钱", "-", "-"]);
}

/// The first time and the last time are enough to make the record anew.
#[test]
fn what_a_delivery_says_over_and_over_is_kept_twice() {
    let mut stage = Stage::new();
    let row = |leader| -> Sent { (["K1", "", "泵站", leader, ""], 0) };
    stage.send("发改局", &[row("王")]);
    let rows: Vec<Sent> = (0..30).map(|at| row(["张", "李", "王"][at % 3])).collect();
    stage.send_batches("发改局", "甲.xlsx", &rows, 1);
    let id = stage.id("泵站");
    assert_eq!(stage.values(&id)[3], "王");
    assert_eq!(stage.made_anew(), stage.with_places());
    let parts = Inspect::new(stage.host.clone()).parts(&id).unwrap();
    assert_eq!(parts.len(), 7, "one of the first delivery, and two of each row of the second: {parts:?}");
}

/// A row may be known to belong to the thing that is merged, and be in the other one all the same.
#[test]
fn what_was_in_a_record_before_another_came_stays_when_that_one_goes_again() {
    let mut stage = Stage::new();
    let row = |code, name, leader| -> Sent { ([code, "", name, leader, ""], 0) };
    let deliveries: [Delivery; 4] = [
        (0, 0, 1, vec![row("", "海晨物流中心项目(Ⅰ期)", "李"), row("K3", "南湖泵站", "")]),
        (0, 0, 1, vec![row("K1", "海晨物流中心一期", "")]),
        (0, 0, 1, vec![row("K1", "海晨物流中心二期", "")]),
        // As the first one, but near to what has the code now.
        (0, 0, 1, vec![row("", "海晨物流中心项目(Ⅰ期)", "")]),
    ];
    for delivery in &deliveries {
        stage.deliver(delivery);
    }
    let before = stage.everything();
    let ids: Vec<String> = before.keys().cloned().collect();
    assert_eq!(ids.len(), 3, "{before:?}");
    stage.there_and_back(&ids[0], &ids[1]);
    assert_eq!(stage.everything(), before);
}

/// What a batch replaces and brings back is said later, by another file: if anything of the batch is kept, so is that.
#[test]
fn a_value_that_came_back_in_a_batch_stands_where_it_stands_when_the_record_is_made_anew() {
    let mut stage = Stage::new();
    let row = |name, place| -> Sent { (["K1", "", name, "", place], 0) };
    stage.send_file("发改局", "甲.xlsx", &[row("东山泵站", ""), (["K2", "", "西河磨坊", "", ""], 0)]);
    stage.send_file("发改局", "乙.xlsx", &[row("东山大泵站", ""), row("东山泵站", "东")]);
    let before = stage.everything();
    let (pump, mill) = (stage.id("东山泵站"), stage.id("西河磨坊"));
    stage.there_and_back(&pump, &mill);
    assert_eq!(stage.everything(), before);
}

/// What a sender said in one file and says again as the correction of another one is said last.
#[test]
fn what_a_correction_takes_from_another_file_is_said_last_when_a_record_is_made_anew() {
    let mut stage = Stage::new();
    let row = |code, total| -> Sent { ([code, "", "海晨物流中心二期", "李", "西"], total) };
    stage.send_file("统计局", "乙.xlsx", &[row("", 1)]);
    stage.send_file("统计局", "甲.xlsx", &[(["K3", "", "海晨物流中心二期", "", ""], 2)]);
    stage.send_batches("统计局", "甲.xlsx", &[row("", 1), (["K1", "", "", "", ""], 0)], 1);
    let before = stage.records();
    let ids: Vec<String> = before.keys().cloned().collect();
    assert_eq!(ids.len(), 2, "{before:?}");
    stage.there_and_back(&ids[0], &ids[1]);
    assert_eq!(stage.records(), before);
}

/// The same state as the version before kept it: parts that do not tell which records they were in.
fn downgraded(stage: &Stage, goes: &str) -> Stage {
    let old = Stage::new();
    let goes = RecordId::parse(goes).unwrap();
    let mut brought = Vec::new();
    for (key, value) in stage.host.state() {
        let mut value = value;
        if key.starts_with(b"h/") || key.starts_with(b"r/") || key == b"q#" {
            continue;
        }
        if key.starts_with(b"e/") && key.len() > 12 && key[12] == b'p' {
            let mut row = Vec::new();
            let read = |bytes: &[u8]| {
                row = bytes.to_vec();
                Ok::<_, ()>(Record::default())
            };
            let (part, _) = Part::decode(&value, || (), read).unwrap();
            let by = part.brought_by().as_bytes();
            value = [&part.unit.bytes()[..], &[0; 8], &[by.len() as u8], by, &row].concat();
            if part.was_in(goes).is_some() {
                brought.extend_from_slice(&key[13..]);
            }
        }
        old.host.state_put(&key, &value).unwrap();
    }
    old.host.state_put(&[b"g/", &goes.bytes()[..]].concat(), &brought).unwrap();
    old
}

#[test]
fn a_state_of_before_comes_apart_and_its_questions_follow() {
    let mut stage = Stage::new();
    let plant = |name, leader| -> Sent { (["", "", name, leader, ""], 0) };
    stage.send("发改局", &[PUMP, (["K1", "", "", "", ""], 12), plant("民用飞机航电系统集成平台", "赵")]);
    stage.send("住建局", &[plant("民用飞机航电系统“三中心一总部”项目", "钱")]);
    let before = stage.records();
    let (pump, first) = (stage.id("东山泵站"), stage.id("赵"));
    let asked = stage.questions([&pump, &first]);
    assert_eq!((before.len(), asked.len()), (3, 1), "{before:?}");
    let (stays, goes) = stage.unite(&pump, &first);
    assert_eq!((&stays, &goes), (&pump, &first));
    let mut old = downgraded(&stage, &goes);
    for stage in [&mut stage, &mut old] {
        let now = stage.questions([&pump, &first]);
        assert_ne!(now, asked);
        assert_eq!(now.len(), 1, "{now:?}");
        stage.send("发改局", &[plant("民用飞机航电系统集成平台", "孙")]);
        stage.decide("unmerge", &stays, &[("source", &goes)]).unwrap();
        assert_eq!(stage.values(&first)[3], "孙");
    }
    assert_eq!(old.records(), stage.records());
    assert_eq!(stage.records()[&pump], before[&pump]);
    assert_eq!(stage.questions([&pump, &first]), asked, "what was asked about it is asked about it again");
    // A state of before does not tell whose question it was: it stays with the record that was asked about last.
    assert_eq!(old.questions([&pump, &first]).len(), 1);
}
