-- Version 2: files that came with deliveries (佐证材料). Their contents lie in evidence/, each once, under its hash.
-- One line for each row that a file belongs to; one without a row for a file that belongs to none.
CREATE TABLE evidence (
    delivery TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    name     TEXT    NOT NULL,                     -- path in the package
    hash     TEXT    NOT NULL,                     -- BLAKE3, hex
    bytes    INTEGER NOT NULL,
    row      INTEGER,                              -- sheet ordinal in the upper 32 bits
    field    TEXT,                                 -- whose cell names the file
    record   TEXT,                                 -- that the row was merged into, if it did not come out
    PRIMARY KEY (delivery, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_row ON evidence (delivery, row) WHERE row IS NOT NULL;
CREATE INDEX evidence_record ON evidence (record) WHERE record IS NOT NULL;
CREATE INDEX evidence_hash ON evidence (hash);

-- Rows with files that went into a record, also those that changed none of its values.
CREATE TABLE record_evidence (
    register INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    delivery TEXT    NOT NULL,
    row      INTEGER NOT NULL,
    PRIMARY KEY (register, id, delivery, row)
) STRICT, WITHOUT ROWID;
