//! The host's table: each function of `huiliu.h` answered by an `Arc<dyn Host>`.
//!
//! One is made for every opened stage. It is counted: the daemon holds it while the stage is open,
//! and a plugin may retain it for longer. The counterpart in the plugin is `host_proxy.rs`.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use arrow::array::Array;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};
use huiliu_stage::{Expression, Host, Level, StageError};

use crate::crossing::{export_batch, import_schema, with_lent};
use crate::said::{guard, panic_text};
use crate::tables::{ABI_VERSION, Batch, Bytes, EachEntry, Errors, HostTable, OwnedBytes, Status};

/// A host, and the table through which a stage reaches it.
pub(crate) struct HostSide {
    table: HostTable,
    host: Arc<dyn Host>,
    /// What a function said that panicked but has no way to fail; the stage's call fails in its place.
    panicked: Mutex<Option<String>>,
}

struct Compiled {
    expression: Box<dyn Expression>,
    schema: SchemaRef,
}

impl HostSide {
    pub(crate) fn new(host: Arc<dyn Host>) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            table: table(this.as_ptr().cast_mut().cast()),
            host,
            panicked: Mutex::new(None),
        })
    }

    /// The table to hand out; it lives as long as `self`.
    pub(crate) fn table(&self) -> *const HostTable {
        &raw const self.table
    }

    /// What a function said that panicked since the last time this was asked.
    pub(crate) fn take_panic(&self) -> Option<String> {
        self.panicked.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs what cannot fail; a panic is kept for [`take_panic`](Self::take_panic).
    fn infallible<T>(&self, or: T, call: impl FnOnce(&dyn Host) -> T) -> T {
        catch_unwind(AssertUnwindSafe(|| call(&*self.host))).unwrap_or_else(|panic| {
            *self.panicked.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic_text(panic));
            or
        })
    }
}

fn table(ctx: *mut c_void) -> HostTable {
    HostTable {
        abi_version: ABI_VERSION,
        size: size_of::<HostTable>() as u32,
        ctx,
        retain: Some(retain),
        release: Some(release),
        log: Some(log),
        now_ms: Some(now_ms),
        today: Some(today),
        state_get: Some(state_get),
        state_put: Some(state_put),
        state_delete: Some(state_delete),
        state_scan: Some(state_scan),
        expression_compile: Some(expression_compile),
        expression_evaluate: Some(expression_evaluate),
        expression_release: Some(expression_release),
        table: Some(reference_table),
        count: Some(count),
        cancelled: Some(cancelled),
        free: Some(free),
    }
}

// What all functions below lean on, as the header has it:
// - `ctx` is the one of the table, so an `Arc<HostSide>` that is still held;
// - bytes are valid for the length of the call; `errors` is null or a valid table;
// - output pointers are null or writable.

/// # Safety
/// `ctx` is that of a table that is still held.
unsafe fn side<'a>(ctx: *mut c_void) -> &'a HostSide {
    // SAFETY: promised above.
    unsafe { &*ctx.cast::<HostSide>() }
}

fn no_room() -> StageError {
    StageError::new("an output pointer is null")
}

unsafe extern "C" fn retain(ctx: *mut c_void) {
    // SAFETY: `ctx` points into an `Arc` that is still held.
    unsafe { Arc::increment_strong_count(ctx.cast::<HostSide>()) }
}

unsafe extern "C" fn release(ctx: *mut c_void) {
    // SAFETY: as above; it pairs with a `retain`. The host's destructor must not unwind into the plugin.
    let dropped = || unsafe { Arc::decrement_strong_count(ctx.cast::<HostSide>()) };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(dropped)) {
        std::mem::forget(panic);
    }
}

unsafe extern "C" fn log(ctx: *mut c_void, level: u32, line: Bytes) {
    let level = match level {
        0 => Level::Debug,
        1 => Level::Info,
        2 => Level::Warn,
        _ => Level::Error,
    };
    // SAFETY: see the list above.
    let (side, line) = unsafe { (side(ctx), line.to_text()) };
    side.infallible((), |host| host.log(level, &line));
}

unsafe extern "C" fn now_ms(ctx: *mut c_void) -> i64 {
    // SAFETY: see the list above.
    unsafe { side(ctx) }.infallible(0, |host| host.now_ms())
}

unsafe extern "C" fn today(ctx: *mut c_void) -> i32 {
    // SAFETY: see the list above.
    unsafe { side(ctx) }.infallible(0, |host| host.today())
}

unsafe extern "C" fn state_get(
    ctx: *mut c_void,
    key: Bytes,
    value: *mut OwnedBytes,
    errors: *const Errors,
) -> Status {
    // SAFETY: see the list above.
    unsafe {
        guard(errors, || {
            let value = value.as_mut().ok_or_else(no_room)?;
            *value = match side(ctx).host.state_get(key.as_slice())? {
                None => OwnedBytes { data: std::ptr::null_mut(), len: 0 },
                Some(found) => {
                    let len = found.len();
                    OwnedBytes { data: Box::into_raw(found.into_boxed_slice()).cast(), len }
                }
            };
            Ok(())
        })
    }
}

unsafe extern "C" fn free(_ctx: *mut c_void, buffer: *mut OwnedBytes) {
    // SAFETY: null, or a struct that the plugin owns.
    let Some(buffer) = (unsafe { buffer.as_mut() }) else { return };
    let data = std::mem::replace(&mut buffer.data, std::ptr::null_mut());
    let len = std::mem::take(&mut buffer.len);
    if !data.is_null() {
        // SAFETY: made of a boxed slice in `state_get`, and given back once, since it was emptied.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(data, len)) });
    }
}

unsafe extern "C" fn state_put(ctx: *mut c_void, key: Bytes, value: Bytes, errors: *const Errors) -> Status {
    // SAFETY: see the list above.
    unsafe { guard(errors, || Ok(side(ctx).host.state_put(key.as_slice(), value.as_slice())?)) }
}

unsafe extern "C" fn state_delete(ctx: *mut c_void, key: Bytes, errors: *const Errors) -> Status {
    // SAFETY: see the list above.
    unsafe { guard(errors, || Ok(side(ctx).host.state_delete(key.as_slice())?)) }
}

unsafe extern "C" fn state_scan(
    ctx: *mut c_void,
    prefix: Bytes,
    each: Option<EachEntry>,
    arg: *mut c_void,
    errors: *const Errors,
) -> Status {
    // SAFETY: see the list above; `each` is called with its own `arg` and bytes that outlive the call.
    unsafe {
        guard(errors, || {
            let each = each.ok_or_else(|| StageError::new("`state_scan` needs a function"))?;
            let mut call = |key: &[u8], value: &[u8]| each(arg, Bytes::of(key), Bytes::of(value)) != 0;
            Ok(side(ctx).host.state_scan(prefix.as_slice(), &mut call)?)
        })
    }
}

unsafe extern "C" fn expression_compile(
    ctx: *mut c_void,
    sql: Bytes,
    schema: *const FFI_ArrowSchema,
    expression: *mut *mut c_void,
    kind: *mut FFI_ArrowSchema,
    errors: *const Errors,
) -> Status {
    // SAFETY: see the list above; `schema` is null or a valid schema, lent for this call.
    unsafe {
        guard(errors, || {
            let out = expression.as_mut().ok_or_else(no_room)?;
            let schema = schema.as_ref().ok_or_else(|| StageError::new("an expression needs a schema"))?;
            let schema = import_schema(schema)?;
            let sql = sql.to_text();
            let compiled = Compiled { expression: side(ctx).host.compile(&sql, &schema)?, schema };
            if !kind.is_null() {
                kind.write(FFI_ArrowSchema::try_from(&compiled.expression.data_type())?);
            }
            *out = Box::into_raw(Box::new(compiled)).cast();
            Ok(())
        })
    }
}

unsafe extern "C" fn expression_evaluate(
    _ctx: *mut c_void,
    expression: *mut c_void,
    batch: *const FFI_ArrowArray,
    values: *mut FFI_ArrowArray,
    errors: *const Errors,
) -> Status {
    // SAFETY: see the list above; `expression` is null or a handle that was not given back, `batch` null
    // or a valid array, lent for this call.
    unsafe {
        guard(errors, || {
            let (Some(compiled), Some(batch)) = (expression.cast::<Compiled>().as_ref(), batch.as_ref())
            else {
                return Err(no_room());
            };
            if values.is_null() || batch.is_released() {
                return Err(StageError::new("`expression_evaluate` needs a batch and room for values"));
            }
            let computed = with_lent(batch, &compiled.schema, |batch| {
                let found = compiled
                    .expression
                    .evaluate(batch)
                    .map_err(|error| ArrowError::ComputeError(error.to_string()))?;
                if found.len() != batch.num_rows() || found.data_type() != &compiled.expression.data_type() {
                    let (kind, rows) = (found.data_type(), found.len());
                    return Err(ArrowError::ComputeError(format!("it gave {rows} values of {kind}")));
                }
                Ok(found)
            })?;
            values.write(FFI_ArrowArray::new(&computed.to_data()));
            Ok(())
        })
    }
}

unsafe extern "C" fn expression_release(ctx: *mut c_void, expression: *mut c_void) {
    if expression.is_null() {
        return;
    }
    // SAFETY: a handle is given back once.
    let compiled = unsafe { Box::from_raw(expression.cast::<Compiled>()) };
    // SAFETY: see the list above.
    unsafe { side(ctx) }.infallible((), move |_| drop(compiled));
}

unsafe extern "C" fn reference_table(
    ctx: *mut c_void,
    name: Bytes,
    rows: *mut Batch,
    errors: *const Errors,
) -> Status {
    // SAFETY: see the list above.
    unsafe {
        guard(errors, || {
            if rows.is_null() {
                return Err(no_room());
            }
            let found = side(ctx).host.table(&name.to_text())?;
            rows.write(export_batch(&found)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn count(ctx: *mut c_void, name: Bytes, add: u64) {
    // SAFETY: see the list above.
    let (side, name) = unsafe { (side(ctx), name.to_text()) };
    side.infallible((), |host| host.count(&name, add));
}

unsafe extern "C" fn cancelled(ctx: *mut c_void) -> i32 {
    // SAFETY: see the list above.
    i32::from(unsafe { side(ctx) }.infallible(false, |host| host.cancelled()))
}
