-- Every query of planning and scheduling uses an index whose size does not depend on history (spec jobs.md 9):
-- open jobs have a partial index, and the latest job of an action is a row of its own.

CREATE TABLE request (
    id TEXT PRIMARY KEY,
    workspace TEXT NOT NULL,
    commit_id TEXT,
    phase TEXT NOT NULL CHECK (phase IN ('checking', 'planned', 'rejected')),
    body TEXT NOT NULL,
    jobs INTEGER NOT NULL DEFAULT 0,
    rejection TEXT,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX request_checking ON request (created_at) WHERE phase = 'checking';

-- Actions of a request that were cancelled before it was planned.
CREATE TABLE cancel_wish (
    request TEXT NOT NULL REFERENCES request (id),
    action TEXT NOT NULL,
    PRIMARY KEY (request, action)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL REFERENCES request (id),
    workspace TEXT NOT NULL,
    action TEXT NOT NULL,
    is_database INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'succeeded', 'failed')),
    code TEXT NOT NULL,
    reason TEXT,
    message TEXT NOT NULL,
    numbers TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    code_updated_at_ns INTEGER NOT NULL,
    next_try_at INTEGER,
    cancel_requested_at INTEGER,
    -- 1 from the moment it is cancelled or being cancelled: it is no longer anyone's latest job.
    cancelled INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    -- Ended attempts that count against the number of tries.
    tries INTEGER NOT NULL DEFAULT 0,
    milliseconds INTEGER,
    peak_bytes INTEGER,
    run_key TEXT,
    components TEXT,
    definition TEXT NOT NULL,
    UNIQUE (request, action)
) STRICT;
CREATE INDEX job_open ON job (seq) WHERE state IN ('pending', 'running');
CREATE INDEX job_by_action ON job (workspace, action, seq) WHERE cancelled = 0;
CREATE INDEX job_success ON job (workspace, action, seq) WHERE state = 'succeeded';

CREATE TABLE latest_job (
    workspace TEXT NOT NULL,
    action TEXT NOT NULL,
    job TEXT NOT NULL REFERENCES job (id),
    PRIMARY KEY (workspace, action)
) STRICT, WITHOUT ROWID;

CREATE TABLE pin (
    job TEXT NOT NULL REFERENCES job (id),
    position INTEGER NOT NULL,
    action TEXT NOT NULL,
    pinned TEXT NOT NULL REFERENCES job (id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX pin_to ON pin (pinned);

CREATE TABLE attempt (
    id TEXT PRIMARY KEY,
    job TEXT NOT NULL REFERENCES job (id),
    number INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    owner TEXT NOT NULL,
    lease_until INTEGER,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    ended_as TEXT,
    reason TEXT,
    exit_code INTEGER,
    published INTEGER NOT NULL DEFAULT 0,
    cleaned INTEGER NOT NULL DEFAULT 0,
    UNIQUE (job, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_unfinished ON attempt (started_at) WHERE published = 0 OR cleaned = 0;

CREATE TABLE output (
    job TEXT NOT NULL REFERENCES job (id),
    path TEXT NOT NULL,
    level TEXT NOT NULL,
    size INTEGER NOT NULL,
    object TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL,
    excluded TEXT,
    row_count INTEGER,
    col_count INTEGER,
    PRIMARY KEY (job, path)
) STRICT, WITHOUT ROWID;

-- The components of run keys. Many jobs share one: a code tree is stored once.
CREATE TABLE component (
    hash TEXT PRIMARY KEY,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE flag (
    name TEXT PRIMARY KEY,
    value TEXT,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    record TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN
    SELECT RAISE(ABORT, 'events are never changed');
END;
CREATE TRIGGER event_is_never_removed BEFORE DELETE ON event BEGIN
    SELECT RAISE(ABORT, 'events are never removed');
END;

CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    delivered_at INTEGER
) STRICT;
CREATE INDEX outbox_waiting ON outbox (seq) WHERE delivered_at IS NULL;
