//! Names of companies and offices: region, bracketed region and legal form are set aside, the core is kept.

use super::regions;
use super::text::plain;

const FORMS: [&str; 24] = [
    "股份有限责任公司",
    "集团股份有限公司",
    "集团有限责任公司",
    "集团有限公司",
    "股份有限公司",
    "有限责任公司",
    "控股有限公司",
    "有限公司",
    "责任公司",
    "总公司",
    "分公司",
    "集团公司",
    "公司",
    "集团",
    "股份",
    "控股",
    " incorporated",
    " corporation",
    " limited",
    " company",
    " corp",
    " inc",
    " ltd",
    " llc",
];

/// The full name without punctuation, and its core.
pub fn company(folded: &[char], full: &mut Vec<char>, core: &mut Vec<char>) {
    plain(folded, full);
    let mut open = Vec::with_capacity(folded.len());
    let mut at = 0;
    while at < folded.len() {
        // A bracketed region, wherever it stands; other brackets stay.
        let inside = (folded[at] == '(').then(|| folded[at + 1..].iter().position(|c| *c == ')')).flatten();
        match inside {
            Some(length) if length <= 8 && is_place(&folded[at + 1..at + 1 + length]) => {
                at += length + 2;
            }
            _ => {
                open.push(folded[at]);
                at += 1;
            }
        }
    }
    plain(&open, core);
    while let Some(shorter) = FORMS.iter().find_map(|form| without_ending(core, form)) {
        core.truncate(shorter);
    }
    let rest = regions::without(core);
    // A district, and a town in it.
    let rest = &rest[regions::county(rest)..];
    let rest = &rest[regions::county(rest)..];
    let head = core.len() - rest.len();
    core.drain(..head);
}

/// Whether the text in a bracket is nothing but a region, a county or both.
fn is_place(text: &[char]) -> bool {
    let rest = regions::without(text);
    let county = matches!(rest, [_, .., '县' | '区' | '市' | '旗' | '镇']) && rest.len() <= 4;
    regions::is_region(text) || county
}

/// Whether a folded text ends as companies and offices do.
pub fn is_company(folded: &[char]) -> bool {
    const OFFICES: [&str; 5] = ["局", "委员会", "政府", "银行", "合作社"];
    let mut text = Vec::new();
    plain(folded, &mut text);
    let ends = |form: &&str| without_ending(&text, form).is_some();
    text.len() >= 4 && (FORMS.iter().any(&ends) || OFFICES.iter().any(&ends))
}

/// Takes legal forms and bracketed regions out of a name that begins with a company.
pub fn without_forms(text: &mut Vec<char>) {
    const INNER: [&str; 8] = [
        "集团股份有限公司",
        "集团有限责任公司",
        "集团有限公司",
        "股份有限公司",
        "有限责任公司",
        "有限公司",
        "集团公司",
        "集团",
    ];
    if let Some(open) = text.iter().position(|c| *c == '(')
        && let Some(length) = text[open + 1..].iter().position(|c| *c == ')')
        && regions::is_region(&text[open + 1..open + 1 + length])
    {
        text.drain(open..open + length + 2);
    }
    for form in INNER {
        let length = form.chars().count();
        let found = text.windows(length).position(|window| window.iter().copied().eq(form.chars()));
        if let Some(at) = found.filter(|at| *at >= 2) {
            text.drain(at..at + length);
            return;
        }
    }
}

/// The length without an ending, when at least two characters are left.
pub(crate) fn without_ending(text: &[char], ending: &str) -> Option<usize> {
    let mut at = text.len();
    for c in ending.chars().rev() {
        at = at.checked_sub(1)?;
        if text[at] != c {
            return None;
        }
    }
    (at >= 2).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::super::text::fold;
    use super::*;

    #[test]
    fn forms_and_regions_do_not_tell_companies_apart() {
        let table = [
            ("金和塑胶(株洲)集团有限公司", "株洲金和塑胶有限公司"),
            ("航康木食品（石家庄）有限责任公司", "石家庄航康木食品"),
            ("浙江省杭州市传化化学股份有限公司", "杭州传化化学公司"),
            ("Acme, Inc.", "ACME Incorporated"),
            ("广州市天河区丽道贸易商行", "丽道(天河区)贸易商行"),
            ("会宁县乐逍遥日化有限公司", "乐逍遥日化"),
        ];
        for (a, b) in table {
            let core = |name: &str| {
                let (mut folded, mut full, mut core) = (Vec::new(), Vec::new(), Vec::new());
                fold(name, &mut folded);
                company(&folded, &mut full, &mut core);
                core.into_iter().collect::<String>()
            };
            assert_eq!(core(a), core(b), "{a} | {b}");
        }
    }

    #[test]
    fn what_only_ends_like_a_county_is_left() {
        let table =
            ["智慧城市科技有限公司", "好邻居社区服务有限公司", "新都市服饰有限公司", "百姓超市有限公司"];
        for name in table {
            let (mut folded, mut full, mut core) = (Vec::new(), Vec::new(), Vec::new());
            fold(name, &mut folded);
            company(&folded, &mut full, &mut core);
            assert!(name.starts_with(&core.iter().collect::<String>()), "{name}: {core:?}");
        }
    }
}
