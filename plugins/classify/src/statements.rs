//! A remark parted into its matters.
//!
//! Matters are parted by line ends, `；`, `。` and by numbers in front: `1.` `2、` `（3）` `①` 一是 二是. A point within a number
//! (`3.5亿`) parts nothing, and a comma neither: it stands within one matter more often than between two.

/// The matters of a text, in order, without numbers and punctuation around them.
pub(crate) fn statements(text: &str) -> Vec<&str> {
    let mut all = Vec::new();
    for part in text.split(['\n', '\r', ';', '；', '。']) {
        let mut rest = part;
        while let Some(at) = next_number(rest) {
            all.push(&rest[..at]);
            rest = &rest[at + number(&rest[at..]).unwrap_or(1)..];
        }
        all.push(rest);
    }
    all.into_iter().map(trimmed).filter(|matter| !matter.is_empty()).collect()
}

/// Whether a text says that there is nothing: 无, 暂无问题, `/`, or one of `words`.
pub(crate) fn says_nothing(text: &str, words: &[String]) -> bool {
    const NOTHING: [&str; 6] = ["无", "暂无", "没有", "暂未发现", "未发现", "不存在"];
    const OF_WHAT: [&str; 10] = [
        "",
        "问题",
        "困难",
        "存在问题",
        "需协调事项",
        "需要协调的问题",
        "需协调问题",
        "需协调",
        "其他问题",
        "异常",
    ];
    let text = trimmed(text);
    let bare = text.strip_prefix("目前").unwrap_or(text);
    text.chars().all(|c| !c.is_alphanumeric())
        || words.iter().any(|word| word == text)
        || NOTHING.iter().any(|no| bare.strip_prefix(no).is_some_and(|rest| OF_WHAT.contains(&rest)))
        || text.eq_ignore_ascii_case("none")
        || text.eq_ignore_ascii_case("n/a")
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ",，.、:：;；。".contains(c))
}

/// Where the next number in front of a matter begins.
fn next_number(text: &str) -> Option<usize> {
    let mut before = None;
    for (at, c) in text.char_indices() {
        // Within a word or number nothing begins.
        let inside = before.is_some_and(|b: char| b.is_ascii_alphanumeric() || b == '.' || b == '第');
        if !inside && number(&text[at..]).is_some() {
            return Some(at);
        }
        before = Some(c);
    }
    None
}

/// The length in bytes of a number in front of a matter, if the text begins with one.
fn number(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if ('①'..='⑳').contains(&first) {
        return Some(first.len_utf8());
    }
    if "一二三四五六七八九".contains(first) {
        let rest = &text[first.len_utf8()..];
        return rest.starts_with('是').then(|| first.len_utf8() + '是'.len_utf8());
    }
    let (open, rest) = match text.strip_prefix(['(', '（']) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let digits = rest.chars().take_while(char::is_ascii_digit).count();
    if digits == 0 || digits > 2 {
        return None;
    }
    let mut behind = rest[digits..].chars();
    let mark = behind.next()?;
    let ends = match open {
        true => ")）".contains(mark),
        false => ".．、)）".contains(mark) && !behind.next().is_some_and(|c| c.is_ascii_digit()),
    };
    ends.then(|| text.len() - rest.len() + digits + mark.len_utf8())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matters_are_parted_as_people_part_them() {
        for (text, matters) in [
            ("征地未完成", vec!["征地未完成"]),
            ("1.征地未完成；2.临时用电未通。", vec!["征地未完成", "临时用电未通"]),
            ("1、征地 2、用电", vec!["征地", "用电"]),
            ("（1）征地，涉及3户（2）用电", vec!["征地，涉及3户", "用电"]),
            ("①征地②用电", vec!["征地", "用电"]),
            ("一是土地指标未落实，二是资金缺口3.5亿元", vec!["土地指标未落实", "资金缺口3.5亿元"]),
            ("资金缺口约1.2亿\n配套道路未通", vec!["资金缺口约1.2亿", "配套道路未通"]),
            ("2026.3.15前完成图审", vec!["2026.3.15前完成图审"]),
            ("第1标段未开工", vec!["第1标段未开工"]),
            (" ； 。", vec![]),
        ] {
            assert_eq!(statements(text), matters, "{text}");
        }
    }

    #[test]
    fn nothing_is_nothing_in_all_its_words() {
        let words = vec!["正常推进".to_owned()];
        for text in ["", "无", "暂无", "/", "——", "目前无问题", "暂无需协调事项。", "正常推进", "N/A"]
        {
            assert!(says_nothing(text, &words), "{text}");
        }
        for text in ["无土地指标", "没有资金", "无锡段征地", "正常"] {
            assert!(!says_nothing(text, &words), "{text}");
        }
    }
}
