//! Where two names of columns may have grown together: `PriceItemKind`, `TIMEQty`.
//!
//! A capital within a name is no seam by itself, for `ItemKind` is one name. It is one where the way of writing changes,
//! or where this name has more words than any other of the header.

/// How doubtful it is that a name ends at this seam and another begins; nothing if the seam does not show at all.
pub(super) fn doubt(one: &str, two: &str, others: &[&str]) -> Option<f64> {
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
            (vec!["DAYCLOCK", "ItemKind", "ItemText"], None),
            (vec!["名称", "数量"], None),
        ] {
            assert_eq!(parted(&names).as_deref(), expected, "{names:?}");
        }
    }
}
