//! Problems on their way across: collected by the caller, named by the callee. And panics, which
//! become problems at the first border they meet.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use huiliu_stage::{HostError, Problem, StageError};

use crate::tables::{Bytes, Errors, FAILED, OK, PANICKED, Status};

/// So many problems of one call are kept; a callee that names more has said enough.
const MOST: usize = 1000;

/// Collects what a callee says. Locked, since nothing stops a callee from naming problems on two threads.
#[derive(Default)]
pub(crate) struct Said(Mutex<Vec<Problem>>);

impl Said {
    /// The table to pass to the callee; it is valid while `self` stays where it is.
    pub(crate) fn as_table(&self) -> Errors {
        let ctx = std::ptr::from_ref(self).cast_mut().cast::<c_void>();
        Errors { size: size_of::<Errors>() as u32, reserved: 0, ctx, add: Some(add) }
    }

    fn into_problems(self) -> Vec<Problem> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was said, as an error of a stage.
    pub(crate) fn into_stage_error(self) -> StageError {
        let problems = self.into_problems();
        if problems.is_empty() {
            return StageError::new("it failed without saying why");
        }
        StageError { problems }
    }

    /// What was said, as an error of a host.
    pub(crate) fn into_host_error(self) -> HostError {
        HostError(self.into_stage_error().to_string())
    }
}

unsafe extern "C" fn add(ctx: *mut c_void, path: Bytes, message: Bytes) {
    if ctx.is_null() {
        return;
    }
    // SAFETY: `ctx` was made of a living `Said` in `as_table`.
    let said = unsafe { &*ctx.cast::<Said>() };
    // SAFETY: the header promises bytes that are valid during this call.
    let problem = unsafe { Problem { path: path.to_text(), message: message.to_text() } };
    let mut problems = said.0.lock().unwrap_or_else(PoisonError::into_inner);
    if problems.len() < MOST {
        problems.push(problem);
    }
}

/// Names the problems of `error` to the caller.
///
/// # Safety
/// `errors` is null or a valid table.
pub(crate) unsafe fn say(errors: *const Errors, error: &StageError) {
    // SAFETY: promised above.
    let Some(table) = (unsafe { errors.as_ref() }) else { return };
    let Some(add) = table.add else { return };
    for problem in &error.problems {
        // SAFETY: the table is valid; the texts outlive the call.
        unsafe { add(table.ctx, Bytes::of(problem.path.as_bytes()), Bytes::of(problem.message.as_bytes())) };
    }
}

/// Runs what the other side called. No panic gets past it.
///
/// # Safety
/// `errors` is null or a valid table.
pub(crate) unsafe fn guard(errors: *const Errors, call: impl FnOnce() -> Result<(), StageError>) -> Status {
    let (status, error) = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => return OK,
        Ok(Err(error)) => (FAILED, error),
        Err(panic) => (PANICKED, StageError::new(panic_text(panic))),
    };
    // SAFETY: promised above.
    unsafe { say(errors, &error) };
    status
}

/// What a panic said.
pub(crate) fn panic_text(panic: Box<dyn Any + Send>) -> String {
    let text = match (panic.downcast_ref::<&str>(), panic.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "it did not say why".to_owned(),
    };
    // Its destructor is foreign code as well, and could panic in turn.
    std::mem::forget(panic);
    text
}
