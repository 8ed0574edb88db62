//! Periods where one day is asked for: `2022-2025`, `2023年3-6月`.

use huiliu_stage::Severity;

use super::shape::shaped;
use super::{Asked, End};
use crate::read::value::Parsed;

/// One end of a period: `2022-2025`, `2022—2024年`, `2022.5-2024.12`, `2023年3-6月`.
pub(super) fn period(tidy: &str, today: i32, asked: Asked) -> Option<Parsed<i32>> {
    let parted = tidy.char_indices().filter(|(_, c)| matches!(c, '-' | '—' | '–' | '~' | '至' | '到' | '/'));
    let (first, last) = parted
        .filter_map(|(at, c)| {
            let before = tidy[..at].trim_end_matches(['-', '—', '–', '~']);
            let behind = tidy[at + c.len_utf8()..].trim_start_matches(['-', '—', '–', '~']);
            Some((bound(before, behind, today)?, bound(behind, before, today)?))
        })
        .find(|(first, last)| first <= last)?;
    let (value, zh, en) = match asked.end {
        Some(End::First) => (first, "取其起始", "its beginning was taken"),
        Some(End::Last) => (last, "取其结束", "its end was taken"),
        None => {
            return Some(Parsed::bad(
                "V11",
                "是一段时间，不是一个日期；请只填一个日期，如 2023-03-15",
                "is a period and no date; write one date, like 2023-03-15",
            ));
        }
    };
    let zh = format!("是一段时间，{zh}，按所写年份或月份的第一天处理；请只填一个日期");
    let en = format!("is a period; {en}, as the first day of the year or month written; write one date");
    Some(Parsed::noted(Some(value), Severity::Info, "V11", zh, en))
}

/// A bound of a period; what it leaves out stands in the `other`: the year in front, 年 or 月 behind.
fn bound(text: &str, other: &str, today: i32) -> Option<i32> {
    if text.is_empty() || other.is_empty() {
        return None;
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit());
    let whole = match (plain, text.len()) {
        // 2022 of 2022-2025.
        (true, 4) => format!("{text}年"),
        // 23 of 23-25年.
        (true, 2) if other.ends_with('年') => format!("{text}年"),
        (true, 1 | 2) if other.ends_with('月') && !other.contains('年') => format!("{text}月"),
        _ => match other.split_once('年') {
            // 6月 of 2023年3-6月.
            Some((year, _)) if text.ends_with('月') && !text.contains('年') => format!("{year}年{text}"),
            _ if text.contains('年')
                && text.ends_with(|c: char| c.is_ascii_digit())
                && other.ends_with('月') =>
            {
                format!("{text}月")
            }
            _ => text.to_owned(),
        },
    };
    let parts = whole.matches(['.', '年', '月', '/', '-']).count();
    (parts > 0).then(|| shaped(&whole, today)?.value)?
}
