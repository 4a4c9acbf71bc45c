-- What the web pages show beside the lists of Lists.sqlite.sql, for bench/run --pages: blobs (500 of them shared by all), members, robots, groups, histories, an audit log.
PRAGMA foreign_keys=OFF;
PRAGMA synchronous=OFF;
PRAGMA cache_size=-262144;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1000499)
INSERT INTO blobs (id, digest, size, created_at, store)
SELECT 1 + i, 'sha256:' || printf('%016x%048x', (i * 0x4F1BBCDCBFA53E0B) & 0x7fffffffffffffff, 5000000000 + i), CASE WHEN i < 500 THEN 30000000 + i * 1000 ELSE (i * 2654435761) % 100000007 END, 1600000000000, 'default' FROM n;
INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT id, 501 + id - 10000000 FROM manifests;
INSERT INTO manifest_blobs (manifest_id, blob_id) SELECT id, 1 + id % 500 FROM manifests;
INSERT INTO project_blobs (project_id, blob_id, manifest_count) SELECT r.project_id, 501 + m.id - 10000000, 1 FROM manifests m JOIN repositories r ON r.id = m.repository_id;
INSERT INTO project_blobs (project_id, blob_id, manifest_count) SELECT r.project_id, 1 + m.id % 500, COUNT(*) FROM manifests m JOIN repositories r ON r.id = m.repository_id GROUP BY 1, 2;
UPDATE projects SET used_bytes = (SELECT SUM(b.size) FROM project_blobs p JOIN blobs b ON b.id = p.blob_id WHERE p.project_id = projects.id);
INSERT INTO users (id, name, email, real_name, password_hash, source, is_admin, created_at, updated_at)
SELECT 1000 + (id - 10000), 'user-' || (id - 10000), 'user-' || (id - 10000) || '@example.org', 'User ' || (id - 10000), '', 'local', false, 1600000000000, 1600000000000 FROM projects;
INSERT INTO user_groups (id, name, kind, created_at) SELECT 100 + (id - 10000), 'group-' || (id - 10000), 0, 1600000000000 FROM projects WHERE id < 10300;
INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) SELECT id, 1, 1000 + (id - 10000), 2, 1 FROM projects;
INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) SELECT 10000, 1, 1000 + (id - 10000), 3, 1 FROM projects WHERE id > 10000 AND id < 10600;
INSERT INTO robots (id, name, project_id, description, is_disabled, duration_days, creator_kind, creator_id, created_at, updated_at)
SELECT 1000 + (id - 10000), name || '+ci', id, '', false, -1, 'local', 1, 1600000000000, 1600000000000 FROM projects;
INSERT INTO robots (id, name, project_id, description, is_disabled, duration_days, creator_kind, creator_id, created_at, updated_at)
SELECT 5000 + (id - 10000), 'system-' || (id - 10000), NULL, '', false, -1, 'local', 1, 1600000000000, 1600000000000 FROM projects WHERE id < 10300;
INSERT INTO tag_history (repository_id, name, digest, previous_digest, actor, address, at)
SELECT m.repository_id, t.name, m.digest, NULL, 'user-1', '192.0.2.1', t.updated_at FROM tags t JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id <= 100100;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 499999)
INSERT INTO audit_entries (at, project_id, operation, resource_type, resource, actor, address, request_id, description, is_successful, count)
SELECT 1600000000000 + i * 200000, 10000 + i % 1000, CASE i % 3 WHEN 0 THEN 'create' WHEN 1 THEN 'pull' ELSE 'delete' END, 'artifact', printf('p%04d/app:%d', i % 1000, i), 'user-' || i % 1000, '192.0.2.1', printf('%032x', i), 'artifact', true, 1 FROM n;
COMMIT;
