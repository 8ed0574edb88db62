//! Text made comparable: width, case, traditional characters, brackets, dashes, blanks.

use huiliu_stage::simplified;
use unicode_normalization::UnicodeNormalization;

use crate::link::index::Term;

const FIRST_HAN: u32 = 0x4e00;
const LAST_HAN: u32 = 0x9fff;

/// Whether a character is written without blanks between words.
pub fn is_han(c: char) -> bool {
    (FIRST_HAN..=LAST_HAN).contains(&u32::from(c)) || ('\u{3400}'..='\u{4dbf}').contains(&c)
}

/// Half width, lower case, simplified, with one kind of bracket and dash. Blanks stay only between
/// characters that are not Han. Punctuation stays.
pub fn fold(text: &str, out: &mut Vec<char>) {
    out.clear();
    let mut blank = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let entity = if c == '&' { entity(rest) } else { None };
        let (c, length) = entity.unwrap_or((c, c.len_utf8()));
        rest = rest.get(length..).unwrap_or_default();
        match c {
            ' '..='~' => push(c.to_ascii_lowercase(), &mut blank, out),
            '\u{ff01}'..='\u{ff5e}' => {
                let half = char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c);
                push(half.to_ascii_lowercase(), &mut blank, out);
            }
            '\u{4e00}'..='\u{9fff}' => push(simplified(c), &mut blank, out),
            _ => {
                for c in c.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)) {
                    c.to_lowercase().for_each(|c| push(simplified(c), &mut blank, out));
                }
            }
        }
    }
}

/// The character that an HTML entity stands for, and the length of the entity.
fn entity(text: &str) -> Option<(char, usize)> {
    let end = text.char_indices().take(10).find(|(_, c)| *c == ';')?.0;
    let name = text.get(1..end)?;
    let c = match name {
        "amp" => '&',
        "quot" | "ldquo" | "rdquo" => '"',
        "apos" | "lsquo" | "rsquo" => '\'',
        "lt" => '<',
        "gt" => '>',
        "nbsp" => ' ',
        "mdash" | "ndash" => '-',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(number)?
        }
    };
    Some((c, end + 1))
}

fn push(c: char, blank: &mut bool, out: &mut Vec<char>) {
    let c = match c {
        '[' | '{' | '【' | '〔' | '〖' | '「' | '『' | '《' | '〈' | '<' => '(',
        ']' | '}' | '】' | '〕' | '〗' | '」' | '』' | '》' | '〉' | '>' => ')',
        '–' | '—' | '―' | '−' | '‐' | '‑' | '~' | '─' | '〜' => '-',
        c if c.is_whitespace() || c.is_control() => {
            *blank = true;
            return;
        }
        c => c,
    };
    if *blank {
        *blank = false;
        let digits = c.is_ascii_digit() && out.last().is_some_and(char::is_ascii_digit);
        // A blank that fell into a number: 1 20MW in a Chinese name.
        let torn = digits && out.iter().any(|c| is_han(*c));
        if out.last().is_some_and(|last| !is_han(*last)) && !is_han(c) && !torn {
            out.push(' ');
        }
    }
    out.push(c);
}

/// Letters and digits of a folded text; what stood between Latin words becomes one blank.
pub fn plain(folded: &[char], out: &mut Vec<char>) {
    out.clear();
    let mut gap = false;
    for &c in folded {
        if !c.is_alphanumeric() {
            // An apostrophe is left out by half of those who write it.
            gap |= !matches!(c, '\'' | '’' | '`');
            continue;
        }
        if gap && out.last().is_some_and(|last| !is_han(*last)) && !is_han(c) {
            out.push(' ');
        }
        gap = false;
        out.push(c);
    }
}

/// Calls `each` with the grams of a plain text: two Han characters, or three of a Latin word with its
/// edges, or a whole number, or a whole word.
pub fn grams(plain: &[char], mut each: impl FnMut(u64, Term)) {
    let mut at = 0;
    while at < plain.len() {
        let c = plain[at];
        if c == ' ' {
            at += 1;
        } else if is_han(c) {
            let end = at + plain[at..].iter().take_while(|c| is_han(**c)).count();
            if end - at == 1 {
                each(pack(&[c]), Term::Pair);
            }
            plain[at..end].windows(2).for_each(|pair| each(pack(pair), Term::Pair));
            at = end;
        } else {
            let end = at + plain[at..].iter().take_while(|c| **c != ' ' && !is_han(**c)).count();
            word(&plain[at..end], &mut each);
            at = end;
        }
    }
}

fn word(word: &[char], each: &mut impl FnMut(u64, Term)) {
    const EDGE: char = '\u{1}';
    // An initial says next to nothing.
    if word.len() == 1 && word[0].is_alphabetic() {
        return;
    }
    each(hash(word) | 1 << 63, Term::Word);
    if word.len() == 1 || word.iter().all(char::is_ascii_digit) {
        return;
    }
    each(pack(&[EDGE, word[0], word[1]]), Term::Gram);
    word.windows(3).for_each(|three| each(pack(three), Term::Gram));
    each(pack(&[word[word.len() - 2], word[word.len() - 1], EDGE]), Term::Gram);
}

fn pack(chars: &[char]) -> u64 {
    chars.iter().fold(1, |packed, c| packed << 20 | u64::from(u32::from(*c) & 0xf_ffff))
}

/// A hash of characters that is the same on every machine.
pub fn hash(chars: &[char]) -> u64 {
    let mut state = xxhash_rust::xxh3::Xxh3::new();
    let mut bytes = [0; 4];
    chars.iter().for_each(|c| state.update(c.encode_utf8(&mut bytes).as_bytes()));
    state.digest()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(text: &str) -> String {
        let mut out = Vec::new();
        fold(text, &mut out);
        out.into_iter().collect()
    }

    #[test]
    fn names_in_traditional_characters_are_the_same_names() {
        let table = [
            ("廣東省韶關市稅務局綜合辦公樓遷建工程", "广东省韶关市税务局综合办公楼迁建工程"),
            ("陝西龐大汽車銷售服務有限公司", "陕西庞大汽车销售服务有限公司"),
            ("臺灣遠東紡織綢緞廠擴建項目", "台湾远东纺织绸缎厂扩建项目"),
            ("滾珠軸承與齒輪減速機生產線", "滚珠轴承与齿轮减速机生产线"),
            ("邊境經濟合作區護岸墾殖及排澇溝渠", "边境经济合作区护岸垦殖及排涝沟渠"),
            ("粵港澳環衛廢棄物處理脫硫塔鍋爐", "粤港澳环卫废弃物处理脱硫塔锅炉"),
            ("醫療器械檢驗檢測實驗樓", "医疗器械检验检测实验楼"),
            ("鋰電池負極材料儲能電站", "锂电池负极材料储能电站"),
        ];
        for (traditional, simplified) in table {
            assert_eq!(folded(traditional), simplified);
        }
    }
}
