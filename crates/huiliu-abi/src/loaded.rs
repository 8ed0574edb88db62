//! A stage behind the C table, as the `Stage` that the engine knows.

use std::ffi::{CString, c_void};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::FFI_ArrowSchema;
use huiliu_stage::{Findings, Host, Opened, Outcome, Stage, StageError};

use crate::crossing::{Trust, check_conforms, export_batch, import_batch, import_schema, places};
use crate::host_side::HostSide;
use crate::said::Said;
use crate::tables::{Batch, Bytes, CloseFn, FAILED, FinishFn, OK, OpenFn, ProcessFn, Status};

/// The four functions of a stage table, all of them there.
#[derive(Clone, Copy)]
pub(crate) struct Functions {
    pub(crate) open: OpenFn,
    pub(crate) process: ProcessFn,
    pub(crate) finish: FinishFn,
    pub(crate) close: CloseFn,
}

/// Opens a stage.
///
/// The functions must be those of a loaded table (`library.rs` sees to it): they keep the promises of `huiliu.h`.
pub(crate) fn open(
    functions: Functions,
    who: &str,
    options: &str,
    input: SchemaRef,
    host: Arc<dyn Host>,
) -> Result<Opened, StageError> {
    let side = HostSide::new(host);
    let text = CString::new(options).map_err(|_| StageError::new("the options have a NUL in them"))?;
    let mut lent = FFI_ArrowSchema::try_from(input.as_ref())?;
    let (mut answer, mut pointer) = (FFI_ArrowSchema::empty(), std::ptr::null_mut());
    let said = Said::default();
    let errors = said.as_table();
    // SAFETY: the plugin keeps the promises of the header; all that is lent outlives the call.
    let status = unsafe {
        (functions.open)(
            side.table(),
            Bytes::of(text.as_bytes()),
            &raw mut lent,
            &raw mut answer,
            &raw mut pointer,
            &raw const errors,
        )
    };
    let mut stage = LoadedStage {
        functions,
        pointer: None,
        side,
        who: who.to_owned(),
        output: Arc::clone(&input),
        places: Vec::new(),
    };
    // From here on it is closed when it is dropped, whatever else fails.
    stage.pointer = (status == OK).then_some(pointer);
    stage.settle(status, said)?;
    if answer.release.is_some() {
        stage.output = import_schema(&answer).map_err(|error| stage.unusable("output schema", &error))?;
    }
    stage.places = places(&input, &stage.output);
    let output = Arc::clone(&stage.output);
    Ok(Opened { stage: Box::new(stage), output })
}

struct LoadedStage {
    functions: Functions,
    /// What `open` gave; `None` once the stage must not be called any more.
    pointer: Option<*mut c_void>,
    side: Arc<HostSide>,
    /// For messages: "stage `x` of plugin `y`".
    who: String,
    output: SchemaRef,
    /// For each output column the input column that it may be.
    places: Vec<Option<usize>>,
}

// SAFETY: the header allows any thread to use a stage, one at a time.
unsafe impl Send for LoadedStage {}

impl LoadedStage {
    fn pointer(&self) -> Result<*mut c_void, StageError> {
        self.pointer
            .ok_or_else(|| StageError::new(format!("{} panicked before and is not called again", self.who)))
    }

    fn unusable(&self, what: &str, error: &ArrowError) -> StageError {
        let reason = match error {
            ArrowError::CDataInterface(reason) | ArrowError::InvalidArgumentError(reason) => reason.clone(),
            other => other.to_string(),
        };
        StageError::new(format!("{} gave an unusable {what}: {reason}", self.who))
    }

    /// Turns what a call answered into a result. A stage that panicked is left alone for good: it is not
    /// even closed, and its host's table stays, since there is no telling who still uses it.
    fn settle(&mut self, status: Status, said: Said) -> Result<(), StageError> {
        let host_panic = self.side.take_panic();
        if status != OK && status != FAILED {
            self.pointer = None;
            std::mem::forget(Arc::clone(&self.side));
            let text = said.into_stage_error();
            return Err(StageError::new(format!("{} panicked: {text}; it is not called again", self.who)));
        }
        match host_panic {
            Some(text) => {
                Err(StageError::new(format!("the host panicked while it served {}: {text}", self.who)))
            }
            None if status == OK => Ok(()),
            None => Err(said.into_stage_error()),
        }
    }

    fn rows(&self, batch: Batch, given: Option<&RecordBatch>) -> Result<RecordBatch, ArrowError> {
        let Batch { schema, array } = batch;
        let metadata = match (schema.release, given) {
            (None, Some(given)) => given.schema_ref().metadata.clone(),
            (None, None) => self.output.metadata.clone(),
            (Some(_), _) => {
                check_conforms(self.output.fields(), &schema)?;
                schema.metadata()?
            }
        };
        let schema = Arc::new(Schema::new_with_metadata(self.output.fields().clone(), metadata));
        let known = given.map(|given| (given, self.places.as_slice()));
        import_batch(array, schema, Trust::Nothing(known))
    }

    fn findings(&self, batch: Batch) -> Result<Findings, StageError> {
        let Batch { schema, array } = batch;
        if array.is_released() {
            return Ok(Findings::none());
        }
        let read = || {
            let schema = if schema.release.is_none() { Findings::schema() } else { import_schema(&schema)? };
            import_batch(array, schema, Trust::Nothing(None))
        };
        let batch = read().map_err(|error| self.unusable("batch of findings", &error))?;
        Findings::from_batch(&batch)
            .map_err(|error| StageError::new(format!("{} gave unusable findings: {error}", self.who)))
    }
}

impl Stage for LoadedStage {
    fn process(&mut self, batch: RecordBatch) -> Result<Outcome, StageError> {
        let pointer = self.pointer()?;
        let mut input = export_batch(&batch)?;
        let (mut output, mut findings) = (Batch::empty(), Batch::empty());
        let said = Said::default();
        let errors = said.as_table();
        // SAFETY: the plugin keeps the promises of the header; all that is lent outlives the call.
        let status = unsafe {
            (self.functions.process)(
                pointer,
                &raw mut input,
                &raw mut output,
                &raw mut findings,
                &raw const errors,
            )
        };
        self.settle(status, said)?;
        if output.array.is_released() {
            return Err(StageError::new(format!("{} gave no batch", self.who)));
        }
        let findings = self.findings(findings)?;
        let batch = self.rows(output, Some(&batch)).map_err(|error| self.unusable("batch", &error))?;
        Ok(Outcome { batch, findings })
    }

    fn finish(&mut self) -> Result<Option<Outcome>, StageError> {
        let pointer = self.pointer()?;
        let (mut output, mut findings) = (Batch::empty(), Batch::empty());
        let said = Said::default();
        let errors = said.as_table();
        // SAFETY: the plugin keeps the promises of the header; all that is lent outlives the call.
        let status = unsafe {
            (self.functions.finish)(pointer, &raw mut output, &raw mut findings, &raw const errors)
        };
        self.settle(status, said)?;
        let (no_rows, findings) = (output.array.is_released(), self.findings(findings)?);
        let batch = match no_rows {
            true if findings.is_empty() => return Ok(None),
            true => RecordBatch::new_empty(Arc::clone(&self.output)),
            false => self.rows(output, None).map_err(|error| self.unusable("batch", &error))?,
        };
        Ok(Some(Outcome { batch, findings }))
    }
}

impl Drop for LoadedStage {
    fn drop(&mut self) {
        if let Some(pointer) = self.pointer.take() {
            // SAFETY: what `open` gave, closed once; the host's table is dropped after this.
            unsafe { (self.functions.close)(pointer) };
        }
    }
}
