//! Where two names of columns may have grown together: `PriceItemKind`, `TIMEQty`.
//!
//! A capital within a name is no seam by itself, for `ItemKind` is one name. It is one where the way of writing changes,
//! or where this name has more words than any other of the header. Where no capital shows, words that name columns
//! everywhere do, or such as other names of this header begin or end with.

use super::super::shape::pattern;

/// Words that name columns everywhere.
#[rustfmt::skip]
const KNOWN: [&str; 112] = [
    "address", "age", "agency", "amount", "area", "author", "balance", "borough", "brand", "category", "city", "class",
    "code", "comment", "comments", "company", "contact", "cost", "count", "country", "county", "currency", "customer",
    "date", "day", "department", "e-mail", "description", "district", "duration", "email", "end", "event", "fax", "fee",
    "first", "from", "gender", "grade", "group", "height", "host", "hour", "id", "index", "item", "key", "kind", "label",
    "language", "last", "lat", "latitude", "length", "level", "link", "location", "lon", "longitude", "model", "month",
    "name", "no", "note", "notes", "number", "order", "owner", "percent", "percentage", "period", "person", "persons",
    "phone", "population", "postcode", "price", "product", "qty", "quantity", "rank", "rate", "ref", "region", "remark",
    "remarks", "result", "score", "sex", "size", "source", "start", "state", "status", "street", "subject", "time",
    "title", "to", "total", "town", "type", "unit", "url", "user", "value", "version", "volume", "ward", "weight", "year",
    "zip",
];
/// Chinese words that name columns everywhere.
const KNOWN_ZH: [&str; 16] = [
    "编号",
    "序号",
    "名称",
    "日期",
    "时间",
    "金额",
    "总投资",
    "备注",
    "地区",
    "单位",
    "电话",
    "地址",
    "类型",
    "数量",
    "网址",
    "年份",
];
/// Words that end a name of several.
const LAST: [&str; 10] = ["code", "date", "id", "name", "no", "number", "time", "type", "url", "year"];

/// Whether a word names columns everywhere.
pub(in crate::read::csv) fn is_known(word: &str) -> bool {
    KNOWN.contains(&word.to_lowercase().as_str())
}

/// The words of a name, by blanks, strokes and capitals.
fn parts(name: &str) -> Vec<&str> {
    let pieces = name.split([' ', '_', '-', '.', '/']).filter(|piece| !piece.is_empty());
    pieces.flat_map(|piece| words(piece).into_iter().map(move |(from, to)| &piece[from..to])).collect()
}

/// How doubtful it is that a name ends at this seam and another begins; nothing if the seam does not show at all.
pub(super) fn doubt(one: &str, two: &str, others: &[&str]) -> Option<f64> {
    // A capital within a name tells more than its words do.
    let shown = by_capitals(one, two, others).or_else(|| by_words(one, two, others));
    [shown, by_looks(one, two, others)].into_iter().flatten().min_by(f64::total_cmp)
}

/// By a capital within a name.
fn by_capitals(one: &str, two: &str, others: &[&str]) -> Option<f64> {
    let whole = format!("{one}{two}");
    let all = words(&whole);
    if !all.iter().any(|&(from, _)| from == one.len()) {
        return None;
    }
    if is_capitals(one) != is_capitals(two) {
        return Some(0.2);
    }
    let most = others.iter().map(|other| words(other).len()).max().unwrap_or(0);
    let first = |name: &str| words(name).first().map(|&(_, end)| name[..end].to_owned());
    let family = |name: &str| others.iter().any(|other| first(other) == first(name));
    if all.len() > most {
        // Halves like the other names are better than one long and one short.
        let longer = words(one).len().max(words(two).len());
        return Some(0.3 + 0.1 * longer as f64 - if family(two) { 0.05 } else { 0.0 });
    }
    Some(if family(&whole) { 2.0 } else { 1.0 })
}

/// By words that name columns everywhere, or other columns of this header.
fn by_words(one: &str, two: &str, others: &[&str]) -> Option<f64> {
    if KNOWN_ZH.iter().any(|word| one.ends_with(word)) && !one.is_empty() {
        let both = KNOWN_ZH.iter().any(|word| two.ends_with(word));
        return Some(if both { 0.3 } else { 0.8 });
    }
    let (left, right) = (parts(one), parts(two));
    let (last, first) = (*left.last()?, *right.first()?);
    if is_known(&format!("{last}{first}")) {
        return None;
    }
    let all = || others.iter().copied().chain([one, two]).map(parts);
    let seen = |word: &str, at_end: bool| {
        let same =
            all().filter(|of| of.len() > 1 && (if at_end { of.last() } else { of.first() }) == Some(&word));
        (word.len() > 1 || !at_end) && same.count() > 1
    };
    // `area` begins two names, and `ci` ends two.
    let family = [seen(last, true), seen(first, false)];
    let (ends, begins) = (is_known(last) || family[0], is_known(first) || family[1]);
    let whole = right.iter().any(|word| is_known(word));
    match (ends, begins) {
        // `ITEMCODE` and `Firstname` are one name.
        (true, true) if right.len() == 1 && LAST.contains(&first.to_lowercase().as_str()) => Some(1.1),
        (true, true) => Some(0.5),
        (true, false) if whole => Some(0.6),
        (true, false) | (false, true) if family.contains(&true) => Some(0.5),
        (true, false) if last.len() > 2 && first.chars().count() > 2 => Some(0.9),
        (false, true) if first.len() > 2 && last.chars().count() > 2 => Some(0.9),
        _ => None,
    }
}

/// By digits at the same places as in other names: `q1a`, `q1b`.
fn by_looks(one: &str, two: &str, others: &[&str]) -> Option<f64> {
    let digit = |name: &str| name.bytes().any(|b| b.is_ascii_digit());
    let alike = |name: &str| digit(name) && others.iter().any(|other| pattern(other) == pattern(name));
    (alike(one) && alike(two)).then_some(0.1)
}

/// How doubtful it is that a name ends at this blank and another begins.
pub(super) fn blank_doubt(one: &str, two: &str, others: &[&str]) -> f64 {
    let count = |name: &str| name.split_whitespace().count();
    let most = others.iter().map(|other| count(other)).max().unwrap_or(0).max(1);
    let (left, right) = (count(one), count(two));
    let word = |name: &str, last: bool| {
        let mut words = name.split_whitespace();
        (if last { words.next_back() } else { words.next() }).unwrap_or_default().to_lowercase()
    };
    let mut doubt = if left + right > most { 0.5 } else { 1.3 };
    doubt += if left.max(right) > most { 0.5 } else { 0.0 };
    let family = |name: &str, other: &str| {
        others.iter().chain([&other]).any(|of| count(of) > 1 && word(of, false) == word(name, false))
    };
    doubt -= if right > 1 && family(two, one) { 0.15 } else { 0.0 };
    doubt -= if left > 1 && family(one, two) { 0.1 } else { 0.0 };
    let (ends, begins) = (word(one, true), word(two, false));
    doubt -= if LAST.contains(&ends.as_str()) && left > 1 { 0.1 } else { 0.0 };
    let last = LAST.contains(&begins.as_str());
    doubt += if last && right > 1 { 0.1 } else { 0.0 };
    doubt - if is_known(&ends) && is_known(&begins) && !last { 0.3 } else { 0.0 }
}

/// Whether a name is written in capitals throughout.
fn is_capitals(name: &str) -> bool {
    name.chars().count() > 1 && name.chars().any(char::is_uppercase) && !name.chars().any(char::is_lowercase)
}

/// Places of the words of a name, which begin with a capital: `TIMEQty` are `TIME` and `Qty`.
fn words(name: &str) -> Vec<(usize, usize)> {
    let letters: Vec<(usize, char)> = name.char_indices().collect();
    let begins = |at: &usize| {
        let (before, here) = (letters[at - 1].1, letters[*at].1);
        let behind = letters.get(at + 1).is_some_and(|(_, next)| next.is_lowercase());
        here.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && behind))
    };
    let seams: Vec<usize> = (1..letters.len()).filter(begins).map(|at| letters[at].0).collect();
    let starts = std::iter::once(0).chain(seams.iter().copied());
    starts.zip(seams.iter().copied().chain([name.len()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cheapest way to part one of these names.
    fn parted(names: &[&str]) -> Option<String> {
        let mut best: Option<(f64, String)> = None;
        for (at, name) in names.iter().enumerate() {
            let others = [&names[..at], &names[at + 1..]].concat();
            for (place, _) in name.char_indices().skip(1) {
                let (one, two) = name.split_at(place);
                if let Some(cost) = doubt(one, two, &others).filter(|cost| *cost < 2.0)
                    && best.as_ref().is_none_or(|(least, _)| cost < *least)
                {
                    best = Some((cost, format!("{one} {two}")));
                }
            }
        }
        best.map(|(_, found)| found)
    }

    #[test]
    fn grown_together_names_are_parted_where_it_shows() {
        for (names, expected) in [
            (vec!["TIMEQty", "ItemKind", "ItemText"], Some("TIME Qty")),
            (vec!["QtyCODE", "ItemKind", "ItemText"], Some("Qty CODE")),
            (vec!["PriceItemKind", "ItemText", "Remarks"], Some("Price ItemKind")),
            (vec!["Price", "ItemKindItemText", "Remarks"], Some("ItemKind ItemText")),
            (vec!["CountAmount", "ItemKind", "ItemText"], Some("Count Amount")),
            // Nothing shows here, and the other names are whole.
            (vec!["BRAUCLOCK", "ItemKind", "ItemText"], None),
            (vec!["DAYCLOCK", "ItemKind", "ItemText"], Some("DAY CLOCK")),
            (vec!["area_codearea_name", "year", "sex"], Some("area_code area_name")),
            (vec!["rate", "lower_ciupper_ci", "sex"], Some("lower_ci upper_ci")),
            (vec!["area_code", "yearsex", "persons"], Some("year sex")),
            (vec!["q1a", "q1bq1c", "q2a"], Some("q1b q1c")),
            (vec!["daybrauch", "foo"], Some("day brauch")),
            (vec!["brauchday", "foo"], Some("brauch day")),
            (vec!["foo_barzone_x", "zone_y", "z"], Some("foo_bar zone_x")),
            // `no` begins many words.
            (vec!["now", "foo"], None),
            (vec!["名称", "数量"], None),
            (vec!["编号地方", "日期金额", "备注"], Some("日期 金额")),
        ] {
            assert_eq!(parted(&names).as_deref(), expected, "{names:?}");
        }
    }
}
