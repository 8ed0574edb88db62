//! How likely bytes are text of an East Asian encoding.
//!
//! Each encoding orders its characters by use: GB 2312 and Big5 have a first level of common ones, KS X 1001 the Korean
//! syllables, the Japanese ones kana. A text in one, read as another, falls among characters that nobody writes. So
//! the likelihood of the characters, with the most frequent ones counted apart, tells the encoding from a few words,
//! where statistics of a whole language need sentences.

use std::collections::HashMap;

use encoding_rs::{BIG5, EUC_JP, EUC_KR, Encoding, GB18030, SHIFT_JIS};

use super::charset::Charset;

/// Characters of headers and names of places, simplified and traditional, and the commonest of all.
const COMMON: &str = "的一是不了在人有我他这個个们中来上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着著下自之年过過发發后後作里裡用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心她本前开開但因只从從想实實日军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高间間由问問很最重并並物手应應战戰向头頭文体體政美相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信表化老给給世位次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接必场場件计計管期市直德资資命山金指克许許统統区區保至队隊形社便空决決治展马馬科司五基眼书書非则則听聽白却卻界达達光放强強即像难難且权權思王象完设設式色路记記南品住告类類求据據程北边邊死张張该該交规規万萬取拉格望觉覺术術领領共确確传傳师師观觀清今切院让讓识識候带帶导導争爭运運项項目投资資额額县縣镇鎮乡鄉村街区區编編号號码碼单單位称稱状狀态態备備注完成竣时間序联聯话話负負责責地址亿億元面积積亩畝企业業职職註專臺灣廠種樓層郵絡預算執辦補助費";
/// Chinese characters of Japanese headers, names and places.
const KANJI: &str = "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問高代明実円関決子動京全目表経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平総加山思家話世受区領多県続進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元重近千考判認画海参売利組知案道信策集在件団別物側任引使求所次水半品論計死官増係感特情投示変打男基私各始島直両朝価式確村提運終西勢減台広容必応演電住番号姓郵便局町丁目備考担当課県庁役場生年月日数量単価小計合計税込商品受注納品請求先様御中部署役職社員住所電話横浜川崎相模原藤沢茅渡辺高橋鈴木佐藤伊田中斎加山口松井林清水";
/// Korean syllables of half of all text, and hanja that nobody would miss.
const SYLLABLES: &str = "이다는에의을를가은로하고지한도서사기어있나자대시인아그수정리일전제해만들과부라안구원주보거상성장으것여비스공와동국조게니면";
/// Half of what a text in the language holds, shared among the common characters.
const FREQUENT: f64 = 1.0 / 900.0;

/// The candidates and how natural each is for the users of this program.
const CANDIDATES: [(&Encoding, f64); 5] =
    [(GB18030, 1.5), (BIG5, 0.0), (EUC_KR, -1.0), (SHIFT_JIS, 0.0), (EUC_JP, -1.0)];
/// Least mean likelihood of a character of East Asian text, a logarithm, if that is all that is known.
pub(super) const TEXT: f64 = -8.6;
/// Bytes that are weighed; more would add nothing.
const MOST: usize = 32 << 10;

/// The best candidate.
pub(super) struct Likely {
    pub(super) charset: Charset,
    /// Mean likelihood of its characters beyond ASCII, a logarithm; text is above −9.5, other bytes far below.
    pub(super) mean: f64,
    /// Characters beyond ASCII.
    pub(super) count: usize,
    /// How much likelier than the next candidate, a logarithm.
    pub(super) lead: f64,
    /// Places that mean nothing in it.
    pub(super) bad: usize,
}

/// Weighs the lines of a sample that are not all ASCII.
pub(super) fn likely(sample: &[u8]) -> Option<Likely> {
    let mut bytes = Vec::new();
    for line in sample.split_inclusive(|&b| b == b'\n').filter(|line| !line.is_ascii()) {
        let room = MOST.saturating_sub(bytes.len());
        if room == 0 {
            break;
        }
        bytes.extend_from_slice(&line[..line.len().min(room)]);
    }
    let (mut best, mut next): (Option<(f64, Likely)>, f64) = (None, f64::NEG_INFINITY);
    for (encoding, prior) in CANDIDATES {
        let charset = Charset::of(encoding);
        let (text, bad) = charset.text(&bytes, false);
        let (mut score, mut beyond, mut count) = (prior, 0.0, 0);
        let (mut before, mut chars) = (' ', text.chars().peekable());
        // A text has few different characters, and to weigh one takes a search in the tables of its encoding.
        let mut weights = HashMap::new();
        while let Some(c) = chars.next() {
            // Amid small Latin letters stands one with an accent.
            let amid = before.is_ascii_lowercase() && chars.peek().is_some_and(char::is_ascii_lowercase);
            let weight = *weights.entry(c).or_insert_with(|| weight(c, encoding));
            let weight = weight - if amid && !c.is_ascii() { 6.0 } else { 0.0 };
            score += weight;
            if !c.is_ascii() {
                beyond += weight;
                count += 1;
            }
            before = c;
        }
        let found = Likely { charset, mean: beyond / count.max(1) as f64, count, lead: 0.0, bad };
        match &mut best {
            Some((most, _)) if score <= *most => next = next.max(score),
            best => {
                next = best.as_ref().map_or(next, |(most, _)| *most);
                *best = Some((score, found));
            }
        }
    }
    best.map(|(most, found)| Likely { lead: most - next, ..found })
}

/// Logarithm of a character's likelihood in text of this encoding.
fn weight(c: char, encoding: &'static Encoding) -> f64 {
    let chinese = encoding == GB18030 || encoding == BIG5;
    let korean = encoding == EUC_KR;
    let p: f64 = match c {
        '\n' | '\r' | '\t' | ' '..='~' => 1.0 / 60.0,
        '\u{fffd}' => 1e-9,
        '\u{3000}'..='\u{3011}' | '，' | '；' | '：' | '（' | '）' | '！' | '？' | '％' | '“' | '”' => {
            1e-3
        }
        '０'..='９' | 'Ａ'..='Ｚ' | 'ａ'..='ｚ' | '￥' | '—' | '…' | '·' | '～' => 2e-4,
        '€' | '℃' | '㎡' | '±' | '×' | '√' | '°' | '≥' | '≤' | '→' | '①'..='⑩' | 'Ⅰ'..='Ⅻ' => {
            3e-4
        }
        'ぁ'..='ん' | 'ァ'..='ヶ' | 'ー' if !chinese && !korean => 1.0 / 170.0,
        '가'..='힣' if SYLLABLES.contains(c) => 0.5 / 60.0,
        '가'..='힣' if hangul_of_the_standard(c) => 0.5 / 2350.0,
        '\u{4e00}'..='\u{9fa5}' => han(c, encoding),
        _ => 1e-7,
    };
    p.ln()
}

fn hangul_of_the_standard(c: char) -> bool {
    let mut text = [0; 4];
    let (bytes, _, bad) = EUC_KR.encode(c.encode_utf8(&mut text));
    !bad && matches!(*bytes, [0xb0..=0xc8, 0xa1..=0xfe])
}

fn han(c: char, encoding: &'static Encoding) -> f64 {
    let mut text = [0; 4];
    let (bytes, _, bad) = encoding.encode(c.encode_utf8(&mut text));
    let (lead, trail) = match *bytes {
        [lead, trail] if !bad => (lead, trail),
        _ => return 1e-8,
    };
    let chinese = encoding == GB18030 || encoding == BIG5;
    let first = match (lead, trail) {
        (0xb0..=0xd7, 0xa1..) if encoding == GB18030 => 0.45 / 3755.0,
        (0xd8..=0xf7, 0xa1..) if encoding == GB18030 => 0.03 / 3008.0,
        (0xa4..=0xc6, _) if encoding == BIG5 => 0.45 / 5401.0,
        (0xc9..=0xf9, _) if encoding == BIG5 => 0.03 / 7652.0,
        (0xb0..=0xcf, 0xa1..) if encoding == EUC_JP => 0.3 / 2965.0,
        (0x88..=0x97, _) | (0x98, ..=0x72) if encoding == SHIFT_JIS => 0.3 / 2965.0,
        (0xca..=0xfd, 0xa1..) if encoding == EUC_KR => 0.01 / 4888.0,
        _ => 1e-7,
    };
    let japanese = encoding == EUC_JP || encoding == SHIFT_JIS;
    match chinese && COMMON.contains(c) || japanese && KANJI.contains(c) {
        true => FREQUENT,
        false => first,
    }
}
