-- What a backend must know to tell each change outside, and what binds its orders (spec protocol.md 1, 4.3).

-- The job's own: who cancelled it; how long its last attempt was told to have run.
ALTER TABLE job ADD COLUMN cancelled_by TEXT;
-- A cancel that came before the plan: by whom, and the order that waits for its answer.
DROP TABLE cancel_wish;
CREATE TABLE cancel_wish (
    request TEXT NOT NULL REFERENCES request (id),
    action TEXT NOT NULL,
    -- Empty for a cancel that was made here.
    answers TEXT NOT NULL,
    wished_by TEXT,
    PRIMARY KEY (request, action, answers)
) STRICT, WITHOUT ROWID;
CREATE INDEX cancel_wish_answers ON cancel_wish (answers);
-- A message waits for the results of this attempt to be in place.
ALTER TABLE outbox ADD COLUMN held_for TEXT;
CREATE INDEX outbox_held ON outbox (held_for) WHERE held_for IS NOT NULL;
-- When it was written, in microseconds since 1970.
ALTER TABLE outbox ADD COLUMN at_us INTEGER;
-- What a message answers: there is one answer to each, however often it is asked.
ALTER TABLE outbox ADD COLUMN answers TEXT;
CREATE UNIQUE INDEX outbox_answers ON outbox (answers) WHERE answers IS NOT NULL;

-- What each workspace is bound to by the first request that was planned in it.
CREATE TABLE workspace (
    name TEXT PRIMARY KEY,
    repo_url TEXT,
    project TEXT,
    archived INTEGER NOT NULL DEFAULT 0,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- What each project may use, as the site said last: an order's list, or a later one.
CREATE TABLE permits (
    project TEXT PRIMARY KEY,
    -- The place in the site's line at which it was said: what was said later counts, in whatever order it is heard.
    place INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Since when code or image of a request could not be reached.
ALTER TABLE request ADD COLUMN checking_since INTEGER;
