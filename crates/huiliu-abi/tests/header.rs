//! Keeps `huiliu.h` and the Rust tables the same: the system's C compiler says how large every struct is
//! and where every field stands.
#![allow(clippy::unwrap_used)] // Helpers of tests; clippy.toml knows only the tests themselves.

use std::fmt::Write;
use std::mem::offset_of;
use std::path::Path;
use std::process::Command;

use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use huiliu_abi::tables;

/// Adds to a C program, and to what it must print, the layout of one struct.
macro_rules! layout {
    ($c:ident, $expected:ident: $($name:literal = $rust:ty { $($field:ident),* })+) => {$(
        let _ = writeln!($c, "  printf(\"%s %zu\\n\", \"{0}\", sizeof({0}));", $name);
        let _ = writeln!($expected, "{} {}", $name, size_of::<$rust>());
        $(
            let field = stringify!($field);
            let _ = writeln!($c, "  printf(\"%s %zu\\n\", \"{0}.{field}\", offsetof({0}, {field}));", $name);
            let _ = writeln!($expected, "{}.{field} {}", $name, offset_of!($rust, $field));
        )*
    )+};
}

#[test]
fn the_header_and_the_rust_tables_have_one_layout() {
    let mut c = String::from("#include <stdio.h>\n#include \"huiliu.h\"\nint main(void) {\n");
    let mut expected = String::new();
    layout!(c, expected:
        "struct ArrowSchema" = FFI_ArrowSchema { format, name, metadata, flags, n_children, children, dictionary, release, private_data }
        "struct ArrowArray" = FFI_ArrowArray {
            length, null_count, offset, n_buffers, n_children, buffers, children, dictionary, release, private_data
        }
        "HuiliuBytes" = tables::Bytes { data, len }
        "HuiliuBuffer" = tables::OwnedBytes { data, len }
        "HuiliuBatch" = tables::Batch { schema, array }
        "HuiliuErrors" = tables::Errors { size, reserved, ctx, add }
        "HuiliuStatus" = tables::Status {}
        "HuiliuHost" = tables::HostTable {
            abi_version, size, ctx, retain, release, log, now_ms, today, state_get, state_put, state_delete,
            state_scan, expression_compile, expression_evaluate, expression_release, table, count, cancelled, free
        }
        "HuiliuStage" = tables::StageTable {
            size, reserved, name, summary, option_schema, open, process, finish, close
        }
        "HuiliuPlugin" = tables::PluginTable { abi_version, size, name, version, stages, stage_count }
    );
    let constants = [
        ("HUILIU_ABI_VERSION", tables::ABI_VERSION as i32),
        ("HUILIU_OK", tables::OK),
        ("HUILIU_FAILED", tables::FAILED),
        ("HUILIU_PANICKED", tables::PANICKED),
        ("HUILIU_DEBUG", huiliu_stage::Level::Debug as i32),
        ("HUILIU_INFO", huiliu_stage::Level::Info as i32),
        ("HUILIU_WARN", huiliu_stage::Level::Warn as i32),
        ("HUILIU_ERROR", huiliu_stage::Level::Error as i32),
    ];
    for (name, value) in constants {
        let _ = writeln!(c, "  printf(\"%s %d\\n\", \"{name}\", {name});");
        let _ = writeln!(expected, "{name} {value}");
    }
    c.push_str("  return 0;\n}\n");

    assert_eq!(run(&c), expected);
}

/// Compiles as strict C99, runs, and gives what was printed.
fn run(program: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (source, binary) = (folder.path().join("layout.c"), folder.path().join("layout"));
    std::fs::write(&source, program).unwrap();
    let include = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells it")).join("include");
    let done = Command::new("cc")
        .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-I"])
        .args([&include, &source])
        .arg("-o")
        .arg(&binary)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(Command::new(&binary).output().unwrap().stdout).unwrap()
}
