//! Numbers, texts and values as kept bytes. A number takes seven bits a byte, the lowest first.

use crate::value::Value;

/// Appends a number.
pub(crate) fn int(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends bytes behind their length.
pub(crate) fn bytes(out: &mut Vec<u8>, value: &[u8]) {
    int(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a value; also used to make the whole content of a row a key.
pub(crate) fn encode_value(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Text(text) => {
            out.push(1);
            bytes(out, text.as_bytes());
        }
        Value::Int(value) => {
            out.push(2);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Float(value) => {
            out.push(3);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Value::Amount(value) => {
            out.push(4);
            out.extend_from_slice(value);
        }
        Value::Bool(value) => out.extend_from_slice(&[5, u8::from(*value)]),
        Value::Day(value) => {
            out.push(6);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Time(value) => {
            out.push(7);
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::List(items) => {
            out.push(8);
            int(out, items.len() as u64);
            for item in items {
                out.push(u8::from(item.is_some()));
                bytes(out, item.as_deref().unwrap_or_default().as_bytes());
            }
        }
    }
}

/// Kept bytes not read yet.
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(kept: &'a [u8]) -> Self {
        Self(kept)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|head| head[0])
    }

    pub(crate) fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn int(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.int()?).ok()?;
        self.text_of(length)
    }

    /// A text of so many bytes.
    pub(crate) fn text_of(&mut self, length: usize) -> Option<&'a str> {
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// What is not read yet.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// `None` for bytes that make no sense, `Some(None)` for a missing value.
    pub(crate) fn value(&mut self) -> Option<Option<Value>> {
        Some(Some(match self.byte()? {
            0 => return Some(None),
            1 => Value::Text(self.text()?.into()),
            2 => Value::Int(i64::from_le_bytes(self.fixed()?)),
            3 => Value::Float(f64::from_bits(u64::from_le_bytes(self.fixed()?))),
            4 => Value::Amount(self.fixed()?),
            5 => Value::Bool(self.byte()? == 1),
            6 => Value::Day(i32::from_le_bytes(self.fixed()?)),
            7 => Value::Time(i64::from_le_bytes(self.fixed()?)),
            8 => {
                let count = self.int()?;
                let mut items = Vec::new();
                for _ in 0..count {
                    let given = self.byte()? == 1;
                    let text = self.text()?;
                    items.push(given.then(|| text.into()));
                }
                Value::List(items.into())
            }
            _ => return None,
        }))
    }
}
