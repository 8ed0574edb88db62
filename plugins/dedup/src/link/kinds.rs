//! What the values of a field are, where the configuration does not say: told by the field's name and,
//! where values are at hand, by what they look like.
//!
//! Naming the fields is enough. A guess never outweighs what was configured, and a wrong one costs little:
//! weights are learnt from the data whatever the kind is.

use super::config::{Config, FieldConfig, Kind};
use super::engine::Row;
use super::features::{MOST_SLOTS, width};
use super::normalise::marks::{self, Class};
use super::normalise::text::{fold, is_han};
use super::normalise::{company, date, identifier, money};

/// Rows that are looked at.
const LOOKED_AT: usize = 1_000;
/// Values that say enough.
const ENOUGH: usize = 20;
/// Mean characters of a text beyond which it is a description.
const LONG: usize = 100;

/// Words in the names of fields, and what such a field holds; the first that fits counts.
const NAMES: [(&[&str], Kind); 8] = [
    (&["uscc", "credit_code", "social_credit", "org_code", "信用代码", "机构代码"], Kind::CreditCode),
    (&["project_code", "项目代码"], Kind::ProjectCode),
    (&["date", "birth", "year", "日期", "时间", "年份", "出生"], Kind::Date),
    (
        &["amount", "price", "cost", "invest", "money", "budget", "投资", "金额", "造价", "价格", "概算"],
        Kind::Money,
    ),
    (&["addr", "location", "site", "地址", "地点", "位置", "住所"], Kind::Place),
    (
        &[
            "phone", "tel", "mobile", "fax", "isbn", "issn", "doi", "sku", "ssn", "number", "code", "_id",
            "_no",
        ],
        Kind::Identifier,
    ),
    (&["电话", "手机", "编号", "号码", "证号", "代码", "文号"], Kind::Identifier),
    (
        &["company", "owner", "enterprise", "employer", "builder", "单位", "企业", "公司", "业主"],
        Kind::Company,
    ),
];

/// What the name of a field says of its values.
pub(super) fn by_name(field: &str) -> Kind {
    let field = field.to_lowercase();
    let person = ["given", "first", "last", "sur", "family", "middle", "author", "person", "姓名", "联系人"];
    if let Some((_, kind)) = NAMES.iter().find(|(words, _)| words.iter().any(|word| field.contains(word))) {
        return *kind;
    }
    let name = ["name", "title", "名称"].iter().any(|word| field.contains(word));
    if name && !person.iter().any(|word| field.contains(word)) { Kind::Name } else { Kind::Text }
}

/// Fills in what the configuration leaves open, by the names of the fields alone.
pub(super) fn complete(config: &mut Config) {
    let open: Vec<bool> = config.fields.iter().map(|field| field.kind.is_none()).collect();
    for field in &mut config.fields {
        field.kind = Some(field.kind.unwrap_or_else(|| by_name(&field.field)));
    }
    narrow(config, &open);
    group(config);
}

/// The same, where `rows` show what the values look like. `given` is the configuration as it was written.
pub(super) fn complete_by_values(given: &Config, rows: &[Row<'_>]) -> Config {
    let mut config = given.clone();
    let open: Vec<bool> = config.fields.iter().map(|field| field.kind.is_none()).collect();
    for (at, field) in config.fields.iter_mut().enumerate() {
        let values: Vec<Vec<char>> = values(rows, at).collect();
        let named = by_name(&field.field);
        field.kind = Some(field.kind.unwrap_or_else(|| by_values(&values, named)));
        if field.kind == Some(Kind::Money) && field.unit.is_none() {
            units(field, at, rows);
        }
    }
    narrow(&mut config, &open);
    group(&mut config);
    config
}

/// Values of a field, folded, from all over the rows: sources follow one another.
fn values<'r>(rows: &'r [Row<'r>], at: usize) -> impl Iterator<Item = Vec<char>> {
    let every = rows.len().div_ceil(LOOKED_AT).max(1);
    let given = rows.iter().step_by(every).filter_map(move |row| row.values.get(at).copied()?);
    given.map(|value| {
        let mut folded = Vec::new();
        fold(value, &mut folded);
        folded
    })
}

/// What values look like; where they do not say, the name of their field decides.
fn by_values(values: &[Vec<char>], named: Kind) -> Kind {
    if values.len() < ENOUGH {
        return named;
    }
    let share = |is: &dyn Fn(&[char]) -> bool| {
        values.iter().filter(|value| is(value)).count() as f64 / values.len() as f64
    };
    let mut out = Vec::new();
    let codes = values.iter().filter(|value| {
        identifier::credit_code(value, &mut out);
        value.len() == 18 && out.len() == 9 && identifier::credit_checks(value)
    });
    if codes.count() * 2 > values.len() {
        return Kind::CreditCode;
    }
    let digits = |value: &[char]| value.iter().filter(|c| c.is_ascii_digit()).count();
    let bare = |value: &[char]| value.iter().all(|c| c.is_ascii_digit() || matches!(c, '-' | ' '));
    if share(&|value| digits(value) == 20 && bare(value)) > 0.5 {
        return Kind::ProjectCode;
    }
    if share(&|value| value.len() <= 24 && date::date(value).is_some()) > 0.7 {
        return Kind::Date;
    }
    let amount = |value: &[char]| {
        let rest = value.iter().filter(|c| !c.is_ascii_digit() && !matches!(c, '.' | ',' | ' ')).count();
        rest <= 4 && digits(value) > 0 && money::money(value, 1.0).is_some()
    };
    let priced = |value: &[char]| {
        amount(value)
            && (value.contains(&'.')
                || value.iter().any(|c| matches!(c, '元' | '万' | '亿' | '$' | '¥' | '€')))
    };
    if share(&priced) > 0.5 || named == Kind::Money && share(&amount) > 0.5 {
        return Kind::Money;
    }
    let numbered = |value: &[char]| digits(value) * 2 > value.len() && !value.iter().any(|c| is_han(*c));
    if share(&|value| numbered(value) && value.len() >= 6) > 0.7 {
        return Kind::Identifier;
    }
    text_by_values(values, named, &share)
}

/// The share of values that something is true of.
type Share<'a> = dyn Fn(&dyn Fn(&[char]) -> bool) -> f64 + 'a;

/// The same, of what is no number.
fn text_by_values(values: &[Vec<char>], named: Kind, share: &Share<'_>) -> Kind {
    let han = share(&|value| value.iter().any(|c| is_han(*c))) > 0.5;
    if share(&company::is_company) > 0.4 {
        return Kind::Company;
    }
    let any = |value: &[char], of: &[char]| value.iter().any(|c| of.contains(c));
    let place = |value: &[char]| {
        any(value, &['路', '街', '道', '巷', '村', '镇', '乡']) && any(value, &['省', '市', '区', '县', '号'])
    };
    if share(&place) > 0.5 && named != Kind::Name {
        return Kind::Place;
    }
    if !han && values.iter().map(Vec::len).sum::<usize>() > LONG * values.len() {
        return Kind::Description;
    }
    let (mut found, mut rest) = (Vec::new(), Vec::new());
    let marked = values.iter().filter(|value| {
        marks::cut(value, &mut found, &mut rest);
        found.iter().any(|mark| mark.class != Class::Action)
    });
    let marked = marked.count() as f64 / values.len() as f64;
    match named {
        Kind::Company if han => Kind::Company,
        Kind::Identifier if share(&|value| value.iter().any(char::is_ascii_digit)) > 0.5 => Kind::Identifier,
        // Versions and sizes keep products apart; names without any number are plain text.
        Kind::Name if share(&|value| value.iter().any(char::is_ascii_digit)) > 0.25 => Kind::Name,
        _ if marked > 0.2 && (han || named == Kind::Name) => Kind::Name,
        Kind::Name if han => Kind::Name,
        _ => Kind::Text,
    }
}

/// Makes guessed names plain texts until all slots find room. What was configured stays.
fn narrow(config: &mut Config, open: &[bool]) {
    let mut names = 0;
    for (at, open) in open.iter().enumerate() {
        let guessed = *open && config.fields[at].kind == Some(Kind::Name);
        let all: usize = config.fields.iter().map(|field| width(field.kind())).sum();
        if guessed && (names > 0 || all > MOST_SLOTS) {
            config.fields[at].kind = Some(Kind::Text);
        }
        names += usize::from(config.fields[at].kind == Some(Kind::Name));
    }
}

/// Company, credit code and address tell one story, unless the configuration groups fields itself.
fn group(config: &mut Config) {
    let owner =
        |field: &FieldConfig| matches!(field.kind, Some(Kind::Company | Kind::CreditCode | Kind::Place));
    let grouped = config.fields.iter().any(|field| field.group.is_some());
    if grouped || config.fields.iter().filter(|field| owner(field)).count() < 2 {
        return;
    }
    config.fields.iter_mut().filter(|field| owner(field)).for_each(|field| {
        field.group = Some("owner".into());
    });
}

/// Guesses the unit that each source leaves out: the one that brings its median nearest to that of the
/// amounts that name theirs.
fn units(field: &mut FieldConfig, at: usize, rows: &[Row<'_>]) {
    let (mut named, mut bare) = (Vec::new(), std::collections::BTreeMap::<&str, Vec<f64>>::new());
    let every = rows.len().div_ceil(LOOKED_AT * 20).max(1);
    let given =
        rows.iter().step_by(every).filter_map(|row| Some((row.source, row.values.get(at).copied()??)));
    let mut folded = Vec::new();
    for (source, value) in given {
        fold(value, &mut folded);
        let (Some(one), Some(two)) = (money::money(&folded, 1.0), money::money(&folded, 2.0)) else {
            continue;
        };
        if one == two { named.push(one) } else { bare.entry(source).or_default().push(one) }
    }
    let Some(usual) = median(&mut named) else { return };
    for (source, mut amounts) in bare {
        let Some(middle) = median(&mut amounts) else { continue };
        let far = |unit: &&str| (money::unit(unit).unwrap_or(1.0) * middle / usual).ln().abs();
        let nearest = ["元", "万元", "亿元"].into_iter().min_by(|a, b| far(a).total_cmp(&far(b)));
        if let Some(unit) = nearest {
            field.units.entry(source.to_owned()).or_insert_with(|| unit.to_owned());
        }
    }
}

fn median(values: &mut [f64]) -> Option<f64> {
    if values.len() < ENOUGH {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<'a>(values: &'a [Vec<String>], source: &'a str) -> Vec<Row<'a>> {
        let row =
            |row: &'a Vec<String>| Row { values: row.iter().map(|v| Some(v.as_str())).collect(), source };
        values.iter().map(row).collect()
    }

    fn config(fields: &[&str]) -> Config {
        let fields: Vec<_> = fields.iter().map(|field| serde_json::json!({"field": field})).collect();
        serde_json::from_value(serde_json::json!({"fields": fields})).unwrap()
    }

    #[test]
    fn values_say_what_they_are_whatever_their_field_is_called() {
        let values: Vec<Vec<String>> = (0..40)
            .map(|i| {
                vec![
                    format!("年产{i}万吨聚丙烯项目"),
                    format!("杭州市余杭区学军路{i}号"),
                    format!("杭州{}化工有限公司", char::from_u32(0x4e00 + i).unwrap()),
                    format!("2023-{}-11", 1 + i % 12),
                    format!("{i}.50万元"),
                    format!("2020-430281-36-03-1872{:02}", i),
                    format!("310/246-15{i:02}"),
                    format!("Query Processing in {} Systems", ["Parallel", "Deductive"][i as usize % 2]),
                ]
            })
            .collect();
        let found =
            complete_by_values(&config(&["a", "b", "c", "d", "e", "f", "g", "h"]), &rows(&values, "s"));
        let kinds: Vec<Kind> = found.fields.iter().map(FieldConfig::kind).collect();
        let expected = [
            Kind::Name,
            Kind::Place,
            Kind::Company,
            Kind::Date,
            Kind::Money,
            Kind::ProjectCode,
            Kind::Identifier,
            Kind::Text,
        ];
        assert_eq!(kinds, expected);
        assert_eq!(found.fields[1].group, found.fields[2].group, "company and address tell one story");
    }

    #[test]
    fn what_is_configured_is_kept() {
        let mut given = config(&["date", "company"]);
        given.fields[0].kind = Some(Kind::Text);
        let values = vec![vec!["2023-01-01".to_owned(), "x".to_owned()]; 30];
        assert_eq!(complete_by_values(&given, &rows(&values, "s")).fields[0].kind, Some(Kind::Text));
    }

    #[test]
    fn the_unit_that_a_source_leaves_out_is_found_by_the_size_of_its_amounts() {
        let yuan: Vec<Vec<String>> = (1..60).map(|i| vec![format!("{}", i * 10_000)]).collect();
        let wan: Vec<Vec<String>> = (1..60).map(|i| vec![format!("{i}")]).collect();
        let said: Vec<Vec<String>> = (1..60).map(|i| vec![format!("{i}万元")]).collect();
        let all = [rows(&yuan, "a"), rows(&wan, "b"), rows(&said, "c")].concat();
        let found = complete_by_values(&config(&["amount"]), &all);
        let unit = |source: &str| found.fields[0].units.get(source).map(String::as_str);
        assert_eq!((unit("a"), unit("b"), unit("c")), (Some("元"), Some("万元"), None));
    }
}
