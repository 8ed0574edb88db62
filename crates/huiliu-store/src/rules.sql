-- Version 4: by which rules a delivery was run. A revision of a record names its delivery, so it knows its rules too.
ALTER TABLE delivery ADD COLUMN rules TEXT NOT NULL DEFAULT '';
