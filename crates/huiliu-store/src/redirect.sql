-- Version 3: records that were merged into others by a person's decision. What they were is in record_version.
CREATE TABLE redirect (
    register INTEGER NOT NULL,
    id       TEXT    NOT NULL,
    into_id  TEXT    NOT NULL,
    delivery TEXT    NOT NULL,                     -- the decision's
    PRIMARY KEY (register, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX redirect_into ON redirect (register, into_id);

-- Rows that went into a later row of the same delivery: they are in its log, but no sink is given them.
CREATE TABLE replaced_row (
    delivery TEXT    NOT NULL,
    row      INTEGER NOT NULL,
    PRIMARY KEY (delivery, row)
) STRICT, WITHOUT ROWID;
