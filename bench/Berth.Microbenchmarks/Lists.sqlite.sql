-- 1,000 projects, 10,000 repositories, 1,000,000 artifacts (100,000 of them in p0000/big), 2,000,000 tags, for bench/run --lists. The schema is there already.
PRAGMA foreign_keys=OFF;
PRAGMA synchronous=OFF;
PRAGMA cache_size=-262144;
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
INSERT INTO projects (id, name, is_public, repository_count, quota_bytes, used_bytes, created_at, updated_at)
SELECT 10000 + i, printf('p%04d', i), i % 4 = 0, 10, -1, 0, 1600000000000, 1600000000000 FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
INSERT INTO repositories (id, project_id, name, description, pull_count, artifact_count, updated_at, created_at)
SELECT 100000 + i, 10000 + i % 1000, CASE i WHEN 0 THEN 'p0000/big' ELSE printf('p%04d/team-%d/app-%05d', i % 1000, i % 7, i) END, '', (i * 7919) % 100003, 0,
    1700000000000 + (i * 7907) % 9973 * 1000, 1600000000000 + (i * 7901) % 9967 * 1000 FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999)
INSERT INTO manifests (id, repository_id, digest, media_type, artifact_type, annotations, pushed_at, size, content, total_size, kind, is_listed, pull_count, pulled_at, created_at, config_type, details)
SELECT 10000000 + i, CASE WHEN i < 100000 THEN 100000 ELSE 100001 + (i - 100000) % 9999 END, 'sha256:' || printf('%016x%048x', (i * 0x9E3779B97F4A7C15) & 0x7fffffffffffffff, i),
    'application/vnd.oci.image.manifest.v1+json', CASE i % 20 WHEN 0 THEN 'application/vnd.cncf.helm.config.v1+json' ELSE 'application/vnd.oci.image.config.v1+json' END,
    '{"org.opencontainers.image.created":"2024-01-01T00:00:00Z"}', 1600000000000 + (i * 7919) % 999983 * 100000, 600,
    cast(printf('{"schemaVersion":2,"filler":"%0570d"}', i) AS BLOB), (i * 2654435761) % 1000000007, CASE i % 20 WHEN 0 THEN 'CHART' ELSE 'IMAGE' END, true, i % 100,
    CASE i % 3 WHEN 0 THEN 0 ELSE 1650000000000 + (i * 104729) % 999979 * 50000 END, 1600000000000,
    CASE i % 20 WHEN 0 THEN 'application/vnd.cncf.helm.config.v1+json' ELSE 'application/vnd.oci.image.config.v1+json' END,
    printf('{"extra_attrs":{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","author":"","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","VERSION=%d"],"Entrypoint":["/app"],"WorkingDir":"/srv","Labels":{"org.opencontainers.image.source":"https://example.org/team/app","org.opencontainers.image.revision":"%040d"}}}}', i, i)
FROM n;
INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks, pulled_at)
SELECT repository_id, printf('v1.%d', id - 10000000), id, pushed_at, 0, NULL FROM manifests WHERE id % 50 <> 0;
INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks, pulled_at)
SELECT repository_id, printf('build-%07d-rc', id - 10000000), id, pushed_at, 0, NULL FROM manifests WHERE id % 50 <> 0;
INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks, pulled_at)
SELECT repository_id, printf('stable-%d', id - 10000000), id, pushed_at, 0, NULL FROM manifests WHERE id % 50 = 1;
INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks, pulled_at)
SELECT repository_id, printf('edge-%d', id - 10000000), id, pushed_at, 0, NULL FROM manifests WHERE id % 50 = 1;
INSERT INTO labels (id, name, description, color, created_at, updated_at) SELECT 100 + value, 'label-' || value, '', '', 1, 1 FROM json_each('[0,1,2,3,4]');
INSERT INTO manifest_labels (manifest_id, label_id, created_at) SELECT id, 100 + id / 10 % 5, 1 FROM manifests WHERE id % 10 = 0;
UPDATE repositories SET artifact_count = (SELECT COUNT(*) FROM manifests m WHERE m.repository_id = repositories.id AND m.is_listed);
COMMIT;
