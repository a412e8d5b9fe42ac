-- The two shapes of state. Frozen: files outlive versions, so a change is a new numbered step.

-- The last revision given out in a bucket; it only grows, so that a deleted key never gets an old revision again.
CREATE TABLE bucket (
    name     TEXT    NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    bucket   TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    value    BLOB    NOT NULL,
    PRIMARY KEY (bucket, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE log (
    id   INTEGER NOT NULL PRIMARY KEY,
    name TEXT    NOT NULL UNIQUE
) STRICT;

CREATE TABLE entry (
    log      INTEGER NOT NULL REFERENCES log (id),
    position INTEGER NOT NULL,
    value    BLOB    NOT NULL,
    PRIMARY KEY (log, position)
) STRICT, WITHOUT ROWID;
