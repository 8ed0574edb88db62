-- The store of Huiliu, version 1: everything that survives, but for the rows that wait for a sink
-- (files in log/, when there are many). Times are milliseconds since 1970 UTC and come with the delivery, never from a clock
-- of the store. Texts that hold JSON say so.

-- The ledger: one line per delivery, never deleted.
CREATE TABLE delivery (
    no            INTEGER PRIMARY KEY,            -- in the order in which they were noticed
    id            TEXT    NOT NULL UNIQUE,
    pipeline      TEXT    NOT NULL,
    sender        TEXT    NOT NULL,
    file          TEXT    NOT NULL,
    origin        TEXT    NOT NULL,
    content_hash  TEXT    NOT NULL,
    bytes         INTEGER NOT NULL,
    received_ms   INTEGER NOT NULL,
    state         TEXT    NOT NULL DEFAULT 'seen' CHECK (state IN ('seen', 'committed', 'refused')),
    seq           INTEGER NOT NULL DEFAULT 0,     -- place in the commit log; 0 until committed
    rows_in       INTEGER NOT NULL DEFAULT 0,
    accepted      INTEGER NOT NULL DEFAULT 0,
    quarantined   INTEGER NOT NULL DEFAULT 0,
    merged        INTEGER NOT NULL DEFAULT 0,
    dropped       INTEGER NOT NULL DEFAULT 0,
    refused       INTEGER NOT NULL DEFAULT 0,
    rows_out      INTEGER NOT NULL DEFAULT 0,
    errors        INTEGER NOT NULL DEFAULT 0,
    warnings      INTEGER NOT NULL DEFAULT 0,
    infos         INTEGER NOT NULL DEFAULT 0,
    codes         TEXT    NOT NULL DEFAULT '{}',   -- JSON: finding code -> how often
    report        TEXT    NOT NULL DEFAULT 'null', -- JSON: how the file was read
    sheets        TEXT    NOT NULL DEFAULT '[]',   -- JSON: sheet names by ordinal
    answered      INTEGER NOT NULL DEFAULT 0,
    archived      TEXT    NOT NULL DEFAULT '',
    attempts      INTEGER NOT NULL DEFAULT 0,
    supersedes    TEXT,                            -- id of the delivery that this one corrects
    log           TEXT,                            -- name of its log; null: none yet, or trimmed
    records_bytes INTEGER NOT NULL DEFAULT 0,      -- length of the stream of accepted rows; 0: no rows
    rejects_bytes INTEGER NOT NULL DEFAULT 0       -- length of the stream of refused rows; 0: no rows
) STRICT;
CREATE UNIQUE INDEX delivery_seq ON delivery (seq) WHERE seq > 0;
CREATE INDEX delivery_log ON delivery (pipeline, seq) WHERE log IS NOT NULL;
CREATE INDEX delivery_open ON delivery (pipeline, state) WHERE answered = 0;
CREATE INDEX delivery_content ON delivery (content_hash);
CREATE INDEX delivery_file ON delivery (pipeline, sender, file, seq) WHERE seq > 0;

-- Logs of small deliveries (Arrow IPC streams). A stream that is not here is a file in log/.
CREATE TABLE small_log (
    seq     INTEGER PRIMARY KEY,
    records BLOB,
    rejects BLOB
) STRICT;

-- The findings that are shown; all of them are counted in delivery.codes.
CREATE TABLE finding (
    delivery TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    row      INTEGER,                              -- sheet ordinal in the upper 32 bits
    field    TEXT,
    severity TEXT    NOT NULL,
    code     TEXT    NOT NULL,
    zh       TEXT    NOT NULL,
    en       TEXT    NOT NULL,
    raw      TEXT,
    fate     TEXT    NOT NULL,
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;

-- Rows with an error finding, until somebody repairs or discards them.
CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: people write it down
    delivery   TEXT    NOT NULL,
    sheet      TEXT    NOT NULL,
    row        INTEGER NOT NULL,
    stage      TEXT    NOT NULL,
    "values"   TEXT    NOT NULL,                   -- JSON object
    reasons    TEXT    NOT NULL,                   -- JSON list of finding codes
    findings   TEXT    NOT NULL,                   -- JSON list
    status     TEXT    NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'retried', 'discarded', 'resolved')),
    note       TEXT    NOT NULL DEFAULT '',
    changed_ms INTEGER
) STRICT;
CREATE INDEX quarantine_delivery ON quarantine (delivery);

-- What headers mean where a person has said so. The empty sender stands for all.
CREATE TABLE mapping (
    pipeline     TEXT    NOT NULL,
    sender       TEXT    NOT NULL,
    header       TEXT    NOT NULL,
    field        TEXT    NOT NULL,
    confirmed_ms INTEGER NOT NULL,
    PRIMARY KEY (pipeline, sender, header)
) STRICT, WITHOUT ROWID;

-- What stages remember. A slot is a stage's place: `{pipeline}/{stage}`.
CREATE TABLE slot (
    no   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE state (
    slot  INTEGER NOT NULL,
    key   BLOB    NOT NULL,
    value BLOB    NOT NULL,
    PRIMARY KEY (slot, key)
) STRICT, WITHOUT ROWID;

-- How far each sink has come in its pipeline's commit log.
CREATE TABLE sink_cursor (
    pipeline TEXT    NOT NULL,
    sink     TEXT    NOT NULL,
    seq      INTEGER NOT NULL,
    PRIMARY KEY (pipeline, sink)
) STRICT, WITHOUT ROWID;

-- The register: records as they are now. What they were before lies in record_version, so that a
-- record that never changed is stored once.
CREATE TABLE register (
    no   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE record (
    register       INTEGER NOT NULL,
    id             TEXT    NOT NULL,
    revision       INTEGER NOT NULL,               -- 1, 2, 3 …
    data           TEXT    NOT NULL,               -- JSON object: field -> value; a missing value has no key
    extra          TEXT,                           -- JSON object: columns that the schema does not know
    origins        TEXT,                           -- JSON object: field -> where the value came from
    matched        TEXT,                           -- why the row was taken for this record
    first_delivery TEXT    NOT NULL,
    delivery       TEXT    NOT NULL,               -- which delivery made this revision
    sheet          TEXT    NOT NULL,
    row            INTEGER NOT NULL,
    at_ms          INTEGER NOT NULL,
    UNIQUE (register, id)
) STRICT;
CREATE TABLE record_version (
    register INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    data     TEXT    NOT NULL,
    extra    TEXT,
    origins  TEXT,
    matched  TEXT,
    delivery TEXT    NOT NULL,
    sheet    TEXT    NOT NULL,
    row      INTEGER NOT NULL,
    at_ms    INTEGER NOT NULL,
    PRIMARY KEY (register, id, revision)
) STRICT, WITHOUT ROWID;
