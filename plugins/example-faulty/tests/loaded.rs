//! A stage that panics, linked in and loaded: each time an error that names it, and it is never called again.
#![allow(clippy::unwrap_used)] // Helpers of tests; clippy.toml knows only the tests themselves.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use huiliu_abi::StageFactory;
use huiliu_stage::Opened;
use huiliu_stage::testing::MemoryHost;

fn batch() -> RecordBatch {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("_row", DataType::Int64, false)]));
    RecordBatch::try_new(schema, vec![Arc::new(Int64Array::from(vec![2, 3]))]).unwrap()
}

fn both() -> [StageFactory; 2] {
    let test = std::env::current_exe().unwrap();
    let library: PathBuf = test.parent().unwrap().join("libhuiliu_example_faulty.so");
    [huiliu_example_faulty::plugin().remove(0), huiliu_abi::load_library(&library).unwrap().remove(0)]
}

fn open(factory: &StageFactory, when: &str) -> Result<Opened, String> {
    let options = format!(r#"{{"when": "{when}"}}"#);
    factory
        .open(&options, batch().schema(), Arc::new(MemoryHost::default()))
        .map_err(|error| error.to_string())
}

#[test]
fn a_panic_is_an_error_and_the_stage_is_never_called_again() {
    let who = "stage `panics` of plugin `huiliu-example-faulty`";
    for factory in both() {
        let mut stage = open(&factory, "process").unwrap().stage;
        stage.process(batch()).unwrap();
        let told = stage.process(batch()).unwrap_err().to_string();
        assert_eq!(told, format!("{who} panicked: batch 2 was too much; it is not called again"));
        for told in [stage.process(batch()).unwrap_err(), stage.finish().unwrap_err()] {
            assert_eq!(told.to_string(), format!("{who} panicked before and is not called again"));
        }

        let mut stage = open(&factory, "finish").unwrap().stage;
        let told = stage.finish().unwrap_err().to_string();
        assert_eq!(told, format!("{who} panicked: the end was too much; it is not called again"));

        let told = open(&factory, "open").err().unwrap();
        assert!(told.starts_with(&format!("{who} panicked")), "{told}");
        assert!(told.contains("the faulty stage was opened"), "{told}");

        // A panic in a destructor is heard by nobody, and ends nothing.
        drop(open(&factory, "close").unwrap());
        open(&factory, "process").unwrap().stage.process(batch()).unwrap();
    }
}
