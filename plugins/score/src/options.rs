//! The options of `score`, as they stand in YAML, and what can be wrong with them by themselves.

use std::collections::BTreeMap;

use huiliu_stage::{Problem, Severity, Text};
use serde::Deserialize;

/// `score: {dimensions: […], veto: […]}`; everything else has a default.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Column of the score, Float64.
    #[serde(default = "score")]
    pub output: String,
    /// Column of every dimension's part, as JSON; `false` for none.
    #[serde(default)]
    pub parts: Column,
    /// Column of the share (0 to 1) of the score that could be judged; `false` for none.
    #[serde(default)]
    pub coverage: Column,
    /// Column of the names of the vetoes that hold; there is one only if there are vetoes.
    #[serde(default = "vetoes")]
    pub vetoes: String,
    /// What the score is made of.
    pub dimensions: Vec<Dimension>,
    /// What makes a score 0 whatever the dimensions say.
    #[serde(default)]
    pub veto: Vec<Veto>,
    /// Places behind the point.
    #[serde(default = "four")]
    pub decimals: u8,
    /// What the score is when a dimension is unscored.
    #[serde(default)]
    pub incomplete: Incomplete,
    /// How an unscored dimension is told: `warning`, `info`, `error` or `off`.
    #[serde(default = "warning")]
    pub unscored: Level,
}

fn score() -> String {
    "score".to_owned()
}

fn vetoes() -> String {
    "vetoes".to_owned()
}

fn four() -> u8 {
    4
}

fn one() -> f64 {
    1.0
}

fn warning() -> Level {
    Level(Some(Severity::Warning))
}

/// The name of a column, `false` for none, `true` for the usual name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "expected a column name or `false`")]
pub enum Column {
    /// Whether there is one, under its usual name.
    Usual(bool),
    /// Its name.
    Named(String),
}

impl Default for Column {
    fn default() -> Self {
        Self::Usual(true)
    }
}

impl Column {
    /// Its name, if there is one.
    pub fn name<'a>(&'a self, usual: &'a str) -> Option<&'a str> {
        match self {
            Self::Usual(false) => None,
            Self::Usual(true) => Some(usual),
            Self::Named(name) => Some(name),
        }
    }
}

/// A severity, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "LevelForm")]
pub struct Level(pub Option<Severity>);

#[derive(Deserialize)]
#[serde(untagged)]
enum LevelForm {
    Word(String),
    /// Some readers of YAML take the word `off` for the boolean.
    Boolean(bool),
}

impl TryFrom<LevelForm> for Level {
    type Error = String;

    fn try_from(form: LevelForm) -> Result<Self, String> {
        let wrong = |found: String| format!("`{found}` is not `error`, `warning`, `info` or `off`");
        match form {
            LevelForm::Boolean(false) => Ok(Self(None)),
            LevelForm::Boolean(true) => Err(wrong("true".to_owned())),
            LevelForm::Word(word) if word == "off" => Ok(Self(None)),
            LevelForm::Word(word) => match Severity::parse(&word) {
                Some(severity) => Ok(Self(Some(severity))),
                None => Err(wrong(word)),
            },
        }
    }
}

/// What the score is when a dimension is unscored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Incomplete {
    /// The sum of the scored dimensions; the coverage tells how much of the whole that is.
    #[default]
    Sum,
    /// That sum, scaled up as if the unscored dimensions did as well as the scored ones.
    Scale,
    /// Nothing.
    None,
}

/// One dimension: what is looked at (`value`) and how many points that gives, by exactly one of `linear`,
/// `steps`, `list`, `yes`/`no`; or `points` alone, a SQL expression. The part of the score is weight x points.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dimension {
    /// Its name, a key in the column of parts.
    pub name: String,
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// Multiplies the points.
    #[serde(default = "one")]
    pub weight: f64,
    /// SQL: what is looked at.
    #[serde(default)]
    pub value: Option<String>,
    /// Points that grow with the value up to a threshold.
    #[serde(default)]
    pub linear: Option<Linear>,
    /// Points that jump at thresholds.
    #[serde(default)]
    pub steps: Option<Vec<Step>>,
    /// Points by value.
    #[serde(default)]
    pub list: Option<BTreeMap<String, f64>>,
    /// Points for a value that the list lacks; without it such a row is unscored.
    #[serde(default)]
    pub otherwise: Option<f64>,
    /// Points when the value is true.
    #[serde(default, alias = "true")]
    pub yes: Option<f64>,
    /// Points when the value is false; 0 when left out.
    #[serde(default, alias = "false")]
    pub no: Option<f64>,
    /// SQL: the points themselves.
    #[serde(default)]
    pub points: Option<String>,
    /// The most points that `points` can give; the coverage and `incomplete: scale` need it.
    #[serde(default)]
    pub most: Option<f64>,
}

/// Points from 0 at `from` to `points` at `full`, and no more beyond; `full` below `from` when less is better.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    /// The value that gives nothing.
    #[serde(default)]
    pub from: f64,
    /// The value that gives all.
    pub full: f64,
    /// How many that is.
    #[serde(default = "one")]
    pub points: f64,
}

/// From this value on, so many points. Below the first step there are none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The least value of the step.
    pub from: f64,
    /// Its points.
    pub points: f64,
}

/// A condition that makes the score 0.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Veto {
    /// Its name, as in the column of vetoes and as code of the finding.
    pub name: String,
    /// SQL: true where the veto holds.
    pub when: String,
    /// What to tell.
    #[serde(default)]
    pub message: Option<Text>,
    /// How a veto is told; an error sends the row to quarantine.
    #[serde(default = "warning")]
    pub severity: Level,
}

/// How the points of a dimension are made.
#[derive(Clone, Debug)]
pub(crate) enum Curve {
    Linear(Linear),
    Steps(Vec<Step>),
    List(BTreeMap<String, f64>, Option<f64>),
    YesNo(f64, f64),
    Points,
}

impl Dimension {
    /// How its points are made and the SQL it starts from.
    ///
    /// # Errors
    /// The key that is wrong, and why.
    pub(crate) fn curve(&self) -> Result<(Curve, &str), (&'static str, String)> {
        let given = [
            (self.linear.is_some(), "linear"),
            (self.steps.is_some(), "steps"),
            (self.list.is_some(), "list"),
            (self.yes.is_some() || self.no.is_some(), "yes"),
            (self.points.is_some(), "points"),
        ];
        let given: Vec<&str> = given.iter().filter(|(is, _)| *is).map(|(_, key)| *key).collect();
        let [how] = given[..] else {
            let found = if given.is_empty() { "there is none".to_owned() } else { given.join(", ") };
            let message =
                format!("a dimension has exactly one of linear, steps, list, yes/no, points; {found}");
            return Err(("", message));
        };
        if self.otherwise.is_some() && how != "list" {
            return Err(("otherwise", format!("`otherwise` belongs to `list`, not to `{how}`")));
        }
        if self.most.is_some() && how != "points" {
            return Err(("most", format!("`most` belongs to `points`; `{how}` knows its own")));
        }
        if !self.weight.is_finite() || self.weight <= 0.0 {
            return Err(("weight", format!("a weight is more than 0, this is {}", self.weight)));
        }
        if let Some(sql) = &self.points {
            return match self.value {
                None => Ok((Curve::Points, sql)),
                Some(_) => {
                    Err(("value", "`points` is an expression of its own and takes no `value`".to_owned()))
                }
            };
        }
        let Some(sql) = &self.value else {
            return Err(("value", format!("`{how}` needs a `value` to look at")));
        };
        Ok((self.shaped()?, sql))
    }

    fn shaped(&self) -> Result<Curve, (&'static str, String)> {
        if let Some(linear) = self.linear {
            return match linear.from == linear.full {
                false => Ok(Curve::Linear(linear)),
                true => {
                    Err(("linear", format!("`from` and `full` are both {}, they must differ", linear.full)))
                }
            };
        }
        if let Some(steps) = &self.steps {
            let rising = steps.windows(2).all(|w| w[0].from < w[1].from);
            return match rising && !steps.is_empty() {
                true => Ok(Curve::Steps(steps.clone())),
                false => {
                    Err(("steps", "steps stand in order of `from`, each more than the one before".to_owned()))
                }
            };
        }
        if let Some(list) = &self.list {
            return Ok(Curve::List(list.clone(), self.otherwise));
        }
        Ok(Curve::YesNo(self.yes.unwrap_or(0.0), self.no.unwrap_or(0.0)))
    }

    /// What people call it.
    pub(crate) fn title(&self) -> &str {
        if self.label.is_empty() { &self.name } else { &self.label }
    }
}

impl Curve {
    /// The most points there are; `None` for an expression that does not say.
    pub(crate) fn most(&self, given: Option<f64>) -> Option<f64> {
        let greatest = |points: &mut dyn Iterator<Item = f64>| points.fold(0.0, f64::max);
        match self {
            Self::Linear(linear) => Some(linear.points.max(0.0)),
            Self::Steps(steps) => Some(greatest(&mut steps.iter().map(|s| s.points))),
            Self::List(list, otherwise) => Some(greatest(&mut list.values().copied().chain(*otherwise))),
            Self::YesNo(yes, no) => Some(yes.max(*no).max(0.0)),
            Self::Points => given,
        }
    }
}

/// Names that are empty or stand twice.
pub(crate) fn name_problems(options: &Options) -> Vec<Problem> {
    let mut all = Vec::new();
    let mut look = |list: &str, names: Vec<&str>| {
        for (i, name) in names.iter().enumerate() {
            let message = match names[..i].contains(name) {
                _ if name.is_empty() => format!("give it a name, as a key of `{list}` in the output"),
                true => format!("two are named `{name}`; rename one"),
                false => continue,
            };
            all.push(Problem { path: format!("{list}[{i}].name"), message });
        }
    };
    look("dimensions", options.dimensions.iter().map(|d| d.name.as_str()).collect());
    look("veto", options.veto.iter().map(|v| v.name.as_str()).collect());
    if options.dimensions.is_empty() {
        all.push(Problem {
            path: "dimensions".into(),
            message: "a score needs at least one dimension".into(),
        });
    }
    if options.decimals > 12 {
        let message = format!("at most 12 places make sense, not {}", options.decimals);
        all.push(Problem { path: "decimals".into(), message });
    }
    all
}
