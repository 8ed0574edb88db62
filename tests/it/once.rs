//! `run --once`: over the same files again it changes nothing, and its exit code tells whether all went well.

use crate::support::Home;

#[test]
fn the_same_files_once_more_change_nothing() {
    let mut home = Home::shipped();
    home.drop_samples();
    home.once().expect(0);
    let first = home.picture().outcome();
    assert!(first.0["projects"].lines().count() > 30, "the register is filled");
    assert!(first.1.len() >= 10, "so are the sinks: {:?}", first.1.keys());

    home.once().expect(0);
    assert_eq!(home.picture().outcome(), first, "a second run without files");

    home.drop_samples();
    let again = home.once().expect(0);
    assert_eq!(home.picture().outcome(), first, "a second run over the same files");
    assert_eq!(again.err.matches("known already, answered again").count(), 3, "{}", again.err);
    assert!(home.names("inbox").is_empty(), "they were put away, too");
    assert_eq!(home.names("archive").len(), 6, "beside the first ones: {:?}", home.names("archive"));
}

#[test]
fn the_same_content_under_another_name_changes_nothing_either() {
    let mut home = Home::shipped();
    home.drop_samples();
    home.once().expect(0);
    let first = home.picture().outcome();
    for (place, content) in crate::support::samples() {
        let (folder, name) = place.rsplit_once('/').unwrap();
        home.drop_file(&format!("{folder}/副本-{name}"), &content);
    }
    home.once().expect(0);
    assert_eq!(home.picture().outcome(), first);
}

#[test]
fn a_file_that_cannot_be_read_makes_the_exit_code_1_and_stops_no_other() {
    let mut home = Home::shipped();
    home.drop_file("发改局/坏.xlsx", b"this is no workbook");
    home.drop_samples();
    home.once().expect(1);
    assert_eq!(home.names("returned").len(), 1);
    assert_eq!(home.names("archive").len(), 3);
    home.once().expect(0);
}

#[test]
fn an_empty_inbox_is_no_failure() {
    let home = Home::shipped();
    home.once().expect(0);
    assert!(home.deliveries().is_empty());
}
