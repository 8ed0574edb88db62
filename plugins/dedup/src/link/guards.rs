//! What is looked at before a learnt model is believed, and what people are told of it.
//!
//! Learning without labels can slide to another question, such as which records name one company. Pairs that
//! share a national project code are truth that costs nothing: a model that no longer takes them for one is
//! not used. Fields that say the same thing twice are named, as are values that too many records hold.

use std::fmt;

use super::compare::Pattern;
use super::config::{Config, Kind};
use super::features::{Compare, Slot};
use super::weights::Model;

/// Share of the pairs with one project code that a model must take for one thing.
const ANCHORED: f64 = 0.95;
/// Pairs with one project code that say enough.
const ANCHORS: f64 = 50.0;
/// Correlation of two slots' levels, in pairs that are two things, beyond which they tell one story.
const CORRELATED: f64 = 0.6;
/// Pairs in which both slots are known that say enough for that.
const SEEN_TOGETHER: f64 = 100.0;

/// Something that a person who configures a linkage should know. Shown in English, for logs.
#[derive(Clone, Debug, PartialEq)]
pub enum Remark {
    /// A new model took too few of the pairs with one project code for one thing; the old one stays.
    Refused {
        /// The share it took, 0 to 1.
        share: f64,
    },
    /// Two fields tell one story and count twice.
    Correlated {
        /// A field.
        first: String,
        /// Another.
        second: String,
        /// Their correlation, 0.6 to 1.
        by: f64,
    },
    /// Values of an identifying field that so many records hold that they identify nothing.
    Generic {
        /// The field.
        field: String,
        /// How many values, of those that were looked at.
        values: usize,
    },
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { share } => write!(
                f,
                "new weights not used: they take {:.0} % of the pairs with one project code for one thing",
                share * 100.0
            ),
            Self::Correlated { first, second, by } => write!(
                f,
                "`{first}` and `{second}` tell one story (correlation {by:.2}); give them one `group`"
            ),
            Self::Generic { field, values } => {
                write!(f, "{values} values of `{field}` are held by too many records and count as missing")
            }
        }
    }
}

/// Whether a new model may take the place of the old one.
pub(super) fn anchor(
    config: &Config,
    slots: &[Slot],
    patterns: &[(Pattern, u32)],
    (old, new): (&Model, &Model),
) -> Result<(), Remark> {
    let codes: Vec<usize> =
        (0..slots.len()).filter(|at| config.fields[slots[*at].field].kind() == Kind::ProjectCode).collect();
    let share = |model: &Model| {
        let (mut above, mut all) = (0.0, 0.0);
        for &(pattern, count) in patterns.iter().filter(|(pattern, _)| !pattern.vetoed(slots)) {
            if codes.iter().any(|at| pattern.level(*at) == 1) {
                all += f64::from(count);
                above += if model.score(slots, pattern) >= config.merge() { f64::from(count) } else { 0.0 };
            }
        }
        if all < ANCHORS { 1.0 } else { above / all }
    };
    let found = share(new);
    if found < ANCHORED && found < share(old) { Err(Remark::Refused { share: found }) } else { Ok(()) }
}

/// Fields whose levels go together in pairs that are two things, and that are in no common group.
pub(super) fn correlated(
    config: &Config,
    slots: &[Slot],
    patterns: &[(Pattern, u32)],
    model: &Model,
) -> Vec<Remark> {
    let weighed: Vec<(Pattern, f64)> = patterns
        .iter()
        .filter(|(pattern, _)| !pattern.vetoed(slots))
        .map(|&(pattern, count)| {
            let one = 1.0 / (1.0 + f64::from(-model.score(slots, pattern)).exp2());
            (pattern, (1.0 - one) * f64::from(count))
        })
        .collect();
    let speaks =
        |at: usize| !matches!(slots[at].compare, Compare::Marks(_) | Compare::Action | Compare::Numbers);
    let mut remarks = Vec::new();
    for a in (0..slots.len()).filter(|at| speaks(*at)) {
        for b in (a + 1..slots.len()).filter(|at| speaks(*at)) {
            let one_group = slots[a].group.is_some() && slots[a].group == slots[b].group;
            let by = if one_group { 0.0 } else { correlation(&weighed, a, b) };
            if by > CORRELATED {
                let name = |at: usize| config.fields[slots[at].field].field.clone();
                remarks.push(Remark::Correlated { first: name(a), second: name(b), by });
            }
        }
    }
    remarks
}

/// The correlation of two slots' levels, where both are known.
fn correlation(weighed: &[(Pattern, f64)], a: usize, b: usize) -> f64 {
    let (mut all, mut x, mut y, mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for &(pattern, weight) in weighed.iter().filter(|(p, _)| p.level(a) > 0 && p.level(b) > 0) {
        let (of_a, of_b) = (pattern.level(a) as f64, pattern.level(b) as f64);
        all += weight;
        x += weight * of_a;
        y += weight * of_b;
        xx += weight * of_a * of_a;
        yy += weight * of_b * of_b;
        xy += weight * of_a * of_b;
    }
    let spread = ((xx - x * x / all) * (yy - y * y / all)).sqrt();
    if all < SEEN_TOGETHER || spread <= f64::EPSILON * all { 0.0 } else { (xy - x * y / all) / spread }
}

#[cfg(test)]
mod tests {
    use super::super::engine::{Linker, Row};
    use super::*;

    /// Learns from rows of fields, all of one source.
    fn learnt(config: serde_json::Value, rows: &[Vec<String>]) -> Linker {
        let mut linker = Linker::new(serde_json::from_value(config).unwrap(), 1);
        let (first, last) = rows.split_at(rows.len() / 2);
        for half in [first, last] {
            let rows: Vec<Row<'_>> = half
                .iter()
                .map(|row| Row { values: row.iter().map(|v| Some(v.as_str())).collect(), source: "s" })
                .collect();
            linker.add(&rows);
        }
        linker
    }

    fn fields(kinds: [&str; 3]) -> serde_json::Value {
        let field = |(at, kind): (usize, &str)| serde_json::json!({"field": format!("f{at}"), "kind": kind});
        serde_json::json!({"fields": kinds.into_iter().enumerate().map(field).collect::<Vec<_>>()})
    }

    #[test]
    fn a_number_that_everybody_gives_identifies_nobody_and_is_told() {
        let rows: Vec<Vec<String>> = (0..200)
            .map(|i| vec![format!("person {}", i * 7919 % 1000), "4001234567".into(), format!("street {i}")])
            .collect();
        let linker = learnt(fields(["text", "identifier", "text"]), &rows);
        let told = Remark::Generic { field: "f1".into(), values: 1 };
        assert!(linker.remarks().contains(&told), "{:?}", linker.remarks());
        assert_eq!(linker.pattern(0, 1).level(1), 0, "it counts as missing");
    }

    #[test]
    fn two_fields_that_say_the_same_are_named() {
        let words = ["anna", "berta", "clara", "dora", "emma", "frida", "greta", "hanna"];
        let rows: Vec<Vec<String>> = (0..400usize)
            .map(|i| {
                let name = format!("{} {}", words[i % 8], words[i / 8 % 8]);
                vec![name.clone(), name, format!("{} lane {}", words[i / 64], i * 31 % 400)]
            })
            .collect();
        let linker = learnt(fields(["text", "text", "text"]), &rows);
        let named = |remark: &Remark| matches!(remark, Remark::Correlated { first, second, .. } if first == "f0" && second == "f1");
        assert!(linker.remarks().iter().any(named), "{:?}", linker.remarks());
    }

    #[test]
    fn a_model_that_tears_apart_what_one_code_holds_together_is_refused() {
        let config: Config = serde_json::from_value(fields(["text", "project_code", "text"])).unwrap();
        let slots = super::super::features::slots(&config);
        let old = Model::usual(&slots);
        let mut new = old.clone();
        new.prior = -30.0;
        let patterns = [(Pattern(0x111), 100)];
        let refused = Err(Remark::Refused { share: 0.0 });
        assert_eq!(anchor(&config, &slots, &patterns, (&old, &new)), refused);
        assert_eq!(anchor(&config, &slots, &patterns, (&old, &old)), Ok(()));
        assert_eq!(anchor(&config, &slots, &[(Pattern(0x141), 100)], (&old, &new)), Ok(()), "no anchor");
    }
}
