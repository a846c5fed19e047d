-- What the pages of people at work and of staff show, beside the small world of `world.sql`.
INSERT INTO account (id, username, username_key, fullname, email, kind, created_at, disabled_at, disabled_by) VALUES
    (10, 'boss', 'boss', 'Somebody With Every Role', 'boss@example.org', 'human', 1, NULL, NULL),
    (11, 'operator', 'operator', 'Operator Of One', NULL, 'human', 1, NULL, NULL),
    (12, 'robot', 'robot', 'A service', NULL, 'service', 1, NULL, NULL),
    (13, 'gone', 'gone', 'Somebody Disabled', NULL, 'human', 1, 5, 10);
INSERT INTO role_grant (account, role, scope, scope_id, reason, granted_by, approved_by, approved_at, created_at) VALUES
    (10, 'StaffAreaAdministrator', 'site', 0, 'all', 11, 12, 1, 1), (10, 'ServiceAdministrator', 'site', 0, 'all', 11, 12, 1, 1),
    (10, 'DataAuthority', 'site', 0, 'all', 11, 12, 1, 1), (10, 'SiteAdministrator', 'site', 0, 'all', 11, 12, 1, 1),
    (10, 'Auditor', 'site', 0, 'all', 11, 12, 1, 1), (10, 'TechSupport', 'site', 0, 'all', 11, 12, 1, 1),
    (10, 'DeploymentAdministrator', 'site', 0, 'all', 11, 12, 1, 1),
    (11, 'BackendOperator', 'backend', 1, 'operates it', 10, NULL, 1, 1);
INSERT INTO role_grant (id, account, role, scope, scope_id, reason, granted_by, created_at, expires_at, revoked_at, revoked_by) VALUES
    (900, 3, 'OutputChecker', 'site', 0, 'Waits for a second person', 11, 1, NULL, NULL, NULL),
    (901, 3, 'OutputChecker', 'backend', 1, 'Ended long ago', 11, 1, 5, NULL, NULL),
    (902, 3, 'ProjectCollaborator', 'project', 1, 'Given and taken', 11, 1, NULL, 7, 11),
    (903, 1, 'ProjectDeveloper', 'project', 4, 'until soon', 11, 1, 1804251000000000, NULL, NULL),
    (904, 1, 'ProjectDeveloper', 'project', 5, 'works on it', 11, 1, NULL, NULL, NULL);
INSERT INTO project (id, name, slug, category, status, status_note, created_at, updated_at) VALUES
    (4, 'A project without anything', 'empty-project', 'unknown', 'postponed', 'Waits for *money*', 1, 1),
    (5, 'Small studies', 'small-studies', 'internal', 'ongoing', '', 1, 1);
INSERT INTO project_org (project, org, is_lead, created_at) VALUES (5, 1, 1, 1), (5, 2, 0, 1);
INSERT INTO org (id, slug, name, description, created_at) VALUES (3, 'empty-org', 'An organisation without projects', '', 1);
INSERT INTO backend (id, slug, name, flavour, data_kind, is_active, created_at, last_contact_at, mode, mode_kind, mode_since, mode_ends_at, version, data_version, clock_offset, clock_error) VALUES
    (3, 'north', 'North', 'other', 'real', 1, 1, 1804100000000000, 'paused', 'scheduled', 1804100000000000, NULL, '0.0.9', '2027-02', 12000000, 1000),
    (4, 'new', 'New', 'tpp', 'synthetic', 1, 1, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (5, 'old', 'Old', 'emis', 'real', 0, 1, 1704100000000000, 'open', NULL, 1704100000000000, NULL, '0.0.1', NULL, NULL, NULL);
INSERT INTO backend_member (backend, account, created_at) VALUES (1, 1, 1), (2, 1, 1), (3, 1, 1), (1, 11, 1);
INSERT INTO site_alert (title, message, level, audience, from_at, created_at) VALUES
    ('New version', 'The site was *updated*.', 'info', 'everyone', 1, 1), ('Done', 'All is well again.', 'success', 'everyone', 1, 1),
    ('Upkeep', 'On Sunday, [see](https://example.org/).', 'warning', 'signed_in', 1, 1), ('Full', 'A disk is full.', 'danger', 'staff', 1, 1);
INSERT INTO api_token (id, account, name, prefix, hash, scopes, created_at, expires_at, last_used_at, last_used_ip_prefix) VALUES
    (1, 1, 'nightly', 'clo_pabc', x'01', 'read request:run', 1, 1900000000000000, 1804150000000000, '192.0.2.0/24'),
    (2, 1, 'never used', 'clo_pdef', x'02', 'read', 1, 1900000000000000, NULL, NULL);
INSERT INTO permission_grant (id, project, permission_kind, reason, evidence_url, proposed_by, proposed_at) VALUES
    (800, 1, 1, 'Waits for somebody', 'https://example.org/minutes', 11, 1);
INSERT INTO permission_grant (id, project, permission_kind, reason, proposed_by, proposed_at, approved_by, approved_at, expires_at) VALUES
    (801, 5, 2, 'Ends soon', 11, 1, 12, 1, 1804251000000000);
INSERT INTO permission_grant (id, project, permission_kind, reason, proposed_by, proposed_at, approved_by, approved_at, revoked_at, revoked_by, revoke_reason) VALUES
    (802, 5, 3, 'Was needed', 11, 1, 12, 1, 9, 10, 'Not needed any more');
INSERT INTO permission_grant (id, project, permission_kind, reason, proposed_by, proposed_at, approved_by, approved_at) VALUES
    (803, 5, 14, 'SQL is needed', 11, 1, 12, 1);
INSERT INTO backend_epoch (backend, epoch, state, head_seq, head_hash, opened_at) VALUES (1, 1, 'open', 2, 'h', 1), (4, 1, 'proposed', 0, '', 1);
INSERT INTO backend_token (hash, backend, created_at, valid_from, expires_at, first_used_at) VALUES (x'11', 1, 1, 1, 1900000000000000, 2), (x'12', 1, 3, 3, 1900000000000000, NULL);
INSERT INTO backend_fact (backend, epoch, seq, arrival, kind, at, received_at, text, hash, not_applied) VALUES
    (1, 1, 1, 1, 'job.started', 1, 1804151000000000, '{}', 'h', 'unknown_job'), (1, 1, 2, 2, 'tomorrow', 1, 1804151000000000, '{}', 'h', 'unknown_kind');
INSERT INTO directive (backend, cursor, id, kind, text, at, expires_at, delivered_at, answered_at, rejected) VALUES
    (1, 1, 'D1', 'order', '{}', 1, 2, 3, 1804151000000000, 'expired'), (1, 2, 'D2', 'order', '{}', 1804151000000000, 1900000000000000, NULL, NULL, NULL);
