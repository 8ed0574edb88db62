/* Spots words that stand in place of a value, such as 暂无, 待定 or /, and warns the sender.
 *
 *   - spot_placeholders: {column: leader}
 *
 * A whole plugin in plain C: `make`, then copy placeholders.so into the plugin folder.
 * Rows pass unchanged; what is found is told as findings.
 */
#include <stdio.h>

#include "columns.h"

static const char* const WORDS[] = {"暂无", "无", "待定", "待补充", "办理中", "不详", "/", "-", "—", "——", "N/A"};

typedef struct Spotter {
  const HuiliuHost* host;
  char name[256];
  int64_t column, row;
} Spotter;

/* The options are `{"column":"…"}` and nothing else; a name with an escape in it is refused. */
static int read_column(const char* json, char* name, size_t room) {
  char format[64];
  int end = 0;
  snprintf(format, sizeof format, " { \"column\" : \"%%%zu[^\"\\\\]\" } %%n", room - 1);
  return sscanf(json, format, name, &end) == 1 && end && !json[end];
}

static HuiliuStatus open_spotter(const HuiliuHost* host, HuiliuBytes options, struct ArrowSchema* input,
                                 struct ArrowSchema* output, void** stage, const HuiliuErrors* errors) {
  (void)output; /* left empty: rows leave as they came */
  if (host->abi_version != HUILIU_ABI_VERSION) return huiliu_fail(errors, NULL, "the host has another ABI version");
  Spotter* spotter = (Spotter*)calloc(1, sizeof *spotter);
  if (!spotter) return huiliu_fail(errors, NULL, "out of memory");
  spotter->host = host;
  HuiliuStatus status = HUILIU_OK;
  if (!read_column(options.data, spotter->name, sizeof spotter->name)) {
    status = huiliu_fail(errors, "column", "the one option is `column`, the name of a text column");
  } else if ((spotter->column = column_at(input, spotter->name, "u")) < 0) {
    status = huiliu_fail(errors, "column", "there is no text column of this name");
  } else if ((spotter->row = column_at(input, "_row", "l")) < 0) {
    status = huiliu_fail(errors, NULL, "there is no column `_row`");
  }
  if (status == HUILIU_OK) {
    *stage = spotter;
  } else {
    free(spotter);
  }
  return status;
}

static int is_placeholder(HuiliuBytes text) {
  for (size_t i = 0; i < sizeof WORDS / sizeof *WORDS; ++i) {
    if (text.len == strlen(WORDS[i]) && !memcmp(text.data, WORDS[i], text.len)) return 1;
  }
  return 0;
}

/* A warning for each row of `rows`, whose cell said the word of `words`. */
static int make_findings(HuiliuBatch* findings, const char* field, const int64_t* rows, const HuiliuBytes* words,
                         int64_t count) {
  static const struct Column COLUMNS[] = {{"row", "l", 0},     {"field", "u", 0},   {"severity", "u", 0},
                                          {"code", "u", 0},    {"message", "u", 0}, {"message_en", "u", 0},
                                          {"raw", "u", 0}};
  const HuiliuBytes name = {field, strlen(field)};
  const HuiliuBytes severity = HUILIU_TEXT("warning"), code = HUILIU_TEXT("placeholder");
  const HuiliuBytes zh = HUILIU_TEXT("这里填的是占位词，不是内容；请填写实际内容，没有则留空"),
                    en = HUILIU_TEXT("this is a placeholder, not a value; give the value or leave the cell empty");
  if (!make_schema(&findings->schema, COLUMNS, 7) || !make_array(&findings->array, count, 1, 7)) return 0;
  struct ArrowArray** column = findings->array.children;
  return make_ints(column[0], rows, count) && make_same_text(column[1], name, count) &&
         make_same_text(column[2], severity, count) && make_same_text(column[3], code, count) &&
         make_same_text(column[4], zh, count) && make_same_text(column[5], en, count) &&
         make_texts(column[6], words, count);
}

static HuiliuStatus process(void* stage, HuiliuBatch* input, HuiliuBatch* output, HuiliuBatch* findings,
                            const HuiliuErrors* errors) {
  const Spotter* spotter = (const Spotter*)stage;
  const int64_t length = input->array.length;
  const size_t room = (size_t)(length ? length : 1);
  int64_t found = 0;
  int64_t* rows = (int64_t*)malloc(room * sizeof *rows);
  HuiliuBytes* words = (HuiliuBytes*)malloc(room * sizeof *words);
  int ok = rows && words;
  for (int64_t i = 0; ok && i < length; ++i) {
    if (!column_is_valid(&input->array, spotter->column, i)) continue;
    const HuiliuBytes text = column_text(&input->array, spotter->column, i);
    if (!is_placeholder(text)) continue;
    rows[found] = column_int(&input->array, spotter->row, i);
    words[found++] = text;
  }
  if (ok && found) {
    const HuiliuBytes counter = HUILIU_TEXT("placeholders");
    spotter->host->count(spotter->host->ctx, counter, (uint64_t)found);
    ok = make_findings(findings, spotter->name, rows, words, found);
  }
  free(rows);
  free(words);
  if (!ok) return huiliu_fail(errors, NULL, "out of memory");
  *output = *input; /* the rows move on; whoever has them now releases them */
  input->array.release = NULL;
  input->schema.release = NULL;
  return HUILIU_OK;
}

static HuiliuStatus finish(void* stage, HuiliuBatch* output, HuiliuBatch* findings, const HuiliuErrors* errors) {
  (void)stage, (void)output, (void)findings, (void)errors; /* nothing was held back */
  return HUILIU_OK;
}

static const HuiliuStage SPOT_PLACEHOLDERS = {
    sizeof(HuiliuStage),
    0,
    HUILIU_TEXT("spot_placeholders"),
    HUILIU_TEXT("warns of words that stand in place of a value"),
    HUILIU_TEXT("{\"type\": \"object\", \"required\": [\"column\"], \"additionalProperties\": false,"
                " \"properties\": {\"column\": {\"type\": \"string\"}}}"),
    open_spotter,
    process,
    finish,
    free,
};
static const HuiliuStage* const STAGES[] = {&SPOT_PLACEHOLDERS};
static const HuiliuPlugin PLUGIN = {
    HUILIU_ABI_VERSION, sizeof(HuiliuPlugin), HUILIU_TEXT("placeholders"), HUILIU_TEXT("1.0.0"), STAGES, 1};

const HuiliuPlugin* huiliu_plugin_v1(void) { return &PLUGIN; }
