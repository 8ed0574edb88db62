//! Batches and schemas on their way across, as the Arrow C Data Interface.
//!
//! Going out is safe and never copies. Coming in from a plugin, nothing is believed: the shape is
//! checked before Arrow follows a pointer ([`check_array`]), the contents after ([`import_batch`]).
//! What cannot be checked is whether pointers point at as many bytes as they should.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::{Array, ArrayData, ArrayRef, MutableArrayData, RecordBatch, StructArray, make_array};
use arrow::datatypes::{DataType, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};

use crate::tables::Batch;

type Result<T> = std::result::Result<T, ArrowError>;

/// Nested types deeper than this, or with more children, are not records.
const DEEPEST: usize = 8;
const WIDEST: i64 = 100_000;

fn refuse<T>(why: String) -> Result<T> {
    Err(ArrowError::CDataInterface(why))
}

/// Rows on their way out.
pub(crate) fn export_batch(batch: &RecordBatch) -> Result<Batch> {
    Ok(Batch {
        schema: FFI_ArrowSchema::try_from(batch.schema_ref().as_ref())?,
        array: export_columns(batch),
    })
}

/// The columns of a batch as one struct array.
pub(crate) fn export_columns(batch: &RecordBatch) -> FFI_ArrowArray {
    FFI_ArrowArray::new(&StructArray::from(batch.clone()).into_data())
}

/// A schema that was taken from the other side.
pub(crate) fn import_schema(schema: &FFI_ArrowSchema) -> Result<SchemaRef> {
    check_schema(schema, 0)?;
    Ok(Arc::new(Schema::try_from(schema)?))
}

/// Whether Arrow may read the struct without a null pointer or endless depth in its way.
fn check_schema(schema: &FFI_ArrowSchema, depth: usize) -> Result<()> {
    if schema.release.is_none() || schema.format.is_null() {
        return refuse("a schema is empty".into());
    }
    if depth > DEEPEST || !(0..=WIDEST).contains(&schema.n_children) {
        return refuse(format!("a schema is nested too deep or says it has {} children", schema.n_children));
    }
    if schema.n_children > 0 && schema.children.is_null() {
        return refuse("a schema lacks its children".into());
    }
    for i in 0..schema.n_children as usize {
        // SAFETY: the interface promises `n_children` pointers at `children`.
        let child = unsafe { *schema.children.add(i) };
        // SAFETY: each is null or a schema.
        let Some(child) = (unsafe { child.as_ref() }) else {
            return refuse(format!("child {i} of a schema is missing"));
        };
        check_schema(child, depth + 1)?;
    }
    // SAFETY: null or a schema.
    match unsafe { schema.dictionary.as_ref() } {
        Some(dictionary) => check_schema(dictionary, depth + 1),
        None => Ok(()),
    }
}

/// Whether a schema that came with a batch has the planned names and types.
pub(crate) fn check_conforms(planned: &Fields, schema: &FFI_ArrowSchema) -> Result<()> {
    check_schema(schema, 0)?;
    let found: Vec<&FFI_ArrowSchema> = schema.children().collect();
    if schema.format() != "+s" || found.len() != planned.len() {
        return refuse(format!("the batch has {} columns, {} were planned", found.len(), planned.len()));
    }
    for (planned, found) in planned.iter().zip(found) {
        let (name, kind) = (found.name().unwrap_or_default(), DataType::try_from(found)?);
        if name != planned.name() || &kind != planned.data_type() {
            let (wanted, wanted_kind) = (planned.name(), planned.data_type());
            return refuse(format!(
                "the batch has a column `{name}` of {kind} where `{wanted}` of {wanted_kind} was planned"
            ));
        }
    }
    Ok(())
}

/// Whether Arrow may read an array of this type: counts fit the type, pointers are there, offsets make sense.
/// Arrow itself asserts, or follows null pointers, where these do not hold.
fn check_array(array: &FFI_ArrowArray, kind: &DataType, depth: usize) -> Result<()> {
    let (length, offset) = (array.length, array.offset);
    if array.release.is_none() && depth == 0 {
        return refuse("the batch was released already".into());
    }
    let end = length.checked_add(offset).filter(|_| length >= 0 && offset >= 0);
    let Some(end) = end.filter(|end| *end < i64::from(i32::MAX)) else {
        return refuse(format!("an array says it has {length} values from {offset}"));
    };
    let (buffers, children) = match kind {
        DataType::Struct(fields) => (1, fields.len() as i64),
        DataType::List(_) => (2, 1),
        DataType::Utf8 => (3, 0),
        DataType::Boolean => (2, 0),
        other if other.primitive_width().is_some() => (2, 0),
        other => return refuse(format!("{other} is not a type that rows may have")),
    };
    if array.n_buffers != buffers || array.n_children != children || !array.dictionary.is_null() {
        let (b, c) = (array.n_buffers, array.n_children);
        return refuse(format!(
            "an array of {kind} has {b} buffers and {c} children, not {buffers} and {children}"
        ));
    }
    if array.buffers.is_null() || (children > 0 && array.children.is_null()) {
        return refuse(format!("an array of {kind} lacks its buffers or children"));
    }
    // SAFETY: the interface promises `n_buffers` pointers at `buffers`.
    let buffer = |at: usize| unsafe { *array.buffers.add(at) };
    if !(-1..=length).contains(&array.null_count) || (array.null_count > 0 && buffer(0).is_null()) {
        return refuse(format!("an array of {kind} says it has {} nulls", array.null_count));
    }
    if let Some(at) = (1..buffers as usize).find(|&at| buffer(at).is_null() && end > 0 && at < 2) {
        return refuse(format!("buffer {at} of an array of {kind} is missing"));
    }
    if matches!(kind, DataType::Utf8 | DataType::List(_)) {
        let offsets = buffer(1).cast::<i32>();
        if offsets.is_null() || !offsets.is_aligned() {
            return refuse(format!("the offsets of an array of {kind} are missing or not aligned"));
        }
        // SAFETY: not null, aligned, and the interface promises `end + 1` offsets.
        let last = unsafe { *offsets.add(end as usize) };
        if last < 0 || (last > 0 && kind == &DataType::Utf8 && buffer(2).is_null()) {
            return refuse(format!("the last offset of an array of {kind} is {last}"));
        }
    }
    check_children(array, kind, depth)
}

fn check_children(array: &FFI_ArrowArray, kind: &DataType, depth: usize) -> Result<()> {
    let kinds: Vec<&DataType> = match kind {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::List(item) => vec![item.data_type()],
        _ => return Ok(()),
    };
    if depth > DEEPEST {
        return refuse("an array is nested too deep".into());
    }
    for (i, kind) in kinds.into_iter().enumerate() {
        // SAFETY: there are as many children as kinds, checked before.
        let child = unsafe { *array.children.add(i) };
        // SAFETY: null or an array.
        match unsafe { child.as_ref() } {
            Some(child) => check_array(child, kind, depth + 1)?,
            None => return refuse(format!("child {i} of an array is missing")),
        }
    }
    Ok(())
}

/// How much of what comes in is looked at.
#[derive(Clone, Copy)]
pub(crate) enum Trust<'a> {
    /// It comes from the host: nothing more to check.
    Host,
    /// Counts, pointers and sizes; the contents are only read, not kept.
    Shape,
    /// Everything, down to each text. Columns that are still the very columns that were handed out are
    /// known to be good: `(batch, for each planned column its place in that batch)`.
    Nothing(Option<(&'a RecordBatch, &'a [Option<usize>])>),
}

/// Columns that were taken from the other side, as rows of `schema`.
pub(crate) fn import_batch(
    array: FFI_ArrowArray,
    schema: SchemaRef,
    trust: Trust<'_>,
) -> Result<RecordBatch> {
    let kind = DataType::Struct(schema.fields().clone());
    if !matches!(trust, Trust::Host) {
        check_array(&array, &kind, 0)?;
    }
    // SAFETY: it comes from the host, or its shape was checked; its contents are checked below.
    let data = unsafe { from_ffi_and_data_type(array, kind) }?;
    let rows = data.len();
    if data.null_count() > 0 {
        return refuse("a batch has nulls in place of whole rows".into());
    }
    match trust {
        Trust::Host => {}
        Trust::Shape => data.validate()?,
        Trust::Nothing(_) => data.validate_data()?,
    }
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(data.child_data().len());
    for (i, child) in data.child_data().iter().enumerate() {
        if let Trust::Nothing(Some((given, places))) = trust
            && data.offset() == 0
            && let Some(known) = places.get(i).copied().flatten().and_then(|at| given.columns().get(at))
            && known.len() == rows
            && known.to_data().ptr_eq(child)
        {
            columns.push(known.clone());
            continue;
        }
        if matches!(trust, Trust::Nothing(_)) {
            child.validate_full().map_err(|error| {
                let name = schema.field(i).name();
                ArrowError::CDataInterface(format!("column `{name}` is broken: {error}"))
            })?;
        }
        let whole = data.offset() == 0 && child.len() == rows;
        columns.push(make_array(if whole { child.clone() } else { child.slice(data.offset(), rows) }));
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, columns, &options)
}

/// For each column of `output` the place of the column of `input` that it may be, passed on as it was.
pub(crate) fn places(input: &Schema, output: &Schema) -> Vec<Option<usize>> {
    output
        .fields()
        .iter()
        .map(|field| {
            let (at, found) = input.column_with_name(field.name())?;
            (found.data_type() == field.data_type()).then_some(at)
        })
        .collect()
}

/// Values that the host computed, on their way back in.
pub(crate) fn import_values(array: FFI_ArrowArray, kind: &DataType) -> Result<ArrayRef> {
    if array.is_released() {
        return refuse("the host gave no values".into());
    }
    // SAFETY: the host gives valid arrays of the type it told when it compiled the expression.
    Ok(make_array(unsafe { from_ffi_and_data_type(array, kind.clone()) }?))
}

/// Uses a batch that is only lent, so that nothing of it is left when this returns.
///
/// Arrow frees an imported array when its last buffer is dropped. Here the array stays with its owner; the
/// "free" only sets a flag, and if it is not set in the end, the values still use the batch and are copied.
///
/// # Safety
/// `lent` is a valid array, and stays so during this call.
pub(crate) unsafe fn with_lent(
    lent: &FFI_ArrowArray,
    schema: &SchemaRef,
    compute: impl FnOnce(&RecordBatch) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let done = Arc::new(AtomicBool::new(false));
    let view = FFI_ArrowArray {
        length: lent.length,
        null_count: lent.null_count,
        offset: lent.offset,
        n_buffers: lent.n_buffers,
        n_children: lent.n_children,
        buffers: lent.buffers,
        children: lent.children,
        dictionary: lent.dictionary,
        release: Some(note_release),
        private_data: Arc::into_raw(Arc::clone(&done)).cast_mut().cast(),
    };
    let batch = import_batch(view, Arc::clone(schema), Trust::Shape)?;
    let values = compute(&batch)?;
    drop(batch);
    if done.load(Ordering::Acquire) {
        return Ok(values);
    }
    let data = values.to_data();
    let copy = make_array(deep_copy(&data)?);
    drop((data, values));
    match done.load(Ordering::Acquire) {
        true => Ok(copy),
        false => refuse(format!("values of {} cannot leave the batch they are part of", copy.data_type())),
    }
}

fn deep_copy(data: &ArrayData) -> Result<ArrayData> {
    let mut copy = MutableArrayData::new(vec![data], false, data.len());
    copy.try_extend(0, 0, data.len())?;
    Ok(copy.freeze())
}

unsafe extern "C" fn note_release(array: *mut FFI_ArrowArray) {
    // SAFETY: called once, by Arrow, with the array made in `with_lent`.
    let array = unsafe { &mut *array };
    array.release = None;
    // SAFETY: `private_data` came from `Arc::into_raw` there.
    let done = unsafe { Arc::from_raw(array.private_data.cast::<AtomicBool>()) };
    done.store(true, Ordering::Release);
}
