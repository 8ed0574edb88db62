//! The host as a plugin written in Rust sees it: `huiliu_stage::Host` over the C table.

use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use huiliu_stage::{Expression, Host, HostError, Level, StageError};

use crate::crossing::{Trust, export_columns, import_batch, import_schema, import_values};
use crate::said::Said;
use crate::tables::{ABI_VERSION, Batch, Bytes, Errors, HostTable, OK, OwnedBytes, Status};

/// A host on the other side. It retains the table, so it may be kept as long as one likes.
#[derive(Clone)]
pub(crate) struct HostProxy(Arc<Retained>);

struct Retained(*const HostTable);

// SAFETY: the host's functions may be called from any thread, and its table is never written.
unsafe impl Send for Retained {}
// SAFETY: as above.
unsafe impl Sync for Retained {}

impl Drop for Retained {
    fn drop(&mut self) {
        // SAFETY: retained in `HostProxy::new`, so still valid; this pairs with it.
        let table = unsafe { &*self.0 };
        if let Some(release) = table.release {
            // SAFETY: as above.
            unsafe { release(table.ctx) };
        }
    }
}

impl HostProxy {
    /// # Safety
    /// `table` is null or the table that a host passed to the `open` that is running.
    pub(crate) unsafe fn new(table: *const HostTable) -> Result<Self, StageError> {
        if table.is_null() {
            return Err(StageError::new("the host gave no table"));
        }
        // SAFETY: version and size come first in every version of the table.
        let (version, size) = unsafe { ((*table).abi_version, (*table).size as usize) };
        let wanted = size_of::<HostTable>();
        if version != ABI_VERSION || size < wanted {
            return Err(StageError::new(format!(
                "the host has ABI version {version} and a table of {size} bytes, \
                 this plugin needs version {ABI_VERSION} and {wanted} bytes"
            )));
        }
        // SAFETY: version and size say that all fields are there.
        let (ctx, retain) = unsafe { ((*table).ctx, (*table).retain) };
        if let Some(retain) = retain {
            // SAFETY: the table is valid during `open`.
            unsafe { retain(ctx) };
        }
        Ok(Self(Arc::new(Retained(table))))
    }

    fn offers(&self) -> &HostTable {
        // SAFETY: retained, so valid as long as `self`.
        unsafe { &*self.0.0 }
    }

    /// Calls a function that may fail and gives what it said as the error.
    fn call<F>(
        &self,
        name: &str,
        function: Option<F>,
        call: impl FnOnce(F, *mut c_void, &Errors) -> Status,
    ) -> Result<(), HostError> {
        let function = function.ok_or_else(|| HostError(format!("the host has no `{name}`")))?;
        let said = Said::default();
        match call(function, self.offers().ctx, &said.as_table()) {
            OK => Ok(()),
            _ => Err(said.into_host_error()),
        }
    }
}

fn crossing(error: arrow::error::ArrowError) -> HostError {
    HostError(error.to_string())
}

impl Host for HostProxy {
    fn log(&self, level: Level, message: &str) {
        if let Some(log) = self.offers().log {
            // SAFETY: the table is valid; the text outlives the call.
            unsafe { log(self.offers().ctx, level as u32, Bytes::of(message.as_bytes())) };
        }
    }

    fn now_ms(&self) -> i64 {
        // SAFETY: the table is valid.
        self.offers().now_ms.map_or(0, |now| unsafe { now(self.offers().ctx) })
    }

    fn today(&self) -> i32 {
        // SAFETY: the table is valid.
        self.offers().today.map_or(0, |today| unsafe { today(self.offers().ctx) })
    }

    fn state_get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, HostError> {
        let mut value = OwnedBytes { data: std::ptr::null_mut(), len: 0 };
        self.call("state_get", self.offers().state_get, |get, ctx, errors| {
            // SAFETY: the table is valid; key and value outlive the call.
            unsafe { get(ctx, Bytes::of(key), &raw mut value, errors) }
        })?;
        if value.data.is_null() {
            return Ok(None);
        }
        // SAFETY: the host filled it with `len` bytes that are valid until `free`.
        let found = unsafe { std::slice::from_raw_parts(value.data, value.len) }.to_vec();
        if let Some(free) = self.offers().free {
            // SAFETY: filled by this host, given back once.
            unsafe { free(self.offers().ctx, &raw mut value) };
        }
        Ok(Some(found))
    }

    fn state_put(&self, key: &[u8], value: &[u8]) -> Result<(), HostError> {
        self.call("state_put", self.offers().state_put, |put, ctx, errors| {
            // SAFETY: the table is valid; key and value outlive the call.
            unsafe { put(ctx, Bytes::of(key), Bytes::of(value), errors) }
        })
    }

    fn state_delete(&self, key: &[u8]) -> Result<(), HostError> {
        self.call("state_delete", self.offers().state_delete, |delete, ctx, errors| {
            // SAFETY: the table is valid; the key outlives the call.
            unsafe { delete(ctx, Bytes::of(key), errors) }
        })
    }

    fn state_scan(&self, prefix: &[u8], each: &mut dyn FnMut(&[u8], &[u8]) -> bool) -> Result<(), HostError> {
        let mut scan = Scan { each, panic: None };
        let arg = (&raw mut scan).cast::<c_void>();
        let result = self.call("state_scan", self.offers().state_scan, |state_scan, ctx, errors| {
            // SAFETY: the table is valid; prefix and `scan` outlive the call.
            unsafe { state_scan(ctx, Bytes::of(prefix), Some(each_entry), arg, errors) }
        });
        match scan.panic {
            // It stopped at the border, and goes on on this side of it.
            Some(panic) => resume_unwind(panic),
            None => result,
        }
    }

    fn compile(&self, sql: &str, schema: &SchemaRef) -> Result<Box<dyn Expression>, HostError> {
        let lent = FFI_ArrowSchema::try_from(schema.as_ref()).map_err(crossing)?;
        let (mut handle, mut kind) = (std::ptr::null_mut(), FFI_ArrowSchema::empty());
        self.call("expression_compile", self.offers().expression_compile, |compile, ctx, errors| {
            // SAFETY: the table is valid; everything lent outlives the call.
            unsafe {
                compile(
                    ctx,
                    Bytes::of(sql.as_bytes()),
                    &raw const lent,
                    &raw mut handle,
                    &raw mut kind,
                    errors,
                )
            }
        })?;
        // Made before anything else can fail, so that the handle is given back in any case.
        let mut expression = ForeignExpression {
            host: self.clone(),
            handle,
            kind: DataType::Null,
            schema: Arc::clone(schema),
        };
        if kind.release.is_none() {
            return Err(HostError("the host did not tell the type of the expression".into()));
        }
        expression.kind = DataType::try_from(&kind).map_err(crossing)?;
        Ok(Box::new(expression))
    }

    fn table(&self, name: &str) -> Result<RecordBatch, HostError> {
        let mut rows = Batch::empty();
        self.call("table", self.offers().table, |table, ctx, errors| {
            // SAFETY: the table is valid; name and room outlive the call.
            unsafe { table(ctx, Bytes::of(name.as_bytes()), &raw mut rows, errors) }
        })?;
        let Batch { schema, array } = rows;
        let schema = import_schema(&schema).map_err(crossing)?;
        import_batch(array, schema, Trust::Host).map_err(crossing)
    }

    fn count(&self, name: &str, add: u64) {
        if let Some(count) = self.offers().count {
            // SAFETY: the table is valid; the name outlives the call.
            unsafe { count(self.offers().ctx, Bytes::of(name.as_bytes()), add) };
        }
    }

    fn cancelled(&self) -> bool {
        // SAFETY: the table is valid.
        self.offers().cancelled.is_some_and(|cancelled| unsafe { cancelled(self.offers().ctx) } != 0)
    }
}

struct Scan<'a> {
    each: &'a mut dyn FnMut(&[u8], &[u8]) -> bool,
    panic: Option<Box<dyn Any + Send>>,
}

unsafe extern "C" fn each_entry(arg: *mut c_void, key: Bytes, value: Bytes) -> i32 {
    // SAFETY: `arg` is the `Scan` that `state_scan` lent for the length of the scan.
    let scan = unsafe { &mut *arg.cast::<Scan<'_>>() };
    // SAFETY: the host lends the bytes for the length of this call.
    let (key, value) = unsafe { (key.as_slice(), value.as_slice()) };
    match catch_unwind(AssertUnwindSafe(|| (scan.each)(key, value))) {
        Ok(more) => i32::from(more),
        Err(panic) => {
            scan.panic = Some(panic);
            0
        }
    }
}

struct ForeignExpression {
    host: HostProxy,
    handle: *mut c_void,
    kind: DataType,
    schema: SchemaRef,
}

// SAFETY: the handle is only passed to the host, which may be called from any thread.
unsafe impl Send for ForeignExpression {}
// SAFETY: as above; the host's expressions are `Sync`.
unsafe impl Sync for ForeignExpression {}

impl Expression for ForeignExpression {
    fn data_type(&self) -> DataType {
        self.kind.clone()
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, HostError> {
        // The host goes by the schema it compiled against, and cannot see the one of this batch.
        let (planned, found) = (self.schema.fields(), batch.schema_ref().fields());
        let same = Arc::ptr_eq(&self.schema, batch.schema_ref())
            || (planned.len() == found.len()
                && planned.iter().zip(found).all(|(p, f)| p.data_type() == f.data_type()));
        if !same {
            return Err(HostError("the batch has other columns than the expression was compiled for".into()));
        }
        let lent = export_columns(batch);
        let mut values = FFI_ArrowArray::empty();
        let table = self.host.offers();
        self.host.call("expression_evaluate", table.expression_evaluate, |evaluate, ctx, errors| {
            // SAFETY: the table is valid; the handle was not given back; the rest outlives the call.
            unsafe { evaluate(ctx, self.handle, &raw const lent, &raw mut values, errors) }
        })?;
        import_values(values, &self.kind).map_err(crossing)
    }
}

impl Drop for ForeignExpression {
    fn drop(&mut self) {
        if let Some(release) = self.host.offers().expression_release {
            // SAFETY: the table is retained; the handle is given back once, here.
            unsafe { release(self.host.offers().ctx, self.handle) };
        }
    }
}
