//! What holds of every value, however it is written.

use huiliu_stage::Severity;
use proptest::prelude::*;

use super::date::End;
use super::*;

fn money(header: &str) -> Money {
    Money::new(Unit::parse("万元"), Unit::parse(header).as_ref())
}

fn grouped(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

proptest! {
    #[test]
    fn an_amount_is_the_same_in_every_spelling(units in 1_u64..1_000_000_000, places in 0_u64..10_000) {
        // In ten-thousandths of 万元, which are 元.
        let yuan = i128::from(units) * 10_000 + i128::from(places);
        let plain = format!("{units}.{places:04}");
        let spellings = [
            plain.clone(),
            format!("{plain}万元"),
            format!("{plain} 万"),
            format!("人民币{plain}万元整"),
            format!("{}.{places:04}", grouped(&units.to_string())),
            format!("{yuan}元"),
            format!("¥{yuan}元"),
            plain.chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect(),
        ];
        for text in &spellings {
            let found = money("").lenient(text);
            prop_assert_eq!((found.value, found.note), (Some(yuan), None), "{}", text);
        }
        for (text, severity) in [(format!("约{plain}万元"), Severity::Info), (format!("{plain}万元左右"), Severity::Info)] {
            let found = money("").lenient(&text);
            prop_assert_eq!((found.value, found.note.map(|n| n.severity)), (Some(yuan), Some(severity)), "{}", text);
        }
        // The unit of the cell wins over that of the header, and the header's over the field's.
        prop_assert_eq!(money("亿元").lenient(&format!("{plain}万元")).value, Some(yuan));
        prop_assert_eq!(money("元").lenient(&yuan.to_string()).value, Some(yuan));
        for currency in ["美元", "欧元", "港币"] {
            prop_assert_eq!(money("").lenient(&format!("{plain}万{currency}")).value, None);
        }
    }

    #[test]
    fn a_day_is_the_same_in_every_spelling(year in 1950_i64..2100, month in 1_i64..=12, number in 1_i64..=28) {
        let wanted = strict_date(&format!("{year}-{month:02}-{number:02}"));
        let first = strict_date(&format!("{year}-{month:02}-01"));
        prop_assert!(wanted.is_some());
        for text in [
            format!("{year}-{month}-{number}"),
            format!("{year}/{month}/{number}"),
            format!("{year}.{month}.{number}"),
            format!("{year}年{month}月{number}日"),
            format!("{year} 年 {month} 月 {number} 日"),
            format!("{year}年{month}月{number}号前"),
            format!("{year}{month:02}{number:02}"),
            format!("{year}-{month:02}-{number:02} 08:30:00"),
        ] {
            let found = date(&text, 19_500, Asked::default());
            prop_assert_eq!((found.value, found.note), (wanted, None), "{}", text);
        }
        for text in [
            format!("{year}年{month}月"),
            format!("{year}-{month}"),
            format!("{year}.{month:02}"),
            format!("{year}年{month}月份"),
            format!("{year}年{month}月底前"),
            format!("{year}年{month}月中旬"),
        ] {
            let found = date(&text, 19_500, Asked::default());
            // It says that the day was not written.
            prop_assert_eq!((found.value, found.note.is_some()), (first, true), "{}", text);
        }
    }

    #[test]
    fn a_period_gives_the_end_that_is_asked_for(from in 2000_i64..2030, years in 0_i64..9, a in 1_i64..=12, b in 1_i64..=12) {
        let to = from + years;
        prop_assume!(years > 0 || a <= b);
        let (first, last) = (strict_date(&format!("{from}-{a:02}-01")), strict_date(&format!("{to}-{b:02}-01")));
        for text in [format!("{from}年{a}月-{to}年{b}月"), format!("{from}.{a:02}-{to}.{b:02}"), format!("{from}年{a}月至{to}年{b}月")] {
            let at = |end| date(&text, 19_500, Asked { planned: false, end: Some(end) });
            prop_assert_eq!(at(End::First).value, first, "{}", text);
            prop_assert_eq!(at(End::Last).value, last, "{}", text);
            // Neither is taken where the field asks for neither.
            prop_assert_eq!(date(&text, 19_500, Asked::default()).value, None, "{}", text);
        }
    }

    #[test]
    fn areas_and_percentages_agree_in_every_unit(tenths in 1_u32..1_000_000) {
        let value = f64::from(tenths) / 10.0;
        let near = |found: Parsed<f64>, wanted: f64| found.value.is_some_and(|v| (v - wanted).abs() <= wanted * 1e-12);
        let mu = Number::new(Unit::parse("亩"), None);
        for (unit, size) in [("亩", 1.0), ("公顷", 15.0), ("万平方米", 15.0), ("平方米", 0.0015)] {
            let text = format!("{value}{unit}");
            prop_assert!(near(mu.lenient(&text), value * size), "{}", text);
        }
        let rate = Number::new(Unit::parse("%"), None);
        for text in [format!("{value}%"), format!("{value}％"), format!("百分之{value}"), value.to_string()] {
            prop_assert!(near(rate.lenient(&text), value), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_the_parsers_panic(text in "\\PC{0,24}", digits in "[0-9年月日季度旬底前.\\-/~至十二万亿余约个百分之已未,eE+%$]{0,16}") {
        for text in [&text, &digits] {
            let _ = date(text, 19_000, Asked { planned: true, end: Some(End::Last) });
            let _ = timestamp(text, 19_000, false);
            let _ = Money::new(None, None).lenient(text);
            let _ = Number::new(Unit::parse("%"), None).lenient(text);
            let _ = boolean(text, false);
            let _ = integer(text);
            let _ = destroyed(text, "owner_uscc");
        }
    }
}
