//! Which of two values a field keeps.

use std::cmp::Ordering;

use arrow::datatypes::DataType;
use serde_json::{Map, Value as Json};

use crate::options::{FieldPolicy, Policy, Priority};
use crate::value::Value;

/// How a field chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choose {
    By(Policy),
    /// Senders in order of trust, and how values of equal trust are chosen.
    Trust(Vec<String>, Policy),
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
    /// Taken by the rule of the senders, though far from what was held.
    Outdo(Value),
}

impl Choose {
    /// How a field that is configured so chooses.
    pub(crate) fn of(policy: &FieldPolicy) -> Self {
        match policy {
            FieldPolicy::By(policy) => Self::By(*policy),
            FieldPolicy::Priority(trust) => Self::Trust(trust.priority.clone(), trust.then),
        }
    }

    /// Decides between the value held and another one that came later, each with its sender. A majority is not
    /// decided between two: see [`majority`].
    pub(crate) fn choose(
        &self,
        (held, held_by): (&Value, &str),
        (came, came_by): (Value, &str),
        tolerance: f64,
    ) -> Choice {
        let by = match self {
            Self::By(policy) => *policy,
            Self::Object => return object(held, came),
            Self::Trust(senders, then) => match rank(senders, came_by).cmp(&rank(senders, held_by)) {
                Ordering::Less if far(held, &came, tolerance) => return Choice::Outdo(came),
                Ordering::Less => return Choice::Take(came),
                Ordering::Greater => return refuse(held, came, tolerance),
                Ordering::Equal => *then,
            },
        };
        let take = match by {
            Policy::Latest | Policy::Majority => true,
            Policy::First => false,
            Policy::Max => came.order(held) == Some(Ordering::Greater),
            Policy::Min => came.order(held) == Some(Ordering::Less),
            Policy::Union => return union(held, came),
            Policy::Longest => length(&came) > length(held),
        };
        if take { Choice::Take(came) } else { refuse(held, came, tolerance) }
    }

    /// Whether one sender is trusted more than another.
    pub(crate) fn prefers(&self, sender: &str, to: &str) -> bool {
        matches!(self, Self::Trust(senders, _) if rank(senders, sender) < rank(senders, to))
    }

    /// Whether it matters who sent a value.
    pub(crate) fn trusts(&self) -> bool {
        matches!(self, Self::Trust(..))
    }

    /// Whether the field asks what all senders say.
    pub(crate) fn votes(&self) -> bool {
        matches!(self, Self::By(Policy::Majority))
    }

    /// Whether a field holds one sender's value as it was sent, and nothing of what others sent.
    pub(crate) fn holds_one(&self) -> bool {
        !matches!(self, Self::By(Policy::Union | Policy::Majority) | Self::Object)
    }

    /// Why the policy cannot choose among values of this type, if so.
    pub(crate) fn mismatch(policy: &FieldPolicy, kind: &DataType) -> Option<(&'static str, &'static str)> {
        let policy = match policy {
            FieldPolicy::By(policy) => *policy,
            FieldPolicy::Priority(Priority { priority, .. }) if priority.is_empty() => {
                return Some(("priority", "wants at least one sender"));
            }
            FieldPolicy::Priority(Priority { then: Policy::Union, .. }) => {
                return Some(("union", "takes the values of all senders, so none can have priority"));
            }
            FieldPolicy::Priority(Priority { then: Policy::Majority, .. }) => {
                return Some(("majority", "asks all senders alike, so none can have priority"));
            }
            FieldPolicy::Priority(trust) => trust.then,
        };
        let ordered = matches!(
            kind,
            DataType::Int64
                | DataType::Float64
                | DataType::Decimal128(..)
                | DataType::Date32
                | DataType::Timestamp(..)
        );
        let list = matches!(kind, DataType::List(_));
        match policy {
            Policy::Max if !ordered => Some(("max", "chooses among numbers, amounts and dates")),
            Policy::Min if !ordered => Some(("min", "chooses among numbers, amounts and dates")),
            Policy::Union if !list => Some(("union", "joins lists")),
            Policy::Longest if !list && kind != &DataType::Utf8 => {
                Some(("longest", "chooses among texts and lists"))
            }
            _ => None,
        }
    }
}

/// How far a sender is from the most trusted one.
fn rank(senders: &[String], sender: &str) -> usize {
    senders.iter().position(|known| known == sender).unwrap_or(senders.len())
}

/// Keeps what is held; tells when that is far from what came.
fn refuse(held: &Value, came: Value, tolerance: f64) -> Choice {
    if far(held, &came, tolerance) { Choice::Clash(came) } else { Choice::Keep }
}

/// Which of the votes wins: the value that most senders have; among equals the one whose last vote came last. Votes
/// are in order of arrival; of each sender the last counts.
pub(crate) fn majority<'a>(votes: impl Iterator<Item = (&'a str, &'a Value)>) -> Option<usize> {
    let mut last: Vec<(&str, &Value, usize)> = Vec::new();
    for (at, (sender, value)) in votes.enumerate() {
        last.retain(|(known, ..)| *known != sender);
        last.push((sender, value, at));
    }
    let count = |value: &Value| last.iter().filter(|(_, other, _)| *other == value).count();
    last.iter().max_by_key(|(_, value, at)| (count(value), *at)).map(|&(.., at)| at)
}

/// Whether two numbers differ by more than the share.
pub(crate) fn far(held: &Value, came: &Value, tolerance: f64) -> bool {
    match (held.number(), came.number()) {
        (Some(a), Some(b)) => (a - b).abs() > tolerance * a.abs().max(b.abs()),
        _ => false,
    }
}

fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.chars().count(),
        Value::List(items) => items.len(),
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
            assert_eq!(Choose::By(policy).choose((&held, "a"), (came, "b"), 0.005), expected, "{context}");
        }
    }

    #[test]
    fn unknown_columns_are_joined_key_by_key() {
        let join = |held, came| Choose::Object.choose((&text(held), "a"), (text(came), "b"), 0.0);
        let joined = join(r#"{"甲":"1","乙":"2"}"#, r#"{"乙":"3","丙":"4"}"#);
        assert_eq!(joined, Choice::Take(text(r#"{"甲":"1","乙":"3","丙":"4"}"#)));
        assert_eq!(join(r#"{"甲":"1"}"#, r#"{"甲":"1"}"#), Choice::Keep);
    }

    #[test]
    fn a_trusted_senders_value_stays_and_equals_are_chosen_by_the_second_rule() {
        let trust = |then| Choose::Trust(vec!["统计局".into(), "发改局".into()], then);
        let int = Value::Int;
        let table = [
            (Policy::Latest, (1000, "统计局"), (1001, "发改局"), Choice::Keep),
            (Policy::Latest, (1000, "统计局"), (2000, "发改局"), Choice::Clash(int(2000))),
            (Policy::Latest, (1000, "发改局"), (1001, "统计局"), Choice::Take(int(1001))),
            (Policy::Latest, (1000, "发改局"), (2000, "统计局"), Choice::Outdo(int(2000))),
            (Policy::Latest, (1000, "统计局"), (2000, "统计局"), Choice::Take(int(2000))),
            (Policy::Latest, (1000, "甲"), (2000, "乙"), Choice::Take(int(2000))), // Nobody is named.
            (Policy::Max, (1000, "甲"), (999, "乙"), Choice::Keep),
        ];
        for (then, (held, held_by), (came, came_by), expected) in table {
            let found = trust(then).choose((&int(held), held_by), (int(came), came_by), 0.005);
            assert_eq!(found, expected, "{then:?} {held} of {held_by}, {came} of {came_by}");
        }
    }

    #[test]
    fn the_majority_counts_senders_and_not_rows() {
        let table = [
            (vec![], None),
            (vec![("甲", 1), ("甲", 1), ("乙", 2)], Some(2)), // One each: the latest.
            (vec![("甲", 1), ("乙", 2), ("丙", 1)], Some(2)),
            (vec![("甲", 1), ("丙", 1), ("乙", 2)], Some(1)),
            (vec![("甲", 1), ("丙", 1), ("乙", 2), ("丙", 2)], Some(3)), // One has changed its mind.
        ];
        for (votes, expected) in table {
            let votes: Vec<(&str, Value)> =
                votes.iter().map(|&(by, value)| (by, Value::Int(value))).collect();
            assert_eq!(majority(votes.iter().map(|(by, value)| (*by, value))), expected, "{votes:?}");
        }
    }
}
