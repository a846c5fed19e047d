INSERT INTO account (id, username, username_key, fullname, kind, created_at) VALUES
    (1, 'sample-r', 'sample-r', 'Sample Researcher', 'human', 1),
    (2, 'second-p', 'second-p', 'Sécond "Person" <b>&', 'human', 1),
    (3, 'nobody-n', 'nobody-n', 'Nobody Yet', 'human', 1);
INSERT INTO org (id, slug, name, description, created_at) VALUES
    (1, 'northfield', 'Northfield University', 'A university that *studies* health.', 1),
    (2, 'southgate', 'Southgate <i>Institute</i>', '', 1);
INSERT INTO org_member (org, account, created_at) VALUES (1, 1, 1), (2, 2, 1);
INSERT INTO project (id, number, name, slug, category, status, created_at, updated_at) VALUES
    (1, '12', 'Hazardous prescribing in winter', 'hazardous-prescribing', 'approved', 'ongoing', 1, 1),
    (2, NULL, 'A project <script>alert(2)</script>', 'odd-project', 'unknown', 'ongoing', 1, 1);
INSERT INTO project_org (project, org, is_lead, created_at) VALUES (1, 1, 1, 1), (2, 2, 0, 1);
INSERT INTO repo (id, url, is_private) VALUES
    (1, 'https://code.example/northfield/pincer', 0), (2, 'https://code.example/southgate/odd', 1);
INSERT INTO workspace (id, name, project, repo, branch, purpose, created_at, updated_at) VALUES
    (1, 'pincer-measures', 1, 1, 'main', 'Safety indicators by month', 1, 1),
    (2, 'odd', 2, 2, 'main', '</p><script>alert(3)</script>', 1, 1);
INSERT INTO workspace (id, name, project, repo, branch, archived_at, archived_by, archive_reason, created_at, updated_at) VALUES
    (3, 'old-measures', 1, 1, 'v1', 5, 1, 'Finished', 1, 1);
INSERT INTO backend (id, slug, name, flavour, data_kind, created_at, last_contact_at, mode, mode_since, version) VALUES
    (1, 'tpp', 'TPP', 'tpp', 'synthetic', 1, 1804151520000000, 'open', 1804150000000000, '0.1.0'),
    (2, 'emis', 'EMIS', 'emis', 'real', 1, 1804151520000000, 'db_maintenance', 1804151000000000, '0.1.0');
INSERT INTO role_grant (account, role, scope, scope_id, reason, created_at) VALUES
    (1, 'ProjectDeveloper', 'project', 1, 'asked', 1), (3, 'ProjectDeveloper', 'project', 1, 'asked', 1);
INSERT INTO permission_kind (id, kind, code, title, explanation) VALUES (900, 'dataset', 'test_set', 'Test data set', 'x');
INSERT INTO permission_grant (project, permission_kind, reason, proposed_by, proposed_at, approved_by, approved_at, expires_at)
    VALUES (1, 900, 'Needed for the study', 1, 1, 2, 2, 1900000000000000);
