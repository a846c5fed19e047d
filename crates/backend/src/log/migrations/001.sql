-- The line of directives as the site sent it: stored before it is acknowledged.
CREATE TABLE directive (
    cursor INTEGER PRIMARY KEY,
    -- As it claims to be; absent if it could not be read.
    id TEXT,
    received_at INTEGER NOT NULL,
    -- In canonical form, as signed; absent if it has no canonical form.
    raw TEXT,
    -- Of an order: its request.
    request TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'applied', 'rejected', 'repeated'))
) STRICT;
CREATE INDEX directive_waiting ON directive (cursor) WHERE state = 'waiting';
CREATE INDEX directive_id ON directive (id) WHERE id IS NOT NULL;
CREATE INDEX directive_request ON directive (request, cursor) WHERE request IS NOT NULL;

-- The chain, epoch by epoch, in canonical form, as it is sent. Nothing is ever changed or removed.
CREATE TABLE fact (
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (epoch, seq)
) STRICT;

-- What was told once and must not be told again.
CREATE TABLE source (
    name TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Everybody who has to do with this backend, as the site told it last.
CREATE TABLE roster (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    text TEXT NOT NULL
) STRICT;

-- The exact bytes of every message that was sent.
CREATE TABLE egress (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    call TEXT NOT NULL,
    bytes BLOB NOT NULL,
    hash TEXT NOT NULL
) STRICT;

-- Where the line and the epoch stand; one row.
CREATE TABLE standing (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    directive TEXT,
    stopped INTEGER NOT NULL CHECK (stopped IN (0, 1)),
    -- When the site last answered.
    heard INTEGER
) STRICT;
INSERT INTO standing VALUES (1, 1, 0, NULL, 0, NULL);
