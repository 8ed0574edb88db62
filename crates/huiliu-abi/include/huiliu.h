/* huiliu.h: a stage of Huiliu as a shared library, in any language that can speak C.
 *
 * A plugin is a shared library that exports one function, `huiliu_plugin_v1`. It answers with a
 * table of the stages that the plugin offers. Huiliu opens a stage with its options and the schema
 * of its input, hands it batches of rows until the delivery ends, and closes it. What a stage
 * gives back is a batch of rows and a batch of findings. Rows cross as the Arrow C Data Interface
 * (https://arrow.apache.org/docs/format/CDataInterface.html): nothing is copied.
 *
 * Read HuiliuStage first. plugins/README.md shows it on one page, plugins/example-c/ is a whole plugin.
 *
 * WHO OWNS WHAT
 *   Tables and texts of the plugin live as long as the process; a library is never unloaded.
 *   A HuiliuBytes is lent for the length of the call it is passed to. Copy what you keep.
 *   An Arrow struct belongs to whoever holds it with `release` set. To take it, copy the struct and
 *     set `release` of the original to NULL. Whatever a callee leaves in an input struct the caller
 *     releases when the call is over; so reading an input needs no clean-up at all.
 *   An output struct is handed over empty (`release == NULL`); the callee fills it or leaves it.
 *     After a status other than HUILIU_OK the caller releases what is in it and reads nothing.
 *   A HuiliuBuffer filled by the host is given back with `free` of the host table.
 *
 * THREADS
 *   A stage is used by one thread at a time, though not always by the same one. Several stages of one
 *   plugin may run at once on several threads. The host's functions may be called from any
 *   thread, but only while the host is inside a call of that stage.
 *   Arrow structs may be released on any thread.
 *
 * ERRORS
 *   A function that can fail returns a HuiliuStatus and names the problems, one or many, through
 *   the HuiliuErrors it was given. In `open` name every problem at once, each with the path of its
 *   option. A failed `process` or `finish` means that no row was handled: the delivery is taken
 *   back as a whole. Faults of single rows are not errors but findings.
 *   No exception, panic or longjmp may cross this border. After HUILIU_PANICKED a stage is not
 *   called again, not even to close it.
 *
 * GROWTH
 *   Tables only grow at their end, and say their size. A field may be read if it ends within
 *   `size`. A change of any other kind is a new HUILIU_ABI_VERSION and a new entry symbol.
 */
#ifndef HUILIU_H
#define HUILIU_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HUILIU_ABI_VERSION 1

/* ---- Arrow C Data Interface: the standard's own definitions ------------------------------- */

#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

#define ARROW_FLAG_DICTIONARY_ORDERED 1
#define ARROW_FLAG_NULLABLE 2
#define ARROW_FLAG_MAP_KEYS_SORTED 4

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

#endif /* ARROW_C_DATA_INTERFACE */

/* ---- Small things -------------------------------------------------------------------------- */

/* Lent bytes. Texts are UTF-8 and not closed by a NUL unless it is said. `data` may be NULL if `len` is 0. */
typedef struct HuiliuBytes {
  const char* data;
  size_t len;
} HuiliuBytes;

/* A literal as HuiliuBytes, in initialisers and (C99 and later) in expressions with a cast. */
#define HUILIU_TEXT(literal) { (literal), sizeof(literal) - 1 }

/* Bytes owned by the host until given back with `free`. `data == NULL` says that there is no value. */
typedef struct HuiliuBuffer {
  char* data;
  size_t len;
} HuiliuBuffer;

/* Rows: a struct array without nulls at its top level, and its schema. A row is identified by its
 * `_row` (Int64). Facts about the whole batch (delivery, sender, file, cells) are metadata of the
 * schema, under keys that begin with `huiliu.`. Types that rows may have: Utf8 "u", Int64 "l", Float64 "g",
 * Decimal128 "d:P,S", Boolean "b", Date32 "tdD", Timestamp "tsm:UTC", and List "+l" of Utf8.
 * Offsets of texts and lists are there (one zero) even when there are no rows. */
typedef struct HuiliuBatch {
  struct ArrowSchema schema;
  struct ArrowArray array;
} HuiliuBatch;

/* How a call went. Anything else than these three is taken for HUILIU_PANICKED. */
typedef int32_t HuiliuStatus;
#define HUILIU_OK 0
#define HUILIU_FAILED 1   /* refused in good order; the problems were named */
#define HUILIU_PANICKED 2 /* the callee is in an unknown state and must not be called again */

/* Where a callee names its problems, before it returns HUILIU_FAILED or HUILIU_PANICKED.
 * `path` is a place in the options, such as `rules[0].check`, or empty. `message` is lower case, has
 * no full stop and says how to mend it. Both are copied at once. The pointer to this table may
 * be NULL where a plugin calls the host and does not care. */
typedef struct HuiliuErrors {
  uint32_t size; /* sizeof(HuiliuErrors) as the caller knows it */
  uint32_t reserved;
  void* ctx;
  void (*add)(void* ctx, HuiliuBytes path, HuiliuBytes message);
} HuiliuErrors;

/* Levels of `log`. */
#define HUILIU_DEBUG 0
#define HUILIU_INFO 1
#define HUILIU_WARN 2
#define HUILIU_ERROR 3

/* ---- What the host offers: a stage's only way out ------------------------------------------- */

/* Pass `ctx` back as the first argument of every function. Table and ctx are valid until `close` of
 * the stage has returned, and longer while retained.
 *
 * State belongs to the stage's place in its pipeline and to the delivery at hand: what was put is seen at
 * once, kept when the delivery commits and gone when it fails. There is none during `open`. */
typedef struct HuiliuHost {
  uint32_t abi_version; /* HUILIU_ABI_VERSION of the host; refuse another one */
  uint32_t size;        /* sizeof(HuiliuHost) as the host knows it */
  void* ctx;

  /* Keeps table and ctx valid until a `release` for each `retain`. Seldom needed. */
  void (*retain)(void* ctx);
  void (*release)(void* ctx);

  /* Writes a line to the daemon's log under the stage's name. An unknown level counts as HUILIU_ERROR. */
  void (*log)(void* ctx, uint32_t level, HuiliuBytes line);

  /* Now, in milliseconds since 1970-01-01 UTC, the same for a whole delivery. */
  int64_t (*now_ms)(void* ctx);

  /* The calendar day for the pipeline's people, in days since 1970-01-01. */
  int32_t (*today)(void* ctx);

  /* The value under `key`: give it back with `free`. `value->data == NULL`: there is none. */
  HuiliuStatus (*state_get)(void* ctx, HuiliuBytes key, HuiliuBuffer* value, const HuiliuErrors* errors);
  HuiliuStatus (*state_put)(void* ctx, HuiliuBytes key, HuiliuBytes value, const HuiliuErrors* errors);
  HuiliuStatus (*state_delete)(void* ctx, HuiliuBytes key, const HuiliuErrors* errors);

  /* Calls `each` for every key that begins with `prefix`, in key order, until it returns 0. */
  HuiliuStatus (*state_scan)(void* ctx, HuiliuBytes prefix,
                             int32_t (*each)(void* arg, HuiliuBytes key, HuiliuBytes value), void* arg,
                             const HuiliuErrors* errors);

  /* Compiles a SQL expression, such as `completed <= total`, against a schema (lent). Gives a handle
   * and, if `type` is not NULL, the type of its value. Compile in `open`, so that mistakes are told early. */
  HuiliuStatus (*expression_compile)(void* ctx, HuiliuBytes sql, const struct ArrowSchema* schema,
                                     void** expression, struct ArrowSchema* type, const HuiliuErrors* errors);

  /* The expression's value for every row of a batch (lent) that has the columns, in the order, of
   * the schema it was compiled against. The values share nothing with the batch. */
  HuiliuStatus (*expression_evaluate)(void* ctx, void* expression, const struct ArrowArray* batch,
                                      struct ArrowArray* values, const HuiliuErrors* errors);

  /* Gives a handle back, at the latest in `close`. */
  void (*expression_release)(void* ctx, void* expression);

  /* A reference table that the pipeline declares, as it is now. The batch becomes the caller's. */
  HuiliuStatus (*table)(void* ctx, HuiliuBytes name, HuiliuBatch* rows, const HuiliuErrors* errors);

  /* Adds to a counter of the stage, shown among the daemon's metrics. */
  void (*count)(void* ctx, HuiliuBytes name, uint64_t add);

  /* 1 if the stage should give up soon (return HUILIU_FAILED), else 0. */
  int32_t (*cancelled)(void* ctx);

  /* Gives a HuiliuBuffer back and empties it. */
  void (*free)(void* ctx, HuiliuBuffer* buffer);
} HuiliuHost;

/* ---- What a plugin offers ------------------------------------------------------------------- */

/* One kind of stage. All four functions are needed. */
typedef struct HuiliuStage {
  uint32_t size; /* sizeof(HuiliuStage) */
  uint32_t reserved; /* 0 */
  HuiliuBytes name;          /* the word in YAML */
  HuiliuBytes summary;       /* one line: what it does */
  HuiliuBytes option_schema; /* JSON Schema of its options */

  /* Checks options and input schema before any data flows; opens one stage.
   *   options  JSON object; a NUL follows it. Refuse keys you do not know.
   *   input    schema of every batch to come.
   *   output   schema of every batch that will be given; left empty: the same as `input`.
   *   stage    any pointer; it comes back as the first argument of the other functions. */
  HuiliuStatus (*open)(const HuiliuHost* host, HuiliuBytes options, struct ArrowSchema* input,
                       struct ArrowSchema* output, void** stage, const HuiliuErrors* errors);

  /* Handles one batch. Every `_row` of the input comes out again, or has a finding that refuses it
   * (severity `error`) or says what became of it (fate `merged` or `dropped`).
   *   output    the rows; `*output = *input` (then `input->array.release = input->schema.release = NULL`)
   *             passes them on. If `output->schema` is left empty, the schema is the one that
   *             `open` answered, with the metadata of the input's.
   *   findings  left empty when there are none. Columns are found by name: `severity` ("info",
   *             "warning", "error"), `code`, `message` (Chinese) Utf8 without nulls; and, where there is
   *             something to say, `row` Int64 (a `_row`; null: the whole delivery), `field`, `message_en`,
   *             `raw` (the value as sent), `fate` ("stays", "merged", "dropped") Utf8. If `findings->schema`
   *             is left empty, all are there in the order row, field, severity, code, message,
   *             message_en, raw, fate. */
  HuiliuStatus (*process)(void* stage, HuiliuBatch* input, HuiliuBatch* output, HuiliuBatch* findings,
                          const HuiliuErrors* errors);

  /* Called once after the last batch of a delivery; more deliveries may follow. Gives what was held
   * back. With both left empty, there is nothing to add. */
  HuiliuStatus (*finish)(void* stage, HuiliuBatch* output, HuiliuBatch* findings, const HuiliuErrors* errors);

  /* Frees the stage. Called once, after any call but one that answered HUILIU_PANICKED; not after an
   * `open` that failed. */
  void (*close)(void* stage);
} HuiliuStage;

/* The plugin. */
typedef struct HuiliuPlugin {
  uint32_t abi_version; /* HUILIU_ABI_VERSION */
  uint32_t size;        /* sizeof(HuiliuPlugin) */
  HuiliuBytes name;     /* shown to people, in messages about its stages too */
  HuiliuBytes version;
  const HuiliuStage* const* stages;
  size_t stage_count;
} HuiliuPlugin;

/* The one symbol of the library. Called once, on any thread.
 *
 * A library may call it `huiliu_plugin_v1_NAME` instead, with any NAME, so that several plugins can be
 * linked into one program. It exports exactly one symbol that begins with `huiliu_plugin_v1`. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const HuiliuPlugin* huiliu_plugin_v1(void);

/* ---- Convenience, not part of the border ----------------------------------------------------- */

static inline size_t huiliu_strlen(const char* text) {
  size_t len = 0;
  while (text && text[len]) ++len;
  return len;
}

/* Names one problem (`path` may be NULL) and gives HUILIU_FAILED: `return huiliu_fail(errors, "field", "…");` */
static inline HuiliuStatus huiliu_fail(const HuiliuErrors* errors, const char* path, const char* message) {
  if (errors) {
    HuiliuBytes where, what;
    where.data = path;
    where.len = huiliu_strlen(path);
    what.data = message;
    what.len = huiliu_strlen(message);
    errors->add(errors->ctx, where, what);
  }
  return HUILIU_FAILED;
}

#ifdef __cplusplus
}
#endif

#endif /* HUILIU_H */
