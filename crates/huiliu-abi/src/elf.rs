//! A look into a library's file before any of its code runs.
//!
//! Loading a library runs its initialisers, and loading half a file kills the process. So whether it is
//! whole, made for this machine, and a plugin at all is read from the file first. What is absent: relocations,
//! versions and everything else that the system's loader does better.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Why a file is not a library for this machine.
#[derive(Debug)]
pub(crate) enum Fault {
    /// What it is instead.
    NotALibrary(String),
    /// What it was built for.
    Machine(String),
    /// It could not be read.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::NotALibrary("it is cut short".into()),
            io::ErrorKind::IsADirectory => Self::NotALibrary("it is a folder".into()),
            _ => Self::Io(error),
        }
    }
}

const ET_DYN: u16 = 3;
const PT_LOAD: u32 = 1;
const SHT_DYNSYM: u32 = 11;

/// Names of machines by their number in an ELF header.
const MACHINES: [(u16, &str); 9] = [
    (3, "x86"),
    (22, "s390x"),
    (8, "mips"),
    (21, "powerpc64"),
    (40, "arm"),
    (62, "x86_64"),
    (183, "aarch64"),
    (243, "riscv64"),
    (258, "loongarch64"),
];

/// What this program was built for.
pub(crate) const MACHINE: &str = std::env::consts::ARCH;

/// Bytes of a file or of a part of it, read by place.
struct Bytes(Vec<u8>);

impl Bytes {
    fn read(file: &File, from: u64, len: u64) -> Result<Self, Fault> {
        let end = from.checked_add(len).filter(|end| file.metadata().is_ok_and(|m| *end <= m.len()));
        if end.is_none() {
            return Err(Fault::NotALibrary("it is cut short".into()));
        }
        let mut bytes = vec![0; len as usize];
        file.read_exact_at(&mut bytes, from)?;
        Ok(Self(bytes))
    }

    fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], Fault> {
        let part = at.checked_add(N).and_then(|end| self.0.get(at..end));
        part.and_then(|part| part.try_into().ok()).ok_or_else(|| Fault::NotALibrary("it is damaged".into()))
    }

    fn u16(&self, at: usize) -> Result<u16, Fault> {
        self.array(at).map(u16::from_ne_bytes)
    }

    fn u32(&self, at: usize) -> Result<u32, Fault> {
        self.array(at).map(u32::from_ne_bytes)
    }

    fn u64(&self, at: usize) -> Result<u64, Fault> {
        self.array(at).map(u64::from_ne_bytes)
    }

    /// The text at `at` up to its NUL, if it begins with `prefix`.
    fn text(&self, at: usize, prefix: &str) -> Option<String> {
        let rest = self.0.get(at..).filter(|rest| rest.starts_with(prefix.as_bytes()))?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        String::from_utf8(rest[..end].to_vec()).ok()
    }
}

/// The exported symbols of a library that begin with `prefix`; `None` if the file does not tell.
pub(crate) fn exported_symbols(file: &File, prefix: &str) -> Result<Option<Vec<String>>, Fault> {
    let head = Bytes::read(file, 0, file.metadata()?.len().min(64))?;
    if !head.0.starts_with(b"\x7fELF") {
        return Err(Fault::NotALibrary(kind_of(&head.0).into()));
    }
    let (class, order) = (head.array::<1>(4)?[0], head.array::<1>(5)?[0]);
    if order != if cfg!(target_endian = "little") { 1 } else { 2 } {
        return Err(Fault::Machine("a machine of the other byte order".into()));
    }
    let machine = head.u16(18)?;
    let name = MACHINES.iter().find(|(number, _)| *number == machine).map(|(_, name)| *name);
    // On a machine that has no name here, the system's loader decides.
    let known = MACHINES.iter().any(|(_, name)| *name == MACHINE);
    if known && name != Some(MACHINE) {
        let name = name.map_or_else(|| format!("machine number {machine}"), str::to_owned);
        return Err(Fault::Machine(name));
    }
    if head.u16(16)? != ET_DYN {
        return Err(Fault::NotALibrary("it is a program or an object file".into()));
    }
    // The layout below is that of 64-bit files; others are left to the system's loader.
    if class != 2 {
        return Ok(None);
    }
    whole(file, &head)?;
    symbols(file, &head, prefix)
}

fn kind_of(head: &[u8]) -> &'static str {
    match head {
        [] => "it is empty",
        [b'M', b'Z', ..] => "it is a Windows library",
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] => "it is a macOS library",
        _ if head
            .iter()
            .all(|byte| *byte >= 0x80 || !byte.is_ascii_control() || byte.is_ascii_whitespace()) =>
        {
            "it is a text file"
        }
        _ => "it does not begin as one",
    }
}

/// Whether all that is to be loaded is in the file.
fn whole(file: &File, head: &Bytes) -> Result<(), Fault> {
    let (from, each, count) = (head.u64(32)?, head.u16(54)?, head.u16(56)?);
    let parts = Bytes::read(file, from, u64::from(each) * u64::from(count))?;
    for i in 0..usize::from(count) {
        let at = i * usize::from(each);
        if parts.u32(at)? == PT_LOAD {
            let end = parts.u64(at + 8)?.checked_add(parts.u64(at + 32)?);
            if end.is_none_or(|end| file.metadata().is_ok_and(|m| m.len() < end)) {
                return Err(Fault::NotALibrary("it is cut short".into()));
            }
        }
    }
    Ok(())
}

fn symbols(file: &File, head: &Bytes, prefix: &str) -> Result<Option<Vec<String>>, Fault> {
    let (from, each, count) = (head.u64(40)?, usize::from(head.u16(58)?), usize::from(head.u16(60)?));
    let sections = Bytes::read(file, from, (each * count) as u64)?;
    for i in 0..count {
        let at = i * each;
        if sections.u32(at + 4)? != SHT_DYNSYM {
            continue;
        }
        let names_at = sections.u32(at + 40)? as usize * each;
        let names = Bytes::read(file, sections.u64(names_at + 24)?, sections.u64(names_at + 32)?)?;
        let table = Bytes::read(file, sections.u64(at + 24)?, sections.u64(at + 32)?)?;
        let mut found = Vec::new();
        for symbol in (0..table.0.len() / 24).map(|n| n * 24) {
            let defined = table.u16(symbol + 6)? != 0;
            let name = names.text(table.u32(symbol)? as usize, prefix);
            found.extend(name.filter(|_| defined));
        }
        found.sort();
        return Ok(Some(found));
    }
    Ok(None)
}
