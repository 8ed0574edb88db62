//! A remark parted into its matters.
//!
//! Matters are parted by line ends, `；`, `。` and by numbers in front: `1.` `2、` `（3）` `（四）` `①` 一是 二是 一、. A point within a number
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

/// Whether a text says that there is nothing: 无, 暂无问题, 目前没有困难和问题, `/`, or one of `words`.
pub(crate) fn says_nothing(text: &str, words: &[String]) -> bool {
    const NOTHING: [&str; 8] = ["暂无", "暂未发现", "未发现", "不存在", "没有", "并无", "均无", "无"];
    let text = trimmed(without_remark(trimmed(text)));
    let bare =
        ["目前", "当前", "暂时", "现阶段"].iter().find_map(|now| text.strip_prefix(now)).unwrap_or(text);
    text.chars().all(|c| !c.is_alphanumeric())
        || words.iter().any(|word| word == text || word == bare)
        || NOTHING.iter().any(|no| bare.strip_prefix(no).is_some_and(of_nothing))
        || text.eq_ignore_ascii_case("none")
        || text.eq_ignore_ascii_case("n/a")
}

/// Whether what there is none of is not named: problems, difficulties, matters to be coordinated.
fn of_nothing(mut rest: &str) -> bool {
    const WORDS: [&str; 24] = [
        "需要", "需", "协调", "解决", "的", "事项", "存在", "其他", "其它", "问题", "困难", "和", "及", "与",
        "或", "、", "异常", "情况", "明显", "重大", "突出", "影响", "因素", "矛盾",
    ];
    while let Some(left) = WORDS.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = left;
    }
    rest.is_empty()
}

/// A text without a remark in brackets at its end that tells of something over: 无（已于上月解决）.
fn without_remark(text: &str) -> &str {
    let remark = text.strip_suffix([')', '）']).and_then(|rest| rest.rsplit_once(['(', '（']));
    remark
        .filter(|(_, remark)| remark.contains('已') && !remark.contains(['未', '尚']))
        .map_or(text, |(before, _)| before)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ",，.、:：;；。".contains(c))
}

/// Where the next number in front of a matter begins.
fn next_number(text: &str) -> Option<usize> {
    let mut before = None;
    for (at, c) in text.char_indices() {
        // Within a word or number nothing begins; 一、 does only where nothing stands before it (统一、规范).
        let inside = before.is_some_and(|b: char| b.is_ascii_alphanumeric() || b == '.' || b == '第');
        let within = text[at..].find('、').is_some_and(|mark| text[at..at + mark].chars().all(is_numeral))
            && before.is_some_and(char::is_alphanumeric);
        if !inside && !within && number(&text[at..]).is_some() {
            return Some(at);
        }
        before = Some(c);
    }
    None
}

fn is_numeral(c: char) -> bool {
    "一二三四五六七八九十".contains(c)
}

/// The length in bytes of a number in front of a matter, if the text begins with one.
fn number(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if ('①'..='⑳').contains(&first) {
        return Some(first.len_utf8());
    }
    if is_numeral(first) {
        let digits: usize = text.chars().take_while(|c| is_numeral(*c)).map(char::len_utf8).sum();
        return text[digits..].starts_with(['是', '、']).then(|| digits + '是'.len_utf8());
    }
    if let Some(rest) = text.strip_prefix(['(', '（']) {
        let digits: usize = rest.chars().take_while(|c| is_numeral(*c)).map(char::len_utf8).sum();
        let end = rest[digits..].chars().next().filter(|end| digits > 0 && ")）".contains(*end));
        if let Some(end) = end {
            return Some(text.len() - rest.len() + digits + end.len_utf8());
        }
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
            ("（一）用地指标缺口30亩（十二）双回路供电未通", vec!["用地指标缺口30亩", "双回路供电未通"]),
            ("一、征地未完成 二、用电未通", vec!["征地未完成", "用电未通"]),
            ("需统一、规范；一是征地", vec!["需统一、规范", "征地"]),
            ("十是征地", vec!["征地"]),
            (" ； 。", vec![]),
        ] {
            assert_eq!(statements(text), matters, "{text}");
        }
    }

    #[test]
    fn nothing_is_nothing_in_all_its_words() {
        let words = vec!["正常推进".to_owned()];
        for text in [
            "",
            "无",
            "暂无",
            "/",
            "——",
            "目前无问题",
            "暂无需协调事项。",
            "正常推进",
            "N/A",
            "目前暂无困难和问题",
            "无（已于上月解决）",
            "目前正常推进",
            "不存在需要协调的问题",
            "暂无重大问题、困难",
        ] {
            assert!(says_nothing(text, &words), "{text}");
        }
        for text in ["无土地指标", "没有资金", "无锡段征地", "正常", "无（征地尚未完成）", "无需征地问题"]
        {
            assert!(!says_nothing(text, &words), "{text}");
        }
    }
}
