//! Numbers as people write them, and as they should not be taken.

use proptest::prelude::*;

use super::*;

#[test]
fn numerals_of_people_are_read_exactly_or_not_at_all() {
    for (text, expected) in [
        ("12000", Some(("12000", ""))),
        ("12,000.50", Some(("12000.5", ""))),
        ("1,234,567", Some(("1234567", ""))),
        ("1,2", None),
        ("1234,567", None),
        ("3.5亿", Some(("350000000", ""))),
        ("3亿5000万元", Some(("350000000", "元"))),
        ("十二万", Some(("120000", ""))),
        ("一百零五", Some(("105", ""))),
        ("二十", Some(("20", ""))),
        ("壹佰元整", Some(("100", "元整"))),
        ("三点五亿", Some(("350000000", ""))),
        ("1万亿", Some(("1000000000000", ""))),
        ("二〇二三", Some(("2023", ""))),
        ("一万五", None),
        ("1亿2", None),
        ("3万5", None),
        ("3万5元", Some(("30005", "元"))),
        ("1百2", None),
        ("3万5000", Some(("35000", ""))),
        ("1亿2千万", Some(("120000000", ""))),
        ("1亿2亿", None),
        ("3万2万", None),
        ("2百3千", None),
        ("1万2千亿", Some(("1200000000000", ""))),
        ("五六亿", None),
        ("五六", None),
        ("两三个", None),
        ("二三", None),
        ("二四", Some(("24", ""))),
        ("百亿", None),
        ("万", None),
        ("", None),
        ("99999999999999999999999999999999999999999亿", None),
    ] {
        let found = numeral(text).map(|n| {
            let mut out = String::new();
            huiliu_stage::json::write_decimal(&mut out, n.value.mantissa, n.value.scale as i8);
            (out, n.rest)
        });
        assert_eq!(found.as_ref().map(|(v, r)| (v.as_str(), *r)), expected, "{text}");
    }
}

/// The usual spelling: four digits to a section, one zero for a gap.
fn in_words(number: u64, digits: &str, units: &str) -> String {
    let char_at = |text: &str, at: usize| text.chars().nth(at).unwrap();
    if number < 10 {
        return char_at(digits, number as usize).to_string();
    }
    for (power, unit) in [(8, 4), (4, 3), (3, 2), (2, 1), (1, 0)] {
        let size = 10_u64.pow(power);
        if number >= size {
            let (front, rest) = (number / size, number % size);
            let mut words = in_words(front, digits, units);
            words.push(char_at(units, unit));
            if rest > 0 {
                if rest < size / 10 {
                    words.push(char_at(digits, 0));
                }
                words.push_str(&in_words(rest, digits, units));
            }
            return words;
        }
    }
    String::new()
}

proptest! {
    #[test]
    fn every_number_in_words_is_read(
        number in prop_oneof![0_u64..100_000, 0_u64..10_u64.pow(12), 0_u64..10_u64.pow(16)],
    ) {
        for (digits, units) in [("零一二三四五六七八九", "十百千万亿"), ("零壹贰叁肆伍陆柒捌玖", "拾佰仟萬億")] {
            let words = in_words(number, digits, units);
            let found = numeral(&words).map(|n| (n.value.integer(), n.rest));
            prop_assert_eq!(found, Some((i64::try_from(number).ok(), "")), "{}", words);
        }
    }

    #[test]
    fn digits_and_units_may_be_mixed(whole in 1_u64..10_000, part in 0_u64..10_000, rest in 0_u64..10_000) {
        let value = Some(i64::try_from(whole * 100_000_000 + part * 10_000 + rest).unwrap());
        let text = format!("{whole}亿{part}万{rest}元");
        prop_assert_eq!(numeral(&text).map(|n| (n.value.integer(), n.rest)), Some((value, "元")));
    }
}

#[test]
fn rounding_is_half_away_from_zero() {
    for (text, places, expected) in
        [("0.00005", 4, 1), ("-0.00005", 4, -1), ("0.00004999", 4, 0), ("1.5", 0, 2), ("12", 4, 120_000)]
    {
        assert_eq!(Decimal::plain(text.as_bytes()).unwrap().rounded(places), Some(expected), "{text}");
    }
}
