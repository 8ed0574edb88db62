//! What stops a delivery in the middle, and how that is said.

use huiliu_stage::{Finding, Severity, StageError, Text};

use super::ReadStop;
use crate::ports::StoreError;

/// What stops a delivery in the middle.
pub(super) enum Stop {
    Refuse(Box<Finding>),
    Store(StoreError),
    Cancelled,
    Again(String),
}

impl From<ReadStop> for Stop {
    fn from(stop: ReadStop) -> Self {
        match stop {
            ReadStop::Refuse(why) => Self::Refuse(why),
            ReadStop::Again(why) => Self::Again(why),
        }
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The finding of a delivery that a stage could not handle.
pub(super) fn failed(stage: &str, error: &StageError) -> Stop {
    Stop::Refuse(Box::new(Finding::new(
        None,
        Severity::Error,
        "stage-failed",
        Text::new(
            format!("处理环节“{stage}”出错，整个文件未被接收，请联系管理员：{error}"),
            format!(
                "stage `{stage}` failed, so the whole file was not taken; tell the administrator: {error}"
            ),
        ),
    )))
}
