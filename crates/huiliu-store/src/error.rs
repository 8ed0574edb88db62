//! What can go wrong inside the store, before it is told to the outside as a [`StoreError`].

use std::io;
use std::path::{Path, PathBuf};

use huiliu_pipeline::ports::StoreError;

/// A result inside the store.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The causes, so that `?` works on each of them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("database: {0}")]
    Sql(#[from] rusqlite::Error),
    #[error("commit log: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    #[error("stored json: {0}")]
    Json(#[from] serde_json::Error),
    #[error("`{}`: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// For `map_err`: names the file.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    /// A failure that is none of the libraries'.
    pub(crate) fn failed(text: impl Into<String>) -> Self {
        Self::Store(StoreError::Failed(text.into()))
    }

    /// Something asked for that is not there.
    pub(crate) fn missing(text: impl Into<String>) -> Self {
        Self::Store(StoreError::Missing(text.into()))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error,
            other => Self::Failed(other.to_string()),
        }
    }
}
