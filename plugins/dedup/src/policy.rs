//! Which of two values a field keeps.

use std::cmp::Ordering;

use arrow::datatypes::DataType;
use serde_json::{Map, Value as Json};

use crate::options::Policy;
use crate::value::Value;

/// How a field chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choose {
    By(Policy),
    /// A JSON object, key by key, the latest of each: the columns that the schema does not know.
    Object,
}

/// What became of an incoming value.
#[derive(Debug, PartialEq)]
pub(crate) enum Choice {
    Take(Value),
    Keep,
    /// Kept out, and far from what is held.
    Clash(Value),
}

impl Choose {
    /// Decides between the value held and another one that came later.
    pub(crate) fn choose(self, held: &Value, came: Value, tolerance: f64) -> Choice {
        let take = match self {
            Self::By(Policy::Latest) => true,
            Self::By(Policy::First) => false,
            Self::By(Policy::Max) => came.order(held) == Some(Ordering::Greater),
            Self::By(Policy::Min) => came.order(held) == Some(Ordering::Less),
            Self::By(Policy::Union) => return union(held, came),
            Self::By(Policy::Longest) => length(&came) > length(held),
            Self::Object => return object(held, came),
        };
        match take {
            true => Choice::Take(came),
            false if far(held, &came, tolerance) => Choice::Clash(came),
            false => Choice::Keep,
        }
    }

    /// Whether a field holds one sender's value as it was sent, and nothing of what others sent.
    pub(crate) fn holds_one(self) -> bool {
        !matches!(self, Self::By(Policy::Union) | Self::Object)
    }

    /// Why the policy cannot choose among values of this type, if so.
    pub(crate) fn mismatch(policy: Policy, kind: &DataType) -> Option<&'static str> {
        let ordered = matches!(
            kind,
            DataType::Int64
                | DataType::Float64
                | DataType::Decimal128(..)
                | DataType::Date32
                | DataType::Timestamp(..)
        );
        match policy {
            Policy::Max | Policy::Min if !ordered => Some("chooses among numbers, amounts and dates"),
            Policy::Union if !matches!(kind, DataType::List(_)) => Some("joins lists"),
            Policy::Longest if kind != &DataType::Utf8 => Some("chooses among texts"),
            _ => None,
        }
    }
}

fn far(held: &Value, came: &Value, tolerance: f64) -> bool {
    match (held.number(), came.number()) {
        (Some(a), Some(b)) => (a - b).abs() > tolerance * a.abs().max(b.abs()),
        _ => false,
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.chars().count(),
        _ => 0,
    }
}

fn union(held: &Value, came: Value) -> Choice {
    let (Value::List(before), Value::List(items)) = (held, &came) else { return Choice::Take(came) };
    let mut all = before.to_vec();
    for item in items {
        if !all.contains(item) {
            all.push(item.clone());
        }
    }
    if all.len() == before.len() { Choice::Keep } else { Choice::Take(Value::List(all.into())) }
}

fn object(held: &Value, came: Value) -> Choice {
    let parse = |value: &Value| match value {
        Value::Text(text) => serde_json::from_str::<Map<String, Json>>(text).ok(),
        _ => None,
    };
    let (Some(before), Some(news)) = (parse(held), parse(&came)) else { return Choice::Take(came) };
    let mut all = before.clone();
    all.extend(news);
    if all == before { Choice::Keep } else { Choice::Take(Value::Text(Json::Object(all).to_string().into())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    fn list(items: &[&str]) -> Value {
        Value::List(items.iter().map(|item| Some((*item).into())).collect())
    }

    #[test]
    fn a_field_keeps_the_value_its_policy_says() {
        use Policy::{First, Latest, Longest, Max, Min, Union};
        let int = Value::Int;
        let nan = Value::Float(f64::NAN);
        let table = [
            (Latest, int(1), int(2), Choice::Take(int(2))),
            (Latest, int(2), int(1), Choice::Take(int(1))),
            (First, text("a"), text("b"), Choice::Keep),
            (First, int(1), int(2), Choice::Clash(int(2))),
            (Max, int(1), int(2), Choice::Take(int(2))),
            (Max, int(1000), int(999), Choice::Keep), // Within the tolerance.
            (Max, int(1000), int(900), Choice::Clash(int(900))),
            (Max, Value::Float(1.0), nan, Choice::Keep),
            (Min, Value::Day(9), Value::Day(8), Choice::Take(Value::Day(8))),
            (Union, list(&["a"]), list(&["b", "a"]), Choice::Take(list(&["a", "b"]))),
            (Union, list(&["a", "b"]), list(&["b"]), Choice::Keep),
            (Longest, text("abc"), text("中文"), Choice::Keep), // Characters, not bytes.
            (Longest, text("中文"), text("abc"), Choice::Take(text("abc"))),
        ];
        for (policy, held, came, expected) in table {
            let context = format!("{policy:?} {held:?} {came:?}");
            assert_eq!(Choose::By(policy).choose(&held, came, 0.005), expected, "{context}");
        }
    }

    #[test]
    fn unknown_columns_are_joined_key_by_key() {
        let joined =
            Choose::Object.choose(&text(r#"{"甲":"1","乙":"2"}"#), text(r#"{"乙":"3","丙":"4"}"#), 0.0);
        assert_eq!(joined, Choice::Take(text(r#"{"甲":"1","乙":"3","丙":"4"}"#)));
        assert_eq!(Choose::Object.choose(&text(r#"{"甲":"1"}"#), text(r#"{"甲":"1"}"#), 0.0), Choice::Keep);
    }
}
