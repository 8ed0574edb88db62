//! A Rust stage on its way out: the four C functions for any `OpenStage`, and the macro that makes
//! them a plugin.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ffi::FFI_ArrowSchema;
use huiliu_stage::{Host, OpenStage, Outcome, Stage, StageError};

use crate::crossing::{Trust, check_conforms, export_batch, export_columns, import_batch, import_schema};
use crate::host_proxy::HostProxy;
use crate::said::guard;
use crate::tables::{ABI_VERSION, Batch, Bytes, Errors, HostTable, PluginTable, StageTable, Status};

/// The tables of exported stages, as constants; used by [`export_plugin!`](crate::export_plugin).
#[derive(Debug)]
pub struct Export<T>(PhantomData<T>);

impl<T: OpenStage> Export<T> {
    /// The stage's table.
    pub const TABLE: &'static StageTable = &StageTable {
        size: size_of::<StageTable>() as u32,
        reserved: 0,
        name: Bytes::of(T::NAME.as_bytes()),
        summary: Bytes::of(T::SUMMARY.as_bytes()),
        option_schema: Bytes::of(T::OPTION_SCHEMA.as_bytes()),
        open: Some(open::<T>),
        process: Some(process),
        finish: Some(finish),
        close: Some(close),
    };
}

/// The table of a plugin; used by [`export_plugin!`](crate::export_plugin).
pub const fn plugin_table(
    name: &'static str,
    version: &'static str,
    stages: &'static [&'static StageTable],
) -> PluginTable {
    PluginTable {
        abi_version: ABI_VERSION,
        size: size_of::<PluginTable>() as u32,
        name: Bytes::of(name.as_bytes()),
        version: Bytes::of(version.as_bytes()),
        stages: stages.as_ptr().cast(),
        stage_count: stages.len(),
    }
}

/// Makes a crate a plugin: `huiliu_abi::export_plugin!([MyStage, MyOtherStage]);`
///
/// Built as a `cdylib` the crate exports the one symbol that Huiliu looks for. It is named
/// `huiliu_plugin_v1_` and the crate's name, so that many such crates can be linked into one
/// program as well; that program finds the stages through the function `plugin()`, which this
/// makes. Another name for the symbol can be given: `export_plugin!(huiliu_plugin_v1_validate, [Validate]);`.
/// It must begin with `huiliu_plugin_v1`.
///
/// The crate needs no `unsafe`, and may forbid it.
#[macro_export]
macro_rules! export_plugin {
    ([$($stage:ty),+ $(,)?]) => {
        $crate::export_plugin!(@stages [$($stage),+]);

        #[doc(hidden)]
        #[unsafe(export_name = concat!("huiliu_plugin_v1_", env!("CARGO_CRATE_NAME")))]
        pub extern "C" fn huiliu_plugin_entry() -> *const $crate::tables::PluginTable {
            &raw const HUILIU_PLUGIN
        }
    };
    ($symbol:ident, [$($stage:ty),+ $(,)?]) => {
        $crate::export_plugin!(@stages [$($stage),+]);

        #[doc(hidden)]
        #[unsafe(no_mangle)]
        pub extern "C" fn $symbol() -> *const $crate::tables::PluginTable {
            &raw const HUILIU_PLUGIN
        }
    };
    (@stages [$($stage:ty),+]) => {
        static HUILIU_PLUGIN: $crate::tables::PluginTable = $crate::plugin_table(
            env!("CARGO_PKG_NAME"),
            env!("CARGO_PKG_VERSION"),
            &[$($crate::Export::<$stage>::TABLE),+],
        );

        /// The stages of this plugin, for a program that links it.
        pub fn plugin() -> $crate::Plugin {
            vec![$($crate::StageFactory::linked::<$stage>(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_PKG_VERSION"),
            )),+]
        }
    };
}

/// What the `stage` pointer of an exported stage points at.
struct Exported {
    stage: Box<dyn Stage>,
    input: SchemaRef,
    output: SchemaRef,
}

// What the functions below lean on, as the header has it: every pointer that the host passes is valid
// for the length of the call, `errors` may be null, `stage` is what `open` gave, and one thread at a
// time calls a stage. Nothing is written to an output before all that can fail has passed.

unsafe extern "C" fn open<T: OpenStage>(
    host: *const HostTable,
    options: Bytes,
    input: *mut FFI_ArrowSchema,
    output: *mut FFI_ArrowSchema,
    stage: *mut *mut c_void,
    errors: *const Errors,
) -> Status {
    // SAFETY: see above.
    unsafe {
        guard(errors, || {
            let host: Arc<dyn Host> = Arc::new(HostProxy::new(host)?);
            let options = std::str::from_utf8(options.as_slice())
                .map_err(|_| StageError::new("the options are not UTF-8"))?;
            let input = import_schema(&*input)?;
            let opened = T::open_json(options, Arc::clone(&input), host)?;
            let schema = FFI_ArrowSchema::try_from(opened.output.as_ref())?;
            let exported = Exported { stage: opened.stage, input, output: opened.output };
            output.write(schema);
            stage.write(Box::into_raw(Box::new(exported)).cast());
            Ok(())
        })
    }
}

unsafe extern "C" fn process(
    stage: *mut c_void,
    input: *mut Batch,
    output: *mut Batch,
    findings: *mut Batch,
    errors: *const Errors,
) -> Status {
    // SAFETY: see above.
    unsafe {
        guard(errors, || {
            let exported = &mut *stage.cast::<Exported>();
            let batch = take(input.replace(Batch::empty()), &exported.input)?;
            let schema = batch.schema();
            let outcome = exported.stage.process(batch)?;
            let implied = outcome.batch.schema_ref().metadata == schema.metadata;
            give(&outcome, &exported.output, implied, output, findings)
        })
    }
}

unsafe extern "C" fn finish(
    stage: *mut c_void,
    output: *mut Batch,
    findings: *mut Batch,
    errors: *const Errors,
) -> Status {
    // SAFETY: see above.
    unsafe {
        guard(errors, || {
            let exported = &mut *stage.cast::<Exported>();
            match exported.stage.finish()? {
                Some(outcome) => give(&outcome, &exported.output, false, output, findings),
                None => Ok(()),
            }
        })
    }
}

unsafe extern "C" fn close(stage: *mut c_void) {
    // There is nobody to tell of a panic in a destructor; it must not cross, and nothing is left to go wrong.
    // SAFETY: see above; made by `open`, taken back once. No errors table.
    unsafe {
        guard(std::ptr::null(), || {
            drop(Box::from_raw(stage.cast::<Exported>()));
            Ok(())
        });
    }
}

/// A batch that the host handed over. Its columns are those of `open`, so their descriptions need not be
/// read again; only the metadata of the whole batch is new.
fn take(batch: Batch, planned: &SchemaRef) -> Result<RecordBatch, StageError> {
    let Batch { schema, array } = batch;
    let schema = match check_conforms(planned.fields(), &schema) {
        Ok(()) => Arc::new(Schema::new_with_metadata(planned.fields().clone(), schema.metadata()?)),
        Err(_) => import_schema(&schema)?,
    };
    Ok(import_batch(array, schema, Trust::Host)?)
}

/// Fills the outputs. A schema that the host knows anyway (`implied` metadata and planned columns) stays here.
///
/// # Safety
/// `output` and `findings` are writable and empty.
unsafe fn give(
    outcome: &Outcome,
    planned: &SchemaRef,
    implied: bool,
    output: *mut Batch,
    findings: *mut Batch,
) -> Result<(), StageError> {
    let batch = &outcome.batch;
    let rows = match implied && batch.schema_ref().fields() == planned.fields() {
        true => Batch { schema: FFI_ArrowSchema::empty(), array: export_columns(batch) },
        false => export_batch(batch)?,
    };
    let said = match outcome.findings.is_empty() {
        true => Batch::empty(),
        false => {
            Batch { schema: FFI_ArrowSchema::empty(), array: export_columns(&outcome.findings.to_batch()?) }
        }
    };
    // SAFETY: promised above.
    unsafe {
        output.write(rows);
        findings.write(said);
    }
    Ok(())
}
