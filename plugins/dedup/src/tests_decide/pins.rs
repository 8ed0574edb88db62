//! Values that people set by hand stand, go with their record, and leave nothing behind when they are released.

use super::stage::{Sent, Stage, texts};
use super::{MILL, PUMP};

#[test]
fn a_pinned_value_stands_whatever_is_sent_and_its_sender_is_told() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP]);
    let id = stage.id("东山泵站");
    let made = stage.decide("pin", &id, &[("field", "total"), ("value", "25")]).unwrap();
    assert_eq!(
        (texts(&made, "record_id"), texts(&made, "matched_by")),
        (vec![id.clone()], vec!["pinned".into()])
    );
    assert_eq!(stage.values(&id)[5], "25");
    // `total` takes the greatest, `leader` goes by trust; both yield to a person.
    stage.decide("pin", &id, &[("field", "leader"), ("value", "钱")]).unwrap();
    let came = stage.send("统计局", &[(["K1", "", "", "赵", "南区"], 90)]);
    let told: Vec<&str> = came.findings.iter().map(|finding| &*finding.code).collect();
    assert!(told.contains(&"conflict-value"), "{told:?}");
    let row: Sent = (["K1", "甲水务有限公司", "东山泵站", "", ""], 30);
    stage.send_file("发改局", "1.xlsx", &[row]);
    let values = stage.values(&id);
    assert_eq!((&*values[3], &*values[5]), ("钱", "25"));
    assert!(stage.with_places()[&id][5].contains("王"), "{:?}", stage.with_places());
    // Again with another value: that one.
    stage.decide("pin", &id, &[("field", "total"), ("value", "26")]).unwrap();
    assert_eq!(stage.values(&id)[5], "26");
}

#[test]
fn a_released_value_is_what_was_sent_as_if_it_had_never_been_pinned() {
    let (mut stage, mut never) = (Stage::new(), Stage::new());
    for pinned in [true, false] {
        let stage = if pinned { &mut stage } else { &mut never };
        stage.send("发改局", &[PUMP]);
        let id = stage.id("东山泵站");
        if pinned {
            for (field, value) in [("total", "5"), ("place", "别处")] {
                stage.decide("pin", &id, &[("field", field), ("value", value)]).unwrap();
            }
        }
        stage.send("统计局", &[(["K1", "", "", "赵", "南区"], 90)]);
        stage.send("住建局", &[(["K1", "", "", "孙", "南区"], 40)]);
        if pinned {
            assert_eq!(stage.values(&id)[4..], ["别处", "5"]);
            for field in ["total", "place"] {
                stage.decide("release", &id, &[("field", field)]).unwrap();
            }
        }
    }
    assert_eq!(stage.with_places(), never.with_places());
}

#[test]
fn a_pin_goes_with_its_record_and_comes_back_with_it() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP, MILL]);
    let (pump, mill) = (stage.id("东山泵站"), stage.id("西河磨坊"));
    stage.decide("pin", &pump, &[("field", "total"), ("value", "500")]).unwrap();
    let before = stage.with_places();
    let (stays, goes) = stage.unite(&pump, &mill);
    assert_eq!(stage.values(&stays)[5], "500", "it stands in the record that both are");
    stage.decide("unmerge", &stays, &[("source", &goes)]).unwrap();
    assert_eq!(stage.with_places(), before);
}

#[test]
fn what_cannot_be_pinned_is_refused_with_the_reason() {
    let mut stage = Stage::new();
    stage.send("发改局", &[PUMP]);
    let id = stage.id("东山泵站");
    for (word, field, value, reason) in [
        ("pin", "code", "K9", "records are recognised by code"),
        ("pin", "sum", "1", "there is no field `sum`"),
        ("pin", "_row", "1", "there is no field `_row`"),
        ("pin", "total", "many", "total must be a number, not `many`"),
        ("pin", "total", "", "total must be a number, not ``"),
        ("release", "total", "", "is not pinned"),
    ] {
        let refused = stage.decide(word, &id, &[("field", field), ("value", value)]).unwrap_err();
        assert!(refused.contains(reason), "{word} {field}: {refused}");
    }
    assert_eq!(stage.values(&id)[5], "10");
}
