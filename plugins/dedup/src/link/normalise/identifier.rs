//! Codes and numbers: letters and digits only; what cannot be a code counts as missing.

/// The values of a character in a unified social credit code (GB 32100-2015).
const CREDIT: &str = "0123456789abcdefghjklmnpqrtuwxy";

/// Letters and digits of a folded text; none when it is a stand-in such as 000 or 暂无.
pub fn identifier(folded: &[char], out: &mut Vec<char>) {
    out.clear();
    out.extend(folded.iter().filter(|c| c.is_alphanumeric()));
    let first = out.first().copied();
    if out.len() < 2 || out.iter().all(|c| Some(*c) == first) || !out.iter().any(char::is_ascii_digit) {
        out.clear();
    }
}

/// The nine characters of the organisation code inside a credit code, so that both forms meet.
pub fn credit_code(folded: &[char], out: &mut Vec<char>) {
    identifier(folded, out);
    if out.len() != 18 {
        return;
    }
    for c in out.iter_mut() {
        *c = match *c {
            'o' => '0',
            'i' => '1',
            'z' => '2',
            's' => '5',
            other => other,
        };
    }
    if !credit_checks(out) {
        // One B read as 8, or 8 as B, if that mends the check digit in just one way.
        let ways: Vec<usize> = (0..18).filter(|&at| credit_checks(&swapped(out, at))).collect();
        if let [at] = ways.as_slice() {
            *out = swapped(out, *at);
        }
    }
    out.truncate(17);
    out.drain(..8);
}

fn swapped(code: &[char], at: usize) -> Vec<char> {
    let mut code = code.to_vec();
    code[at] = match code[at] {
        'b' => '8',
        '8' => 'b',
        _ => return Vec::new(),
    };
    code
}

/// Whether the check digit of a folded credit code is right.
pub fn credit_checks(code: &[char]) -> bool {
    if code.len() != 18 {
        return false;
    }
    let mut weight = 1;
    let mut sum = 0;
    for c in &code[..17] {
        let Some(value) = CREDIT.chars().position(|v| v == *c) else { return false };
        sum += value * weight;
        weight = weight * 3 % 31;
    }
    CREDIT.chars().nth((31 - sum % 31) % 31) == Some(code[17])
}

/// The digits of a national project code; a department's own number in the field counts as missing.
pub fn project_code(folded: &[char], out: &mut Vec<char>) {
    identifier(folded, out);
    if out.len() < 10 || out.len() > 24 || !out.iter().all(char::is_ascii_digit) {
        out.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_codes_meet_their_organisation_codes() {
        let code = |text: &str| {
            let mut out = Vec::new();
            credit_code(&text.to_lowercase().chars().collect::<Vec<_>>(), &mut out);
            out.into_iter().collect::<String>()
        };
        assert_eq!(code("91350100M000100Y43"), "m000100y4");
        assert_eq!(code("9135O1OOM000100Y43"), "m000100y4");
        assert_eq!(code("M000100Y-4"), "m000100y4");
        assert_eq!(code("000000000000000000"), "");
        assert_eq!(code("暂无"), "");
    }
}
