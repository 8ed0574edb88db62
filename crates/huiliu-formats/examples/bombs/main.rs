//! How fast and with how much memory harmful files are refused: `cargo run --release -p huiliu-formats --example bombs`.
//!
//! Makes them in a folder for temporary files: a zip of 4 GB of zeros, zips within zips, a workbook whose sheet is
//! 500 MB of blanks, one with cells A1 and XFD1048576 (harmless if read as a stream), one with a shared string of 2 GB; of
//! OpenDocument the same kinds, and a sheet that says it repeats its one row a million times; of the old format, which packs nothing, a sheet with its
//! first and last cell, a table of texts that claims four thousand million of them, a chain of sectors that goes round,
//! and a file of 4 GB. Each is read in a process of its own, so that the peak memory printed is that file's.

mod old;

use std::error::Error;
use std::fs::File;
use std::io::{Cursor, Read as _, Seek, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use huiliu_formats::read::{ReadOptions, open_raw};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

const OASIS: &str = "urn:oasis:names:tc:opendocument:xmlns";
/// A first and a last cell, with nothing between them.
const FAR: &str = "<table:table-row><table:table-cell><text:p>1</text:p></table:table-cell></table:table-row>\
    <table:table-row table:number-rows-repeated=\"1048574\"><table:table-cell/></table:table-row>\
    <table:table-row><table:table-cell table:number-columns-repeated=\"16383\"/>\
    <table:table-cell><text:p>1</text:p></table:table-cell></table:table-row>";
/// Sixteen thousand million cells.
const REPEATED: &str = "<table:table-row table:number-rows-repeated=\"1048576\">\
    <table:table-cell table:number-columns-repeated=\"16384\"><text:p>1</text:p></table:table-cell></table:table-row>";
const FILES: [&str; 13] = [
    "zeros.zip",
    "nested.zip",
    "far.xlsx",
    "blanks.xlsx",
    "string.xlsx",
    "far.ods",
    "repeated.ods",
    "blanks.ods",
    "string.ods",
    "far.xls",
    "claims.xls",
    "round.xls",
    "long.xls",
];

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(file) = arguments.first() {
        return read(Path::new(file));
    }
    let folder = tempfile::tempdir()?;
    let at = |name: &str| folder.path().join(name);
    zip(File::create(at("zeros.zip"))?, &mut [("a.csv", &mut Run::new(b'0', 4 << 30))])?;
    std::fs::write(at("nested.zip"), nested()?)?;
    let sheet =
        |cells: &str| format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{cells}</sheetData></worksheet>");
    let one = sheet("<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>");
    let far = sheet(
        "<row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>",
    );
    workbook(&at("far.xlsx"), &mut far.as_bytes(), &mut &b""[..])?;
    workbook(&at("blanks.xlsx"), &mut Run::new(b' ', 500 << 20), &mut &b""[..])?;
    workbook(&at("string.xlsx"), &mut one.as_bytes(), &mut Run::new(b'a', 2 << 30))?;
    document(&at("far.ods"), &mut FAR.as_bytes(), 0)?;
    document(&at("repeated.ods"), &mut REPEATED.as_bytes(), 0)?;
    document(&at("blanks.ods"), &mut &b""[..], 500 << 20)?;
    document(&at("string.ods"), &mut &b"<table:table-row><table:table-cell><text:p>"[..], 2 << 30)?;
    for (name, bytes) in [("far.xls", old::far()), ("claims.xls", old::claims()), ("round.xls", old::round())]
    {
        std::fs::write(at(name), bytes)?;
    }
    // Of this one only the first sectors stand on the disk.
    std::fs::write(at("long.xls"), old::far())?;
    File::options().write(true).open(at("long.xls"))?.set_len(4 << 30)?;
    for name in FILES {
        let path = at(name);
        print!("{name} ({} bytes): ", std::fs::metadata(&path)?.len());
        std::io::stdout().flush()?;
        Command::new(std::env::current_exe()?).arg(&path).status()?;
    }
    Ok(())
}

fn read(path: &Path) -> Result<(), Box<dyn Error>> {
    let start = Instant::now();
    let told = match open_raw(path, &ReadOptions::default()) {
        Err(refused) => refused.to_string(),
        Ok(reading) => {
            let rows = reading.map(|outcome| outcome.map(|outcome| outcome.batch.num_rows()));
            match rows.collect::<Result<Vec<usize>, _>>() {
                Ok(rows) => format!("{} rows", rows.iter().sum::<usize>()),
                Err(refused) => refused.to_string(),
            }
        }
    };
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("{:.1} ms, {peak}: {told}", start.elapsed().as_secs_f64() * 1000.0);
    Ok(())
}

/// One byte again and again.
struct Run {
    byte: u8,
    left: u64,
}

impl Run {
    fn new(byte: u8, left: u64) -> Self {
        Self { byte, left }
    }
}

impl std::io::Read for Run {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        buffer[..count].fill(self.byte);
        self.left -= count as u64;
        Ok(count)
    }
}

fn zip<W: Write + Seek>(to: W, entries: &mut [(&str, &mut dyn std::io::Read)]) -> Result<(), Box<dyn Error>> {
    let mut zip = ZipWriter::new(to);
    for (name, content) in entries {
        zip.start_file(*name, SimpleFileOptions::default().large_file(true))?;
        std::io::copy(content, &mut zip)?;
    }
    zip.finish()?;
    Ok(())
}

/// A zip of zips of zips.
fn nested() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut inner = Cursor::new(Vec::new());
    zip(&mut inner, &mut [("0.csv", &mut Run::new(b'0', 100 << 20))])?;
    let mut inner = inner.into_inner();
    for _ in 0..3 {
        let mut outer = Cursor::new(Vec::new());
        let (mut a, mut b) = (&inner[..], &inner[..]);
        zip(&mut outer, &mut [("a.zip", &mut a), ("b.zip", &mut b)])?;
        inner = outer.into_inner();
    }
    Ok(inner)
}

fn workbook(
    path: &Path,
    sheet: &mut dyn std::io::Read,
    strings: &mut dyn std::io::Read,
) -> Result<(), Box<dyn Error>> {
    let package = "http://schemas.openxmlformats.org/package/2006";
    let types = format!(
        "<Types xmlns=\"{package}/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/></Types>"
    );
    let root = format!(
        "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
    );
    let book = format!(
        "<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
    );
    let parts = format!(
        "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"r1\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"r2\" Type=\"{OFFICE}/sharedStrings\" Target=\"sharedStrings.xml\"/></Relationships>"
    );
    zip(
        File::create(path)?,
        &mut [
            ("[Content_Types].xml", &mut types.as_bytes()),
            ("_rels/.rels", &mut root.as_bytes()),
            ("xl/workbook.xml", &mut book.as_bytes()),
            ("xl/_rels/workbook.xml.rels", &mut parts.as_bytes()),
            ("xl/worksheets/sheet1.xml", sheet),
            ("xl/sharedStrings.xml", strings),
        ],
    )
}

/// An OpenDocument spreadsheet of one table that begins with `rows`, after which `blanks` bytes of no meaning come.
fn document(path: &Path, rows: &mut dyn std::io::Read, blanks: u64) -> Result<(), Box<dyn Error>> {
    let head = format!(
        "<office:document-content xmlns:office=\"{OASIS}:office:1.0\" xmlns:table=\"{OASIS}:table:1.0\" \
         xmlns:text=\"{OASIS}:text:1.0\"><office:body><office:spreadsheet><table:table table:name=\"S\">"
    );
    let tail = "</table:table></office:spreadsheet></office:body></office:document-content>";
    let content = head.as_bytes().chain(rows).chain(Run::new(b' ', blanks)).chain(tail.as_bytes());
    let kind = "application/vnd.oasis.opendocument.spreadsheet";
    zip(File::create(path)?, &mut [("mimetype", &mut kind.as_bytes()), ("content.xml", &mut { content })])
}
