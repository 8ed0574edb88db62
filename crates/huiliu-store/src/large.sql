-- Version 5: large values of stages lie beside the tree of their keys. In that tree a key is compared with whole entries,
-- so that each large one on the way of a look-up is read through.
CREATE TABLE large_state (
    no    INTEGER PRIMARY KEY,
    slot  INTEGER NOT NULL,
    key   BLOB    NOT NULL,
    value BLOB    NOT NULL,
    UNIQUE (slot, key)
) STRICT;
INSERT INTO large_state (slot, key, value) SELECT slot, key, value FROM state WHERE length(value) >= 4096;
DELETE FROM state WHERE length(value) >= 4096;
