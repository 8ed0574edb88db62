//! Addresses: district, road, number, and the rest.

use super::regions;
use super::text::{is_han, plain};

/// An address taken apart; parts that are not there are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The lowest of 区, 县, 市, 旗 that is named.
    pub district: Vec<char>,
    /// The road's name.
    pub road: Vec<char>,
    /// The number in the road.
    pub number: Vec<char>,
    /// All after the district, letters and digits only.
    pub rest: Vec<char>,
}

/// Takes a folded address apart.
pub fn place(folded: &[char]) -> Place {
    let mut text = Vec::new();
    plain(folded, &mut text);
    let mut place = Place::default();
    let mut rest = regions::without(&text);
    // A county's name is two to five characters; a later 区 or 市 is part of a park's or a market's name.
    for _ in 0..2 {
        let end = rest
            .iter()
            .take(7)
            .enumerate()
            .position(|(i, c)| i >= 1 && matches!(c, '区' | '县' | '市' | '旗'));
        let Some(end) = end.filter(|end| rest[..*end].iter().all(|c| is_han(*c))) else { break };
        if rest.len() > end + 1 && rest[end - 1..].starts_with(&['园', '区']) {
            break;
        }
        place.district = rest[..=end].to_vec();
        rest = &rest[end + 1..];
        if rest.is_empty() {
            break;
        }
    }
    place.rest = rest.to_vec();
    let is_road = |c: &char| matches!(c, '路' | '街' | '巷' | '道' | '弄');
    if let Some(end) = rest.iter().position(is_road).filter(|end| *end > 0) {
        let end = end + rest[end + 1..].iter().take_while(|c| is_road(c)).count();
        let last = |delimiters: &[char]| {
            let at = rest[..end].iter().rposition(|c| delimiters.contains(c));
            at.filter(|at| *at > 0)
        };
        let from = last(&['园', '区', '廊']).or_else(|| last(&['城', '镇', '乡', '村', '港']));
        // A delimiter right before the suffix belongs to the name: 港路.
        let from = from.filter(|from| from + 2 < end).map_or(0, |from| from + 1);
        place.road = rest[from..=end].to_vec();
        let tail = &rest[end + 1..];
        place.number = tail.iter().take_while(|c| c.is_ascii_digit()).copied().collect();
    }
    place
}

#[cfg(test)]
mod tests {
    use super::super::text::fold;
    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let table = [
            ("株洲市醴陵市昆人路", "醴陵市", "昆人路", ""),
            ("石家庄市鹿泉区循环经济产业园紫风路853", "鹿泉区", "紫风路", "853"),
            ("江苏省苏州市太仓市临港工业园城和大道８０１号", "太仓市", "城和大道", "801"),
            ("天元区仑春路684号", "天元区", "仑春路", "684"),
            ("黄解路599号", "", "黄解路", "599"),
        ];
        for (address, district, road, number) in table {
            let mut folded = Vec::new();
            fold(address, &mut folded);
            let got = place(&folded);
            let text = |chars: &[char]| chars.iter().collect::<String>();
            assert_eq!(
                (text(&got.district), text(&got.road), text(&got.number)),
                (district.into(), road.into(), number.into()),
                "{address}"
            );
        }
    }
}
