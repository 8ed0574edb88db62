//! What a stage says when it cannot go on.

use std::fmt;

/// One thing that is wrong, and where in the stage's options it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Path into the options, such as `rules[0].check`; empty for the stage as a whole.
    /// The host turns it into file, line and column.
    pub path: String,
    /// What is wrong and how to mend it; lower case, no full stop, names in backticks.
    pub message: String,
}

/// Why a stage could not be opened, or could not handle a batch.
///
/// When opening, name every problem at once: the person who mends the file wants the whole list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl StageError {
    /// An error that belongs to no single option.
    pub fn new(message: impl Into<String>) -> Self {
        Self::at("", message)
    }

    /// An error in the option at `path`, such as `rules[0].check`.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { problems: vec![Problem { path: path.into(), message: message.into() }] }
    }

    /// `Ok` when there is no problem, else all of them as one error.
    pub fn all(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            if !problem.path.is_empty() {
                write!(f, "`{}`: ", problem.path)?;
            }
            f.write_str(&problem.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for StageError {}

impl From<arrow::error::ArrowError> for StageError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::new(error.to_string())
    }
}

impl From<crate::HostError> for StageError {
    fn from(error: crate::HostError) -> Self {
        Self::new(error.to_string())
    }
}
