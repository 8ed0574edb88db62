//! Amounts of money in yuan: thousands marks, 万 and 亿, and the unit a source leaves out.

/// How many yuan one unit is.
pub fn unit(name: &str) -> Option<f64> {
    match name {
        "元" | "" => Some(1.0),
        "千元" => Some(1e3),
        "万元" | "万" => Some(1e4),
        "百万元" => Some(1e6),
        "亿元" | "亿" => Some(1e8),
        _ => None,
    }
}

/// The amount of a folded text; `default` is the unit of a number without one. Nothing for none or zero.
pub fn money(folded: &[char], default: f64) -> Option<f64> {
    let start = folded.iter().position(char::is_ascii_digit)?;
    let number = folded[start..].iter().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    let end = start + number.count();
    let digits: String = folded[start..end].iter().filter(|c| **c != ',').collect();
    let value: f64 = digits.trim_end_matches('.').parse().ok()?;
    let mut tail = folded[end..].iter().skip_while(|c| **c == ' ').peekable();
    let mut times = 1.0;
    let mut named = false;
    while let Some(c) = tail.next_if(|c| matches!(c, '百' | '千' | '万' | '亿' | '元')) {
        named = true;
        times *= match c {
            '百' => 1e2,
            '千' => 1e3,
            '万' => 1e4,
            '亿' => 1e8,
            _ => 1.0,
        };
    }
    let value = value * if named { times } else { default };
    (value.is_finite() && value > 0.0).then_some(value)
}
