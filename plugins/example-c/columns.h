/* Columns in plain C: to read those of a batch, and to make new ones, for plugins that link no Arrow library.
 *
 * Copy this file into your plugin. It knows Int64 and text, one level deep, which is what findings
 * and most added columns need. Every function that makes something gives 0 when memory ran out.
 */
#ifndef COLUMNS_H
#define COLUMNS_H

#include <stdlib.h>
#include <string.h>

#include "huiliu.h"

/* ---- Reading -------------------------------------------------------------------------------- */

/* Place of the column `name` of type `format` ("u" text, "l" Int64); -1: there is none. */
static inline int64_t column_at(const struct ArrowSchema* schema, const char* name, const char* format) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    const struct ArrowSchema* field = schema->children[i];
    if (field->name && !strcmp(field->name, name)) return strcmp(field->format, format) ? -1 : i;
  }
  return -1;
}

/* Whether the value of a column at `row` is there. Offsets of the batch and of the column both count. */
static inline int column_is_valid(const struct ArrowArray* batch, int64_t column, int64_t row) {
  const struct ArrowArray* array = batch->children[column];
  const uint8_t* valid = (const uint8_t*)array->buffers[0];
  const int64_t at = row + batch->offset + array->offset;
  return !valid || (valid[at / 8] >> (at % 8) & 1);
}

static inline int64_t column_int(const struct ArrowArray* batch, int64_t column, int64_t row) {
  const struct ArrowArray* array = batch->children[column];
  return ((const int64_t*)array->buffers[1])[row + batch->offset + array->offset];
}

static inline HuiliuBytes column_text(const struct ArrowArray* batch, int64_t column, int64_t row) {
  const struct ArrowArray* array = batch->children[column];
  const int32_t* ends = (const int32_t*)array->buffers[1] + row + batch->offset + array->offset;
  HuiliuBytes text;
  text.data = ends[1] > ends[0] ? (const char*)array->buffers[2] + ends[0] : NULL;
  text.len = (size_t)(ends[1] - ends[0]);
  return text;
}

/* ---- Making --------------------------------------------------------------------------------- */

/* What a made struct owns: its children, and up to three buffers. */
struct Owned {
  const void* buffers[3];
  void* children;
};

static inline void release_array(struct ArrowArray* array) {
  struct Owned* owned = (struct Owned*)array->private_data;
  for (int64_t i = 0; i < array->n_children; ++i) {
    if (array->children[i] && array->children[i]->release) array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  for (int64_t i = 0; i < array->n_buffers; ++i) free((void*)owned->buffers[i]);
  free(owned->children);
  free(owned);
  array->release = NULL;
}

/* An array with room for `n_children` children, each of them empty memory. */
static inline int make_array(struct ArrowArray* array, int64_t length, int64_t n_buffers, int64_t n_children) {
  struct Owned* owned = (struct Owned*)calloc(1, sizeof *owned);
  memset(array, 0, sizeof *array);
  if (!owned) return 0;
  array->length = length;
  array->n_buffers = n_buffers;
  array->buffers = owned->buffers;
  array->private_data = owned;
  array->release = release_array;
  if (n_children) {
    owned->children = calloc((size_t)n_children, sizeof(struct ArrowArray*));
    if (!owned->children) return 0;
    array->children = (struct ArrowArray**)owned->children;
    array->n_children = n_children;
    for (int64_t i = 0; i < n_children; ++i) {
      array->children[i] = (struct ArrowArray*)calloc(1, sizeof(struct ArrowArray));
      if (!array->children[i]) return 0;
    }
  }
  return 1;
}

/* An Int64 column; the values are copied. */
static inline int make_ints(struct ArrowArray* array, const int64_t* values, int64_t length) {
  if (!make_array(array, length, 2, 0)) return 0;
  int64_t* copy = (int64_t*)malloc((size_t)(length ? length : 1) * sizeof *copy);
  if (!copy) return 0;
  if (length) memcpy(copy, values, (size_t)length * sizeof *copy);
  array->buffers[1] = copy;
  return 1;
}

/* A text column; the texts are copied. */
static inline int make_texts(struct ArrowArray* array, const HuiliuBytes* texts, int64_t length) {
  size_t total = 0;
  for (int64_t i = 0; i < length; ++i) total += texts[i].len;
  if (total > INT32_MAX || !make_array(array, length, 3, 0)) return 0;
  int32_t* ends = (int32_t*)malloc((size_t)(length + 1) * sizeof *ends);
  char* bytes = (char*)malloc(total ? total : 1);
  array->buffers[1] = ends;
  array->buffers[2] = bytes;
  if (!ends || !bytes) return 0;
  ends[0] = 0;
  for (int64_t i = 0; i < length; ++i) {
    if (texts[i].len) memcpy(bytes + ends[i], texts[i].data, texts[i].len);
    ends[i + 1] = ends[i] + (int32_t)texts[i].len;
  }
  return 1;
}

/* A text column that says the same in every row. */
static inline int make_same_text(struct ArrowArray* array, HuiliuBytes text, int64_t length) {
  HuiliuBytes* texts = (HuiliuBytes*)malloc((size_t)(length ? length : 1) * sizeof *texts);
  if (!texts) return 0;
  for (int64_t i = 0; i < length; ++i) texts[i] = text;
  const int made = make_texts(array, texts, length);
  free(texts);
  return made;
}

/* What a made schema owns: its children. Names and formats are literals. */
static inline void release_schema(struct ArrowSchema* schema) {
  for (int64_t i = 0; i < schema->n_children; ++i) {
    if (schema->children[i] && schema->children[i]->release) schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

/* One column's name and type. */
struct Column {
  const char* name;
  const char* format;
  int64_t flags;
};

static inline int make_schema(struct ArrowSchema* schema, const struct Column* columns, int64_t count) {
  memset(schema, 0, sizeof *schema);
  schema->format = "+s";
  schema->name = "";
  schema->release = release_schema;
  if (!count) return 1;
  schema->children = (struct ArrowSchema**)calloc((size_t)count, sizeof(struct ArrowSchema*));
  if (!schema->children) return 0;
  schema->n_children = count;
  for (int64_t i = 0; i < count; ++i) {
    struct ArrowSchema* field = schema->children[i] = (struct ArrowSchema*)calloc(1, sizeof(struct ArrowSchema));
    if (!field) return 0;
    field->format = columns[i].format;
    field->name = columns[i].name;
    field->flags = columns[i].flags;
    field->release = release_schema;
  }
  return 1;
}

#endif /* COLUMNS_H */
