//! Shared libraries, compiled here by the system's C compiler: the example works, and every way of being
//! no plugin, or a bad one, is told exactly.
#![allow(clippy::unwrap_used)] // Helpers of tests; clippy.toml knows only the tests themselves.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use huiliu_abi::{StageFactory, load_folder, load_library};
use huiliu_stage::testing::MemoryHost;
use huiliu_stage::{Finding, Severity, Stage, StageError, Text};
use tempfile::TempDir;

/// The folder of the crate, where it is now: a test that was compiled for a clone that is gone may run for another.
fn home() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells it"))
}

/// Compiles a C source of the tree to `folder/name`.
fn compile(folder: &Path, source: &str, name: &str, flags: &[&str]) -> PathBuf {
    let (root, library) = (home(), folder.join(name));
    let done = Command::new("cc")
        .args(["-std=gnu99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .args(flags)
        .arg("-I")
        .arg(root.join("include"))
        .arg("-I")
        .arg(root.join("../../plugins/example-c"))
        .arg(root.join(source))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    library
}

const EXAMPLE: &str = "../../plugins/example-c/placeholders.c";
const FAULTY: &str = "tests/fixtures/faulty.c";

fn schema() -> SchemaRef {
    let fields = vec![Field::new("name", DataType::Utf8, true), Field::new("_row", DataType::Int64, false)];
    Arc::new(Schema::new_with_metadata(fields, [("huiliu.sender".to_owned(), "水务局".to_owned())].into()))
}

fn batch() -> RecordBatch {
    let names = StringArray::from(vec![Some("泵站"), None, Some("暂无")]);
    RecordBatch::try_new(schema(), vec![Arc::new(names), Arc::new(Int64Array::from(vec![4, 5, 6]))]).unwrap()
}

fn open(factory: &StageFactory, options: &str) -> Result<Box<dyn Stage>, StageError> {
    factory.open(options, schema(), Arc::new(MemoryHost::default())).map(|opened| opened.stage)
}

/// The message without the folder, which is another one in each run.
fn told(error: impl ToString, folder: &TempDir) -> String {
    error.to_string().replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn a_plugin_in_plain_c_reports_findings_and_passes_rows_on() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), EXAMPLE, "any-name.so", &[]);
    let factory = load_library(&library).unwrap().remove(0);
    assert_eq!(
        format!("{factory:?}"),
        format!("spot_placeholders (placeholders 1.0.0, {})", library.display())
    );

    let mut stage = open(&factory, r#"{"column":"name"}"#).unwrap();
    let outcome = stage.process(batch()).unwrap();
    assert_eq!(outcome.batch, batch());
    assert_eq!(outcome.batch.schema().metadata, schema().metadata);
    // The rows did not move.
    let (given, back) = (batch(), stage.process(batch()).unwrap().batch);
    let kept = stage.process(given.clone()).unwrap().batch;
    assert!(kept.column(0).to_data().ptr_eq(&given.column(0).to_data()) && back == given);
    // A part of a batch is as good as a whole one.
    let part = stage.process(batch().slice(2, 1)).unwrap();
    assert_eq!((part.batch, part.findings.len()), (batch().slice(2, 1), 1));

    let text = Text::new(
        "这里填的是占位词，不是内容；请填写实际内容，没有则留空",
        "this is a placeholder, not a value; give the value or leave the cell empty",
    );
    let finding = Finding::new(Some(6), Severity::Warning, "placeholder", text);
    assert_eq!(outcome.findings.0, vec![finding.with_field("name").with_raw("暂无")]);
    assert!(stage.finish().unwrap().is_none());

    for (options, expected) in [
        (r#"{"column":"nmae"}"#, "`column`: there is no text column of this name"),
        (r#"{"column":"_row"}"#, "`column`: there is no text column of this name"),
        (r#"{"column":"name","more":1}"#, "`column`: the one option is `column`, the name of a text column"),
    ] {
        assert_eq!(open(&factory, options).err().unwrap().to_string(), expected);
    }
}

#[test]
fn the_plugin_on_the_page_for_authors_works() {
    let folder = tempfile::tempdir().unwrap();
    let page = std::fs::read_to_string(home().join("../../plugins/README.md")).unwrap();
    let code = page.split("```c\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let source = folder.path().join("pass.c");
    std::fs::write(&source, code).unwrap();
    let library = compile(folder.path(), source.to_str().unwrap(), "pass.so", &["-Wno-unused-parameter"]);
    let mut stage = open(&load_library(&library).unwrap()[0], "{}").unwrap();
    assert_eq!(stage.process(batch()).unwrap().batch, batch());
}

#[test]
fn what_is_no_plugin_is_refused_with_the_exact_reason() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let whole = std::fs::read(compile(folder.path(), EXAMPLE, "good.so", &[])).unwrap();
    let mut foreign = whole.clone();
    foreign[18..20].copy_from_slice(&22_u16.to_ne_bytes());
    let mut program = whole.clone();
    program[16..18].copy_from_slice(&2_u16.to_ne_bytes());
    let wanted = std::env::consts::ARCH;

    let table = [
        (folder.path().join("none.so"), "there is no plugin `none.so`".to_owned()),
        (write("text.so", "说明\n".as_bytes()), "`text.so` is not a shared library: it is a text file".into()),
        (write("empty.so", b""), "`empty.so` is not a shared library: it is empty".into()),
        (write("head.so", &whole[..30]), "`head.so` is not a shared library: it is damaged".into()),
        (write("half.so", &whole[..whole.len() / 2]), "`half.so` is not a shared library: it is cut short".into()),
        (write("program.so", &program), "`program.so` is not a shared library: it is a program or an object file".into()),
        (write("foreign.so", &foreign), format!("plugin `foreign.so` was built for s390x, this program for {wanted}; build it for {wanted}")),
        (compile(folder.path(), FAULTY, "entry.so", &["-DENTRY=other"]), "`entry.so` is a library but no plugin: it exports no symbol `huiliu_plugin_v1`".into()),
        (compile(folder.path(), FAULTY, "v2.so", &["-DENTRY=huiliu_plugin_v2"]), "plugin `v2.so` speaks another version: it exports `huiliu_plugin_v2`, this program wants `huiliu_plugin_v1`".into()),
        (compile(folder.path(), FAULTY, "version.so", &["-DVERSION=7"]), "plugin `version.so` has ABI version 7, this program wants 1; build it against the `huiliu.h` of this program".into()),
        (compile(folder.path(), FAULTY, "small.so", &["-DPLUGIN_SIZE=24"]), "plugin `small.so`: the table of the plugin has 24 bytes, at least 56 are needed".into()),
        (compile(folder.path(), FAULTY, "stage.so", &["-DSTAGE_SIZE=8"]), "plugin `stage.so`: the table of a stage has 8 bytes, at least 88 are needed".into()),
        (compile(folder.path(), FAULTY, "null.so", &["-DTABLE=NULL"]), "plugin `null.so`: the plugin's table is missing".into()),
        (compile(folder.path(), FAULTY, "none0.so", &["-DCOUNT=0"]), "plugin `none0.so`: every stage is missing".into()),
        (compile(folder.path(), FAULTY, "twice.so", &["-DCOUNT=2"]), "plugin `twice.so` has two stages named `faulty`".into()),
        (compile(folder.path(), FAULTY, "lacks.so", &["-DPROCESS=NULL"]), "plugin `lacks.so`: function `process` of stage `faulty` is missing".into()),
        (compile(folder.path(), FAULTY, "json.so", &["-DSCHEMA=\"{\""]), "plugin `json.so`: the option schema of stage `faulty` is unusable: EOF while parsing an object at line 1 column 1".into()),
    ];
    for (path, expected) in &table {
        let error = load_library(path).unwrap_err();
        assert_eq!(&told(error, &folder), expected);
    }

    // A bad neighbour stops nobody; what does not end in `.so` is not looked at.
    write("README.txt", b"plugins");
    let (stages, errors) = load_folder(folder.path());
    assert_eq!(stages.len(), 1, "{stages:?}");
    assert_eq!(errors.len(), table.len() - 1, "{errors:?}");
    assert_eq!(told(&errors[0], &folder), table[2].1);
}

#[test]
fn garbage_from_a_plugin_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let factory = load_library(&compile(folder.path(), FAULTY, "faulty.so", &[])).unwrap().remove(0);
    let who = "stage `faulty` of plugin `faulty`";
    for (fault, expected) in [
        ("unknown status", "panicked: it failed without saying why; it is not called again"),
        ("no batch", "gave no batch"),
        ("bad finding", "gave unusable findings: `fatal` is not a severity that findings may have"),
        ("too long", "gave an unusable batch: "),
        ("negative", "gave an unusable batch: an array says it has -1 values from 0"),
        ("huge offset", "gave an unusable batch: an array says it has 3 values from 9223372036854775807"),
        ("fewer columns", "gave an unusable batch: an array of Struct"),
        ("wrong nulls", "gave an unusable batch: an array of Utf8 says it has 2 nulls"),
        ("not UTF-8", "gave an unusable batch: column `name` is broken: "),
        ("offsets go back", "gave an unusable batch: column `name` is broken: "),
        ("offset below zero", "gave an unusable batch: the last offset of an array of Utf8 is -4"),
        ("no offsets", "gave an unusable batch: "),
        (
            "another schema",
            "gave an unusable batch: the batch has a column `name` of Int64 where `name` of Utf8 was planned",
        ),
    ] {
        let mut stage = open(&factory, &format!(r#"{{"fault":"{fault}"}}"#)).unwrap();
        let told = stage.process(batch()).map(|outcome| outcome.batch).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{who} {expected}")), "{fault}: {told}");
    }

    // Without a schema of its own, a batch has the planned one, and the facts of the one that came in.
    let mut stage = open(&factory, r#"{"fault":"no schema"}"#).unwrap();
    assert_eq!(stage.process(batch()).unwrap().batch.schema(), schema());

    let two = open(&factory, r#"{"fault":"two problems"}"#).err().unwrap();
    assert_eq!(two.to_string(), "`rules[0].check`: the first; `rules[1]`: the second");
    let none = open(&factory, r#"{"fault":"refused silently"}"#).err().unwrap();
    assert_eq!(none.to_string(), "it failed without saying why");
    assert!(batch().column(0).as_string::<i32>().is_null(1));
}
