-- The site's tables (spec site.md 2). Times are microseconds since the epoch, UTC. Every `*_at` with its `*_by` is set
-- or unset together. Rows that the public could have seen are never deleted. Everything about jobs is a projection of
-- `backend_fact` and of the directives sent (`rebuild` makes it again).

-- People and access ---------------------------------------------------------------------------------------------------

CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    username TEXT NOT NULL,
    -- The same, folded: names are compared without case.
    username_key TEXT NOT NULL UNIQUE,
    fullname TEXT NOT NULL CHECK (fullname <> ''),
    email TEXT UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('human', 'service')),
    -- Argon2id in its own text form; without one the account cannot sign in by password.
    password TEXT,
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id),
    last_seen_at INTEGER,
    disabled_at INTEGER,
    disabled_by INTEGER REFERENCES account (id)
) STRICT;

CREATE TABLE identity (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    provider TEXT NOT NULL,
    subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (provider, subject)
) STRICT;

CREATE TABLE org (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id)
) STRICT;

CREATE TABLE org_member (
    org INTEGER NOT NULL REFERENCES org (id),
    account INTEGER NOT NULL REFERENCES account (id),
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id),
    PRIMARY KEY (org, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE role_grant (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    role TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('site', 'org', 'project', 'backend')),
    -- Of the organisation, project or backend; 0 for the whole site.
    scope_id INTEGER NOT NULL,
    reason TEXT NOT NULL CHECK (reason <> ''),
    -- NULL: the operator's command line.
    granted_by INTEGER REFERENCES account (id),
    approved_by INTEGER REFERENCES account (id),
    -- A role that two people must agree to counts from here.
    approved_at INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER,
    revoked_by INTEGER REFERENCES account (id)
) STRICT;
CREATE INDEX role_grant_of ON role_grant (account) WHERE revoked_at IS NULL;
CREATE INDEX role_grant_on ON role_grant (scope, scope_id) WHERE revoked_at IS NULL;

CREATE TABLE permission_kind (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('dataset', 'population', 'component', 'action')),
    code TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    explanation TEXT NOT NULL,
    is_active INTEGER NOT NULL DEFAULT 1
) STRICT;

INSERT INTO permission_kind (kind, code, title, explanation) VALUES
    ('population', 'include_t1oo', 'Type 1 opt-outs', 'Includes people who asked their practice to keep their record out of research.'),
    ('population', 'include_ndoo', 'National data opt-outs', 'Includes people who opted out nationally from the use of their record for research.'),
    ('population', 'include_gp_unactivated', 'Practices not yet active', 'Includes people of practices that have not yet switched their sharing on.'),
    ('dataset', 'appointments', 'Appointments', 'Appointments in general practice.'),
    ('dataset', 'waiting_list', 'Waiting lists', 'Waits for hospital care.'),
    ('dataset', 'icnarc', 'Intensive care (ICNARC)', 'Stays in intensive care, from the national audit.'),
    ('dataset', 'isaric', 'Hospital COVID-19 (ISARIC)', 'Clinical records of people in hospital with COVID-19.'),
    ('dataset', 'ukrr', 'UK Renal Registry', 'People with kidney replacement therapy or advanced kidney disease.'),
    ('dataset', 'open_prompt', 'OpenPROMPT', 'Answers that people gave about long COVID and their quality of life.'),
    ('dataset', 'sgss_covid_all_tests', 'All COVID-19 tests (SGSS)', 'Every laboratory test for SARS-CoV-2, negative ones too.'),
    ('dataset', 'occupation_on_covid_vaccine_record', 'Occupation on vaccine records', 'Health and care workers as marked on COVID-19 vaccine records.'),
    ('dataset', 'covid_therapeutics', 'COVID-19 therapeutics', 'Antivirals and antibodies given outside hospital.'),
    ('component', 'event_level_data', 'Event level data', 'Data with a row for each event rather than for each person.'),
    ('action', 'sqlrunner', 'SQL Runner', 'Runs SQL text of the study against the database.');

CREATE TABLE permission_grant (
    id INTEGER PRIMARY KEY,
    project INTEGER NOT NULL REFERENCES project (id),
    permission_kind INTEGER NOT NULL REFERENCES permission_kind (id),
    reason TEXT NOT NULL,
    evidence_url TEXT,
    proposed_by INTEGER REFERENCES account (id),
    proposed_at INTEGER NOT NULL,
    approved_by INTEGER REFERENCES account (id),
    approved_at INTEGER,
    expires_at INTEGER,
    revoked_at INTEGER,
    revoked_by INTEGER REFERENCES account (id),
    revoke_reason TEXT,
    CHECK (approved_by IS NULL OR proposed_by IS NULL OR approved_by <> proposed_by)
) STRICT;
CREATE INDEX permission_grant_of ON permission_grant (project) WHERE revoked_at IS NULL;

CREATE TABLE session (
    id_hash BLOB PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    csrf TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    strong_auth_at INTEGER NOT NULL,
    agent TEXT NOT NULL,
    ip_prefix TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_of ON session (account);

-- The link printed at the first start, and other codes that a person uses once.
CREATE TABLE one_time_code (
    hash BLOB PRIMARY KEY,
    purpose TEXT NOT NULL CHECK (purpose IN ('setup', 'password', 'review', 'enrol')),
    account INTEGER REFERENCES account (id),
    backend INTEGER REFERENCES backend (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE api_token (
    id INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account (id),
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_used_at INTEGER,
    last_used_ip_prefix TEXT,
    revoked_at INTEGER,
    revoked_by INTEGER REFERENCES account (id)
) STRICT;

CREATE TABLE api_token_project (
    token INTEGER NOT NULL REFERENCES api_token (id),
    project INTEGER NOT NULL REFERENCES project (id),
    PRIMARY KEY (token, project)
) STRICT, WITHOUT ROWID;

-- Append-only, hash-chained (spec site.md 11.8).
CREATE TABLE audit_event (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    actor INTEGER,
    object_kind TEXT,
    object_id INTEGER,
    project INTEGER,
    record TEXT NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE INDEX audit_event_object ON audit_event (object_kind, object_id, seq);
CREATE TRIGGER audit_event_is_never_changed BEFORE UPDATE ON audit_event BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;
CREATE TRIGGER audit_event_is_never_removed BEFORE DELETE ON audit_event BEGIN
    SELECT RAISE(ABORT, 'the audit log is never changed');
END;

-- Free text of acts (reasons), by its hash: the chain holds the hash only, so that unlawful text can be blanked.
CREATE TABLE audit_text (
    sha256 TEXT PRIMARY KEY,
    body TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE site_alert (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    level TEXT NOT NULL CHECK (level IN ('info', 'success', 'warning', 'danger')),
    audience TEXT NOT NULL CHECK (audience IN ('everyone', 'signed_in', 'staff')),
    from_at INTEGER NOT NULL,
    until_at INTEGER,
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id)
) STRICT;

-- Keys and values of the site itself: its signing key, the greatest numbers, whether two people are needed.
CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Work ----------------------------------------------------------------------------------------------------------------

CREATE TABLE project (
    id INTEGER PRIMARY KEY,
    number TEXT UNIQUE,
    name TEXT NOT NULL UNIQUE,
    slug TEXT NOT NULL UNIQUE,
    category TEXT NOT NULL CHECK (category IN ('internal', 'legacy', 'legacy_approved', 'approved', 'unknown')),
    status TEXT NOT NULL CHECK (status IN ('ongoing', 'postponed', 'retired', 'ongoing-and-linked',
        'completed-and-linked', 'completed-and-awaiting')),
    status_note TEXT NOT NULL DEFAULT '',
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id),
    updated_at INTEGER NOT NULL
) STRICT;

CREATE TABLE project_org (
    project INTEGER NOT NULL REFERENCES project (id),
    org INTEGER NOT NULL REFERENCES org (id),
    is_lead INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (project, org)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX project_has_one_lead ON project_org (project) WHERE is_lead = 1;

CREATE TABLE repo (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    is_private INTEGER NOT NULL DEFAULT 0,
    checked_at INTEGER,
    first_run_at INTEGER
) STRICT;

CREATE TABLE workspace (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    project INTEGER NOT NULL REFERENCES project (id),
    repo INTEGER NOT NULL REFERENCES repo (id),
    branch TEXT NOT NULL,
    purpose TEXT NOT NULL DEFAULT '',
    notify_default INTEGER NOT NULL DEFAULT 0,
    archived_at INTEGER,
    archived_by INTEGER REFERENCES account (id),
    archive_reason TEXT,
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id),
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX workspace_of ON workspace (project);

CREATE TABLE backend (
    id INTEGER PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    flavour TEXT NOT NULL CHECK (flavour IN ('tpp', 'emis', 'other')),
    -- As the backend says when it opens an epoch; before that as staff expect it.
    data_kind TEXT NOT NULL CHECK (data_kind IN ('real', 'synthetic')),
    is_active INTEGER NOT NULL DEFAULT 1,
    alert_after_s INTEGER NOT NULL DEFAULT 300,
    -- Confirmed by staff: facts are taken from here on.
    confirmed_at INTEGER,
    confirmed_by INTEGER REFERENCES account (id),
    last_contact_at INTEGER,
    mode TEXT CHECK (mode IN ('open', 'paused', 'db_maintenance')),
    mode_kind TEXT,
    mode_since INTEGER,
    mode_ends_at INTEGER,
    version TEXT,
    data_version TEXT,
    -- The backend's clock minus ours, and how sure that is, in microseconds.
    clock_offset INTEGER,
    clock_error INTEGER,
    policy TEXT,
    -- The last cursor given in its line of directives, and the last one that it has acknowledged.
    line_last INTEGER NOT NULL DEFAULT 0,
    line_asked INTEGER NOT NULL DEFAULT 0,
    -- This site was restored and lost requests: they are made again from the orders that facts repeat.
    recovering INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id)
) STRICT;

CREATE TABLE backend_member (
    backend INTEGER NOT NULL REFERENCES backend (id),
    account INTEGER NOT NULL REFERENCES account (id),
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id),
    PRIMARY KEY (backend, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE backend_token (
    hash BLOB PRIMARY KEY,
    backend INTEGER NOT NULL REFERENCES backend (id),
    created_at INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    first_used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- Public keys of a backend: `key` of its facts.
CREATE TABLE backend_key (
    backend INTEGER NOT NULL REFERENCES backend (id),
    key_id TEXT NOT NULL,
    public_key TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER,
    confirmed_at INTEGER,
    confirmed_by INTEGER REFERENCES account (id),
    PRIMARY KEY (backend, epoch, from_seq, key_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE backend_epoch (
    backend INTEGER NOT NULL REFERENCES backend (id),
    epoch INTEGER NOT NULL,
    -- `import` is the site's own, epoch 0: old records.
    state TEXT NOT NULL CHECK (state IN ('import', 'proposed', 'open', 'closed')),
    head_seq INTEGER NOT NULL,
    head_hash TEXT NOT NULL,
    opened TEXT,
    opened_at INTEGER NOT NULL,
    PRIMARY KEY (backend, epoch)
) STRICT, WITHOUT ROWID;

-- What happened, as received; the source of all job state.
CREATE TABLE backend_fact (
    backend INTEGER NOT NULL REFERENCES backend (id),
    epoch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    -- The order of arrival over all backends; the id of live events.
    arrival INTEGER NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    at INTEGER,
    received_at INTEGER NOT NULL,
    -- The canonical text, with hash, key and signature; NULL once staff blanked it.
    text TEXT,
    hash TEXT NOT NULL,
    -- Why it changes nothing, if so.
    not_applied TEXT,
    -- The request that it is about, if one is known.
    request TEXT,
    PRIMARY KEY (backend, epoch, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX backend_fact_of ON backend_fact (request, arrival) WHERE request IS NOT NULL;
CREATE INDEX backend_fact_apart ON backend_fact (arrival) WHERE not_applied IS NOT NULL;

-- Orders and other directives: a dense line for each backend.
CREATE TABLE directive (
    backend INTEGER NOT NULL REFERENCES backend (id),
    cursor INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    request TEXT,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    delivered_at INTEGER,
    answered_at INTEGER,
    rejected TEXT,
    PRIMARY KEY (backend, cursor)
) STRICT, WITHOUT ROWID;
CREATE INDEX directive_of ON directive (request) WHERE request IS NOT NULL;
CREATE INDEX directive_open ON directive (backend) WHERE kind = 'job_request' AND answered_at IS NULL;

-- The text of a project.yaml, by its hash.
CREATE TABLE project_yaml (
    sha256 TEXT PRIMARY KEY,
    body BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job_request (
    number INTEGER PRIMARY KEY,
    identifier TEXT NOT NULL UNIQUE,
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    backend INTEGER NOT NULL REFERENCES backend (id),
    requested_by INTEGER NOT NULL REFERENCES account (id),
    branch TEXT NOT NULL,
    -- NULL only on old records.
    commit_id TEXT,
    tree TEXT,
    force_run_dependencies INTEGER NOT NULL,
    stale TEXT NOT NULL CHECK (stale IN ('keep', 'rerun')),
    notify INTEGER NOT NULL DEFAULT 0,
    note TEXT NOT NULL DEFAULT '',
    project_yaml TEXT REFERENCES project_yaml (sha256),
    codelists TEXT NOT NULL CHECK (codelists IN ('ok', 'stale', 'unchecked')),
    -- Permissions in force at the time, as in the order.
    permissions TEXT NOT NULL DEFAULT '[]',
    is_import INTEGER NOT NULL DEFAULT 0,
    form_key TEXT UNIQUE,
    created_at INTEGER NOT NULL,
    delivery TEXT NOT NULL CHECK (delivery IN ('waiting', 'delivered', 'answered')),
    -- The projection: site.md 2.4.
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'failed', 'succeeded', 'nothing_to_do', 'unknown')),
    reason TEXT,
    detail TEXT,
    cancelled INTEGER NOT NULL DEFAULT 0,
    answered_at INTEGER,
    first_started_at INTEGER,
    last_finished_at INTEGER,
    runtime_s INTEGER NOT NULL DEFAULT 0,
    jobs_pending INTEGER NOT NULL DEFAULT 0,
    jobs_running INTEGER NOT NULL DEFAULT 0,
    jobs_succeeded INTEGER NOT NULL DEFAULT 0,
    jobs_failed INTEGER NOT NULL DEFAULT 0,
    -- The last news about it, for "no news since".
    news_at INTEGER NOT NULL
) STRICT;
CREATE INDEX job_request_of_workspace ON job_request (workspace, number);
-- For the request before one: latest creation, then number.
CREATE INDEX job_request_before ON job_request (workspace, backend, created_at, number);
CREATE INDEX job_request_of_backend ON job_request (backend, number);
CREATE INDEX job_request_by ON job_request (requested_by, number);
CREATE INDEX job_request_open ON job_request (backend, number) WHERE status IN ('pending', 'running');
CREATE INDEX job_request_status ON job_request (status, number);

CREATE TABLE requested_action (
    job_request INTEGER NOT NULL REFERENCES job_request (number),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (job_request, position)
) STRICT, WITHOUT ROWID;

-- Why each visited action runs or does not, as the backend told it.
CREATE TABLE decision (
    job_request INTEGER NOT NULL REFERENCES job_request (number),
    position INTEGER NOT NULL,
    action TEXT NOT NULL,
    decision TEXT NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (job_request, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    identifier TEXT PRIMARY KEY,
    job_request INTEGER NOT NULL REFERENCES job_request (number),
    -- Those of its request.
    backend INTEGER NOT NULL REFERENCES backend (id),
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    -- In plan order.
    position INTEGER NOT NULL,
    action TEXT NOT NULL,
    run_command TEXT,
    db INTEGER NOT NULL,
    weight INTEGER NOT NULL DEFAULT 1,
    status TEXT NOT NULL CHECK (status IN ('pending', 'running', 'succeeded', 'failed', 'unknown')),
    code TEXT NOT NULL,
    params TEXT NOT NULL DEFAULT '{}',
    attempt INTEGER NOT NULL DEFAULT 0,
    image TEXT,
    -- The built-in action that ran it and its version, as JSON.
    engine TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    runtime_s INTEGER,
    -- Coarse use of the machine, as JSON.
    metrics TEXT,
    commitment TEXT,
    -- Of a failed job: the next one of the same action, workspace and backend.
    superseded_by TEXT,
    UNIQUE (job_request, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_of_action ON job (backend, workspace, action, job_request);
CREATE INDEX job_code ON job (code, job_request);
CREATE INDEX job_open ON job (job_request) WHERE status IN ('pending', 'running');

-- Earlier tries of a job and why each ended.
CREATE TABLE job_attempt (
    job TEXT NOT NULL REFERENCES job (identifier),
    attempt INTEGER NOT NULL,
    image TEXT,
    engine TEXT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    code TEXT,
    params TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (job, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE job_need (
    job TEXT NOT NULL REFERENCES job (identifier),
    position INTEGER NOT NULL,
    action TEXT NOT NULL,
    -- May belong to another request, or be unknown here.
    needed TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('waits', 'reuses')),
    staleness TEXT,
    PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_needed_by ON job_need (needed);

-- Jobs of other requests that a request uses: attached or reused.
CREATE TABLE kept_job (
    job_request INTEGER NOT NULL REFERENCES job_request (number),
    position INTEGER NOT NULL,
    action TEXT NOT NULL,
    job TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('attached', 'reused')),
    PRIMARY KEY (job_request, position)
) STRICT, WITHOUT ROWID;

-- The newest job, and the newest success, of each action.
CREATE TABLE last_job (
    backend INTEGER NOT NULL REFERENCES backend (id),
    workspace INTEGER NOT NULL REFERENCES workspace (id),
    action TEXT NOT NULL,
    -- The newest one, cancelled or not.
    job TEXT NOT NULL,
    -- The newest one that is not cancelled: what planning looks at.
    planned TEXT,
    succeeded TEXT,
    PRIMARY KEY (backend, workspace, action)
) STRICT, WITHOUT ROWID;

CREATE TABLE cancellation (
    directive TEXT NOT NULL,
    job_request INTEGER NOT NULL REFERENCES job_request (number),
    action TEXT NOT NULL,
    requested_by INTEGER REFERENCES account (id),
    requested_at INTEGER NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    answered_at INTEGER,
    result TEXT CHECK (result IN ('stopped', 'already_finished', 'unknown')),
    PRIMARY KEY (directive, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX cancellation_of ON cancellation (job_request);

-- Releases that facts tell of. What is in them comes by the calls for releases.
CREATE TABLE backend_release (
    backend INTEGER NOT NULL REFERENCES backend (id),
    release TEXT NOT NULL,
    workspace TEXT NOT NULL,
    envelope_sha256 TEXT NOT NULL,
    files INTEGER NOT NULL,
    declared_at INTEGER NOT NULL,
    completed_at INTEGER,
    recalled_at INTEGER,
    PRIMARY KEY (backend, release)
) STRICT, WITHOUT ROWID;

-- What free search looks at: a row for each request, under its number.
CREATE VIRTUAL TABLE request_words USING fts5 (words, tokenize = 'unicode61', prefix = '2 4');

-- The revision of the roster: it rises with everything that the roster tells.
INSERT INTO setting VALUES ('people_revision', '1');
CREATE TRIGGER people_1 AFTER INSERT ON account BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_2 AFTER UPDATE OF username, fullname, disabled_at ON account BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_3 AFTER INSERT ON role_grant BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_4 AFTER UPDATE ON role_grant BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_5 AFTER INSERT ON backend_member BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_6 AFTER DELETE ON backend_member BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_7 AFTER INSERT ON workspace BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_8 AFTER UPDATE OF archived_at, project ON workspace BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_9 AFTER UPDATE OF name, number, slug, status ON project BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_10 AFTER INSERT ON project_org BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_11 AFTER DELETE ON project_org BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;
CREATE TRIGGER people_12 BEFORE INSERT ON job_request
WHEN NOT EXISTS (SELECT 1 FROM job_request WHERE workspace = NEW.workspace AND backend = NEW.backend) BEGIN
    UPDATE setting SET value = CAST(value AS INTEGER) + 1 WHERE name = 'people_revision';
END;

-- What backends must hear of: workspaces whose state changed, projects whose permissions did. `line::tell` empties it.
CREATE TABLE to_tell (
    kind TEXT NOT NULL CHECK (kind IN ('workspace', 'permissions')),
    -- The workspace or the project.
    object INTEGER NOT NULL,
    PRIMARY KEY (kind, object)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER to_tell_1 AFTER UPDATE OF archived_at ON workspace
WHEN NEW.archived_at IS NOT OLD.archived_at BEGIN
    INSERT OR IGNORE INTO to_tell VALUES ('workspace', NEW.id);
END;
CREATE TRIGGER to_tell_2 AFTER UPDATE OF status ON project
WHEN (NEW.status = 'retired') <> (OLD.status = 'retired') BEGIN
    INSERT OR IGNORE INTO to_tell SELECT 'workspace', id FROM workspace WHERE project = NEW.id;
END;
CREATE TRIGGER to_tell_3 AFTER UPDATE OF approved_at, revoked_at, expires_at ON permission_grant BEGIN
    INSERT OR IGNORE INTO to_tell VALUES ('permissions', NEW.project);
END;

-- Changed names: longest prefix wins (spec site.md 2.3).
CREATE TABLE redirect (
    prefix TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by INTEGER REFERENCES account (id),
    expires_at INTEGER
) STRICT, WITHOUT ROWID;
