//! The structs of `huiliu.h`, field by field, and nothing else.
//!
//! `tests/header.rs` compiles the header and compares every size and offset with these. What the
//! fields mean, who owns what and what may be called when is written in the header, once.

use std::ffi::c_void;

use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

/// The version of the whole contract; part of the entry symbol's name.
pub const ABI_VERSION: u32 = 1;

/// How a call went: `HuiliuStatus`.
pub type Status = i32;
/// It went well.
pub const OK: Status = 0;
/// Refused in good order.
pub const FAILED: Status = 1;
/// The callee must not be called again.
pub const PANICKED: Status = 2;

/// Lent bytes: `HuiliuBytes`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// May be null if `len` is 0.
    pub data: *const u8,
    /// How many.
    pub len: usize,
}

impl Bytes {
    /// Lends a text or other bytes.
    pub const fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    /// They are there, as many as `len` says, for as long as `'a`.
    pub unsafe fn as_slice<'a>(self) -> &'a [u8] {
        if self.data.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: promised above; not null.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }

    /// The bytes as text; what is not UTF-8 is replaced, not refused.
    ///
    /// # Safety
    /// As for [`as_slice`](Self::as_slice), for the length of this call.
    pub unsafe fn to_text(self) -> String {
        // SAFETY: promised above.
        String::from_utf8_lossy(unsafe { self.as_slice() }).into_owned()
    }
}

/// Bytes owned by the host: `HuiliuBuffer`.
#[repr(C)]
#[derive(Debug)]
pub struct OwnedBytes {
    /// Null: there is no value.
    pub data: *mut u8,
    /// How many.
    pub len: usize,
}

/// Rows: `HuiliuBatch`. Dropped, it releases what is in it.
#[repr(C)]
#[derive(Debug)]
pub struct Batch {
    /// Names, types, metadata.
    pub schema: FFI_ArrowSchema,
    /// The columns, as one struct array.
    pub array: FFI_ArrowArray,
}

impl Batch {
    /// One to be filled by a callee.
    pub fn empty() -> Self {
        Self { schema: FFI_ArrowSchema::empty(), array: FFI_ArrowArray::empty() }
    }
}

/// Where a callee names its problems: `HuiliuErrors`.
#[repr(C)]
#[derive(Debug)]
pub struct Errors {
    /// Size of this struct as the caller knows it.
    pub size: u32,
    /// 0.
    pub reserved: u32,
    /// First argument of `add`.
    pub ctx: *mut c_void,
    /// Takes a path into the options and a message.
    pub add: Option<unsafe extern "C" fn(ctx: *mut c_void, path: Bytes, message: Bytes)>,
}

/// Called by `state_scan` for each entry; 0 ends the scan.
pub type EachEntry = unsafe extern "C" fn(arg: *mut c_void, key: Bytes, value: Bytes) -> i32;

/// What the host offers: `HuiliuHost`.
#[repr(C)]
#[allow(missing_docs)] // Each field is described in huiliu.h.
#[derive(Debug)]
pub struct HostTable {
    pub abi_version: u32,
    pub size: u32,
    pub ctx: *mut c_void,
    pub retain: Option<unsafe extern "C" fn(*mut c_void)>,
    pub release: Option<unsafe extern "C" fn(*mut c_void)>,
    pub log: Option<unsafe extern "C" fn(*mut c_void, u32, Bytes)>,
    pub now_ms: Option<unsafe extern "C" fn(*mut c_void) -> i64>,
    pub today: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
    pub state_get: Option<unsafe extern "C" fn(*mut c_void, Bytes, *mut OwnedBytes, *const Errors) -> Status>,
    pub state_put: Option<unsafe extern "C" fn(*mut c_void, Bytes, Bytes, *const Errors) -> Status>,
    pub state_delete: Option<unsafe extern "C" fn(*mut c_void, Bytes, *const Errors) -> Status>,
    pub state_scan: Option<
        unsafe extern "C" fn(*mut c_void, Bytes, Option<EachEntry>, *mut c_void, *const Errors) -> Status,
    >,
    pub expression_compile: Option<
        unsafe extern "C" fn(
            *mut c_void,
            Bytes,
            *const FFI_ArrowSchema,
            *mut *mut c_void,
            *mut FFI_ArrowSchema,
            *const Errors,
        ) -> Status,
    >,
    pub expression_evaluate: Option<
        unsafe extern "C" fn(
            *mut c_void,
            *mut c_void,
            *const FFI_ArrowArray,
            *mut FFI_ArrowArray,
            *const Errors,
        ) -> Status,
    >,
    pub expression_release: Option<unsafe extern "C" fn(*mut c_void, *mut c_void)>,
    pub table: Option<unsafe extern "C" fn(*mut c_void, Bytes, *mut Batch, *const Errors) -> Status>,
    pub count: Option<unsafe extern "C" fn(*mut c_void, Bytes, u64)>,
    pub cancelled: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
    pub free: Option<unsafe extern "C" fn(*mut c_void, *mut OwnedBytes)>,
}

/// `open` of a stage table.
pub type OpenFn = unsafe extern "C" fn(
    host: *const HostTable,
    options: Bytes,
    input: *mut FFI_ArrowSchema,
    output: *mut FFI_ArrowSchema,
    stage: *mut *mut c_void,
    errors: *const Errors,
) -> Status;
/// `process` of a stage table.
pub type ProcessFn = unsafe extern "C" fn(
    stage: *mut c_void,
    input: *mut Batch,
    output: *mut Batch,
    findings: *mut Batch,
    errors: *const Errors,
) -> Status;
/// `finish` of a stage table.
pub type FinishFn = unsafe extern "C" fn(
    stage: *mut c_void,
    output: *mut Batch,
    findings: *mut Batch,
    errors: *const Errors,
) -> Status;
/// `close` of a stage table.
pub type CloseFn = unsafe extern "C" fn(stage: *mut c_void);

/// One kind of stage: `HuiliuStage`.
#[repr(C)]
#[allow(missing_docs)] // Each field is described in huiliu.h.
#[derive(Clone, Copy, Debug)]
pub struct StageTable {
    pub size: u32,
    pub reserved: u32,
    pub name: Bytes,
    pub summary: Bytes,
    pub option_schema: Bytes,
    pub open: Option<OpenFn>,
    pub process: Option<ProcessFn>,
    pub finish: Option<FinishFn>,
    pub close: Option<CloseFn>,
}

/// A plugin: `HuiliuPlugin`.
#[repr(C)]
#[allow(missing_docs)] // Each field is described in huiliu.h.
#[derive(Clone, Copy, Debug)]
pub struct PluginTable {
    pub abi_version: u32,
    pub size: u32,
    pub name: Bytes,
    pub version: Bytes,
    pub stages: *const *const StageTable,
    pub stage_count: usize,
}

// SAFETY: the tables are never written after they are made, and point at texts and functions that live
// as long as the process.
unsafe impl Sync for StageTable {}
// SAFETY: as above.
unsafe impl Sync for PluginTable {}
// SAFETY: as above; `ctx` is only ever used through functions that any thread may call.
unsafe impl Sync for HostTable {}
// SAFETY: as above.
unsafe impl Send for HostTable {}

/// The entry symbol's type.
pub type EntryFn = unsafe extern "C" fn() -> *const PluginTable;
