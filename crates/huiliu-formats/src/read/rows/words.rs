//! The words and shapes by which a row shows that it is no data. All take texts that were tidied.

/// 合计, 小计(5个), 正式项目合计191项, 全区; not 某某小区.
pub(super) fn is_total(word: &str) -> bool {
    const WORDS: [&str; 6] = ["合计", "总计", "小计", "共计", "总合计", "累计"];
    const WHOLE: [&str; 10] = ["全区", "全市", "全县", "全省", "全国", "总数", "汇总", "总和", "∑", "σ"];
    if word.chars().count() > 16 {
        return false;
    }
    // 总计(含预备)
    let word = word.strip_suffix(')').and_then(|open| open.split('(').next()).unwrap_or(word);
    let bare = word.trim_end_matches(|c: char| {
        c.is_ascii_digit() || matches!(c, '(' | ')' | '个' | '项' | '目' | '件' | ':' | '共')
    });
    WORDS.iter().any(|total| bare.ends_with(total)) || WHOLE.contains(&bare)
}

/// 合计 and its like, and nothing else.
pub(super) fn is_bare_total(word: &str) -> bool {
    ["合计", "总计", "小计", "共计"].contains(&word)
}

/// 其中:续建项目(3个): a part of the total above it, whose rows may stand anywhere; and what is no sum either, 平均.
pub(super) fn is_share(word: &str) -> bool {
    const MEANS: [&str; 3] = ["平均", "平均值", "均值"];
    MEANS.contains(&word)
        || word
            .strip_prefix("其中")
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || rest.chars().count() <= 10)
}

/// Whether a total is of a part only.
pub(super) fn is_subtotal(word: &str) -> bool {
    word.contains("小计") || word.contains("本页")
}

/// 注:, 备注:, 说明:, 填表说明.
pub(super) fn is_note(word: &str) -> bool {
    const BEGINNINGS: [&str; 8] = ["注:", "注1", "备注:", "说明:", "填表说明", "填报说明", "注释", "注."];
    BEGINNINGS.iter().any(|w| word.starts_with(w))
}

/// 续表 and 第2页, which stand where a printed table goes on.
pub(super) fn is_page(word: &str) -> bool {
    let page = word.strip_prefix('第').is_some_and(|rest| {
        let rest =
            rest.trim_start_matches(|c: char| c.is_ascii_digit() || "一二三四五六七八九十".contains(c));
        ["页", "页,", "页共", "页/"].iter().any(|end| rest.starts_with(end)) && rest.chars().count() <= 8
    });
    page || ["续表", "接上表", "接上页", "转下页"].contains(&word)
}

/// (以上项目均已开工), 共2个项目, and what a sign before names means: `★为省重大项目`. Texts that were tidied have lost the sign.
pub(super) fn is_marked_note(word: &str) -> bool {
    let bracketed = word.starts_with('(') && word.ends_with(')') && word.matches('(').count() == 1;
    bracketed || is_count(word) || word.starts_with("为") && word.ends_with("项目")
}

/// 湖塘镇共2个项目,总投资300万元: a sentence about the rows above.
pub(super) fn is_summary(word: &str) -> bool {
    let counts = word.contains(|c: char| c.is_ascii_digit()) && word.ends_with('元');
    counts && (word.starts_with("总投资") || word.contains("总投资") && word.contains(['个', '项']))
}

/// 开工率, 项目数, 总投资, 一季度: what is counted, or when, and nobody's name.
pub(super) fn is_measure(word: &str) -> bool {
    ["数", "率", "总投资", "投资额", "季度", "月", "月份", "年"].iter().any(|end| word.ends_with(end))
}

/// Whether rows of groups are numbered by this: Ⅰ, A.
pub(super) fn is_letter(word: &str) -> bool {
    let roman = !word.is_empty() && word.chars().all(|c| "ivx".contains(c));
    roman || word.len() == 1 && word.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether a text is longer than any name.
pub(super) fn is_essay(word: &str) -> bool {
    word.chars().nth(150).is_some()
}

/// What stands before the names and days below a table.
const LABELS: [&str; 26] = [
    "填报人",
    "填表人",
    "制表人",
    "审核人",
    "复核人",
    "审批人",
    "联系人",
    "联系电话",
    "填报日期",
    "填表日期",
    "填报时间",
    "制表日期",
    "单位负责人",
    "分管领导",
    "负责人",
    "填报单位",
    "制表单位",
    "分管负责人",
    "经办人",
    "报送人",
    "统计人",
    "联系方式",
    "报送单位",
    "报送日期",
    "主要领导",
    "签发人",
];

/// Labels that are words of other things too, unless a colon follows.
const WITH_COLON: [&str; 12] =
    ["制表", "填表", "填报", "审核", "复核", "审批", "校核", "统计", "报送", "落款", "盖章", "单位(盖章)"];

/// 填报人:张三, 审核人, 填报日期:2023年5月4日, 制表:李四.
pub(super) fn is_footer(word: &str) -> bool {
    let colon = |label: &&str| word.strip_prefix(*label).is_some_and(|rest| rest.starts_with(':'));
    if WITH_COLON.iter().any(colon) {
        return true;
    }
    LABELS.iter().any(|w| {
        word.strip_prefix(w).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '(', '签']))
    })
}

/// A label below a table with nothing behind it: 联系电话, 责任单位:.
pub(super) fn is_label(word: &str) -> bool {
    let bare = word.trim_end_matches(':');
    LABELS.contains(&bare)
        || ["责任单位", "责任人", "日期", "电话", "盖章", "单位盖章", "备注"].contains(&bare)
}

/// Whether a cell only says that there is nothing.
pub(super) fn is_mark(cell: &str) -> bool {
    cell.trim().chars().all(|c| matches!(c, '-' | '—' | '–' | '/' | '\\' | '*' | '…'))
}

/// Whether a cell holds a number as totals are printed: `22,440`, `35.8%`, `12.5亿`.
pub(super) fn is_numeric(cell: &str) -> bool {
    let word = super::tidy(cell);
    let bare = word.trim_end_matches(['%', '元', '万', '亿', '亩', '个', '项']);
    let digits = bare.strip_prefix('-').unwrap_or(bare);
    is_mark(cell)
        || (!digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.' || c == ','))
}

/// How a text says again what stands above it.
#[inline]
pub(super) fn is_ditto(cell: &str) -> bool {
    let first = cell.as_bytes().first();
    // 同, 〃 and ″ begin with these bytes, and few cells do.
    matches!(first, Some(0xe2 | 0xe3 | 0xe5)) && matches!(cell, "同上" | "〃" | "″" | "同前")
}

/// The number at the end of `合肥市(915个)`, `产业项目(共180项)`, `正式项目合计191项`, and the text before it.
pub(super) fn counted(word: &str) -> (&str, Option<u32>) {
    const WHAT: [&str; 6] = ["个项目", "项目", "个", "项", "件", "宗"];
    let number = |inner: &str| {
        let inner = inner.trim_start_matches(['共', '计', ':']);
        let digits = WHAT.iter().find_map(|what| inner.strip_suffix(what))?;
        digits.parse::<u32>().ok()
    };
    if let Some((before, inner)) = word.strip_suffix(')').and_then(|open| open.rsplit_once('(')) {
        return match number(inner) {
            Some(count) => (before, Some(count)),
            None => (word, None),
        };
    }
    // 共3个项目
    let word = word.strip_suffix("项目").filter(|count| count.ends_with('个')).unwrap_or(word);
    let at = word.rfind(|c: char| !c.is_ascii_digit() && !"个项件宗".contains(c));
    let at = at.map_or(0, |at| at + word[at..].chars().next().map_or(0, char::len_utf8));
    match (word[at..].chars().next().is_some_and(|c| c.is_ascii_digit()), number(&word[at..])) {
        (true, Some(count)) => (word[..at].trim_end_matches('共'), Some(count)),
        _ => (word, None),
    }
}

/// The number of rows that a text says and nothing else: `2个`, `共2个项目`.
pub(super) fn count_alone(word: &str) -> Option<u32> {
    counted(word).1.filter(|_| is_count(word))
}

/// Whether a text says how many rows of some kind there are: `2个`, `开工2个`, `较上月增加1个`.
pub(super) fn tells_count(word: &str) -> bool {
    const LONGEST: usize = 6;
    matches!(counted(word), (before, Some(_)) if before.chars().count() <= LONGEST)
}

/// Whether a text is nothing but a day or a month: 2023年4月5日.
pub(super) fn is_day(word: &str) -> bool {
    let rest = word.strip_prefix("20").and_then(|rest| rest.split_once('年')).map(|(_, rest)| rest);
    rest.is_some_and(|rest| {
        rest.contains('月') && rest.chars().all(|c| c.is_ascii_digit() || "月日".contains(c))
    })
}

/// Whether a text begins as the labels below a table, notes and examples do.
#[inline]
pub(super) fn begins_like_footer(cell: &str) -> bool {
    // Each leading cell of a file comes by here.
    matches!(
        cell.chars().next(),
        Some(
            '填' | '制'
                | '审'
                | '复'
                | '联'
                | '单'
                | '分'
                | '负'
                | '经'
                | '报'
                | '统'
                | '主'
                | '签'
                | '校'
                | '落'
                | '注'
                | '备'
                | '说'
                | '附'
                | '领'
                | '盖'
                | '以'
                | '特'
                | '例'
                | '共'
                | '为'
        )
    )
}

/// Whether a text is nothing but a number of rows: `2个`, `共2个项目`.
pub(super) fn is_count(word: &str) -> bool {
    matches!(counted(word), (before, Some(_)) if before.is_empty())
}

/// Whether a text ends in `个)` or its like.
pub(super) fn ends_counted(cell: &str) -> bool {
    let inner = cell.trim_end().strip_suffix([')', '）']);
    inner.is_some_and(|inner| inner.ends_with(['个', '项', '件', '宗', '目']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_totals_and_footers_are_told_from_names_of_projects() {
        for word in ["合计", "合计(5个)", "小计", "正式项目合计191项", "总计:", "全区"] {
            assert!(is_total(word), "{word}");
        }
        for word in ["阳光小区", "合计划建设项目", "合肥市", "", "示例综合保税区"] {
            assert!(!is_total(word), "{word}");
        }
        assert!(is_footer("填报人:张三") && !is_footer("联系人民医院"));
        assert!(is_label("联系电话:") && !is_label("联系人张三"));
    }

    #[test]
    fn a_declared_count_is_split_off() {
        for (text, expected) in [
            ("产业项目(180个)", ("产业项目", Some(180))),
            ("合肥市(共915项)", ("合肥市", Some(915))),
            ("正式项目合计191项", ("正式项目合计", Some(191))),
            ("重点项目表(共5个项目)", ("重点项目表", Some(5))),
            ("示例项目(二期)", ("示例项目(二期)", None)),
            ("示例项目2个", ("示例项目", Some(2))),
            ("5", ("5", None)),
            ("", ("", None)),
        ] {
            assert_eq!(counted(text), expected, "{text}");
        }
    }
}
