//! The example, linked in and loaded as a shared library, must give the same.
#![allow(clippy::unwrap_used)] // Helpers of tests; clippy.toml knows only the tests themselves.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use huiliu_abi::StageFactory;
use huiliu_stage::testing::MemoryHost;

/// Cargo puts this crate's library beside the folder of this test's program.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join("libhuiliu_example.so")
}

fn masked(factory: &StageFactory, phones: Vec<Option<&str>>) -> RecordBatch {
    let fields = vec![Field::new("phone", DataType::Utf8, true), Field::new("_row", DataType::Int64, false)];
    let schema = Arc::new(Schema::new(fields));
    let rows = Int64Array::from_iter_values(2..phones.len() as i64 + 2);
    let batch =
        RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(StringArray::from(phones)), Arc::new(rows)])
            .unwrap();
    let mut opened =
        factory.open(r#"{"columns": ["phone"]}"#, schema, Arc::new(MemoryHost::default())).unwrap();
    opened.stage.process(batch).unwrap().batch
}

#[test]
fn it_masks_alike_linked_and_loaded() {
    let linked = huiliu_example::plugin().remove(0);
    let loaded = huiliu_abi::load_library(&library()).unwrap().remove(0);
    assert_eq!((&loaded.info, &loaded.plugin), (&linked.info, &linked.plugin));

    let phones = vec![Some("13812345678"), None, Some("0519-86310000"), Some("1234567"), Some("电话待定")];
    let batch = masked(&linked, phones.clone());
    let expected = [Some("138****5678"), None, Some("051******0000"), Some("*******"), Some("****")];
    assert_eq!(huiliu_stage::text_column(&batch, "phone").unwrap(), &StringArray::from(expected.to_vec()));
    assert_eq!(masked(&loaded, phones), batch);
}

#[test]
fn a_column_that_is_not_there_is_told_with_its_place() {
    for factory in
        [huiliu_example::plugin().remove(0), huiliu_abi::load_library(&library()).unwrap().remove(0)]
    {
        let schema = Arc::new(Schema::new(vec![Field::new("name", DataType::Utf8, true)]));
        let host = Arc::new(MemoryHost::default());
        let error = factory.open(r#"{"columns": ["name", "phone"]}"#, schema, host).err().unwrap();
        assert_eq!(error.to_string(), "`columns[1]`: there is no column `phone` here; there are: name");
    }
}
