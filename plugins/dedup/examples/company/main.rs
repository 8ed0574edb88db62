//! How well names of companies are made comparable, held against names whose brand somebody has marked.
//!
//! ```text
//! cargo run --release -p huiliu-dedup --example company -- ../shared/data/er/zh-company-brand [--wrong N]
//! ```
//!
//! FOLDER holds `records.csv` with `company` and `brand` (empty: it has none). Printed are
//!
//! - *set aside*: of the names with a brand, those whose core begins with it: region set aside, brand left whole;
//! - *found again*: of the ways in which such a name is also written (without its region, without its legal form, with
//!   the region in brackets behind the brand), those with the same core or full name: what the linkage calls one company;
//! - *mixed up*: pairs of different companies with the same core: equal names would be taken for one. Of names without a
//!   brand little but the business is left, so they are counted by themselves.
//!
//! Nothing is written.

#[path = "../linkage/rows.rs"]
mod rows;

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;

use huiliu_dedup::link::normalise::{company, text};

/// A name made comparable.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Made {
    full: String,
    core: String,
}

fn made(name: &str) -> Made {
    let (mut folded, mut full, mut core) = (Vec::new(), Vec::new(), Vec::new());
    text::fold(name, &mut folded);
    company::company(&folded, &mut full, &mut core);
    Made { full: full.into_iter().collect(), core: core.into_iter().collect() }
}

/// The same company, written otherwise: each way with its name.
fn ways(name: &str, brand: &str) -> Vec<(&'static str, String)> {
    let Some(at) = name.find(brand) else { return Vec::new() };
    let (before, rest) = (&name[..at], &name[at + brand.len()..]);
    let forms = ["股份有限公司", "有限责任公司", "有限公司", "公司"];
    let form = forms.iter().find(|form| rest.ends_with(**form) && rest.len() > form.len());
    let mut ways = Vec::new();
    if !before.is_empty() {
        ways.push(("without region", format!("{brand}{rest}")));
        ways.push(("region in brackets", format!("{brand}({before}){rest}")));
    }
    if let Some(form) = form {
        ways.push(("without legal form", name[..name.len() - form.len()].to_owned()));
        ways.push(("brand and business", format!("{brand}{}", &rest[..rest.len() - form.len()])));
    }
    ways
}

fn share(part: usize, all: usize) -> String {
    format!("{part} of {all} ({:.1} %)", 100.0 * part as f64 / (all as f64).max(1.0))
}

/// Pairs with the same core among different names.
fn mixed_up<'a>(names: impl Iterator<Item = &'a str>) -> Vec<(&'a str, &'a str)> {
    let mut of: HashMap<String, Vec<&str>> = HashMap::new();
    names.for_each(|name| of.entry(made(name).core).or_default().push(name));
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for names in of.values() {
        for (at, a) in names.iter().enumerate() {
            pairs.extend(names[at + 1..].iter().filter(|b| *b != a).map(|b| (*a, *b)));
        }
    }
    pairs.sort_unstable();
    pairs
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut given = std::env::args().skip(1);
    let (mut folder, mut wrong) = (PathBuf::new(), 0);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--wrong" => wrong = given.next().ok_or("--wrong needs a number")?.parse()?,
            _ => folder = word.into(),
        }
    }
    let table = rows::Table::read(std::fs::File::open(folder.join("records.csv"))?)?;
    let column = |name: &str| table.column(name).ok_or(format!("no column {name}"));
    let (company, brand) = (column("company")?, column("brand")?);
    let names: Vec<(&str, &str)> =
        (1..table.rows()).map(|row| (table.get(row, company), table.get(row, brand))).collect();
    let branded: Vec<(&str, &str)> = names.iter().copied().filter(|(_, brand)| !brand.is_empty()).collect();

    let begins = |(name, brand): &&(&str, &str)| made(name).core.starts_with(&made(brand).full);
    let right = branded.iter().filter(begins).count();
    println!("{}: {} names, {} with a brand", folder.display(), names.len(), branded.len());
    println!("set aside: {}", share(right, branded.len()));
    let not = branded.iter().filter(|pair| !begins(pair));
    not.take(wrong).for_each(|(name, brand)| println!("   {name} | {brand} | {}", made(name).core));

    let mut of_way: Vec<(&str, usize, usize)> = Vec::new();
    let mut missed = Vec::new();
    for (name, brand) in &branded {
        let own = made(name);
        for (way, other) in ways(name, brand) {
            let found = made(&other);
            let same = found.core == own.core || found.full == own.full;
            match of_way.iter_mut().find(|(known, ..)| *known == way) {
                Some((_, right, all)) => (*right, *all) = (*right + usize::from(same), *all + 1),
                None => of_way.push((way, usize::from(same), 1)),
            }
            if !same {
                missed.push((way, *name, other));
            }
        }
    }
    let (right, all) = of_way.iter().fold((0, 0), |(right, all), way| (right + way.1, all + way.2));
    println!("found again: {}", share(right, all));
    of_way.iter().for_each(|(way, right, all)| println!("   {way}: {}", share(*right, *all)));
    missed.iter().take(wrong).for_each(|(way, name, other)| println!("   {way}: {name} | {other}"));

    for (what, brandless) in [("with a brand", false), ("without a brand", true)] {
        let of = names.iter().filter(|(_, brand)| brand.is_empty() == brandless).map(|(name, _)| *name);
        let mixed = mixed_up(of);
        println!("mixed up, names {what}: {} pairs", mixed.len());
        mixed.iter().take(wrong).for_each(|(a, b)| println!("   {a} | {b}"));
    }
    Ok(())
}
