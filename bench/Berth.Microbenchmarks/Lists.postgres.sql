-- 1,000 projects, 10,000 repositories, 1,000,000 artifacts (100,000 of them in p0000/big), 2,000,000 tags, for bench/run --lists. The schema is there already.
INSERT INTO projects (id, name, is_public, repository_count, quota_bytes, used_bytes, created_at, updated_at)
SELECT 10000 + i, 'p' || lpad(i::text, 4, '0'), i % 4 = 0, 10, -1, 0, 1600000000000, 1600000000000 FROM generate_series(0, 999) i;
INSERT INTO repositories (id, project_id, name, description, pull_count, artifact_count, updated_at, created_at)
SELECT 100000 + i, 10000 + i % 1000, CASE i WHEN 0 THEN 'p0000/big' ELSE 'p' || lpad((i % 1000)::text, 4, '0') || '/team-' || i % 7 || '/app-' || lpad(i::text, 5, '0') END, '',
    (i * 7919) % 100003, 0, 1700000000000 + (i * 7907) % 9973 * 1000, 1600000000000 + (i * 7901) % 9967 * 1000 FROM generate_series(0::bigint, 9999) i;
INSERT INTO manifests (id, repository_id, digest, media_type, artifact_type, annotations, pushed_at, size, content, total_size, kind, is_listed, pull_count, pulled_at, created_at, config_type, details)
SELECT 10000000 + i, CASE WHEN i < 100000 THEN 100000 ELSE 100001 + (i - 100000) % 9999 END, 'sha256:' || encode(sha256(i::text::bytea), 'hex'),
    'application/vnd.oci.image.manifest.v1+json', CASE i % 20 WHEN 0 THEN 'application/vnd.cncf.helm.config.v1+json' ELSE 'application/vnd.oci.image.config.v1+json' END,
    '{"org.opencontainers.image.created":"2024-01-01T00:00:00Z"}', 1600000000000 + (i * 7919) % 999983 * 100000, 600,
    convert_to('{"schemaVersion":2,"filler":"' || lpad(i::text, 570, '0') || '"}', 'UTF8'), (i * 2654435761) % 1000000007, CASE i % 20 WHEN 0 THEN 'CHART' ELSE 'IMAGE' END, true, i % 100,
    CASE i % 3 WHEN 0 THEN 0 ELSE 1650000000000 + (i * 104729) % 999979 * 50000 END, 1600000000000,
    CASE i % 20 WHEN 0 THEN 'application/vnd.cncf.helm.config.v1+json' ELSE 'application/vnd.oci.image.config.v1+json' END,
    '{"extra_attrs":{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","author":"","config":{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","VERSION=' || i || '"],"Entrypoint":["/app"],"WorkingDir":"/srv","Labels":{"org.opencontainers.image.source":"https://example.org/team/app","org.opencontainers.image.revision":"' || lpad(i::text, 40, '0') || '"}}}}'
FROM generate_series(0::bigint, 999999) i;
INSERT INTO tags (repository_id, name, manifest_id, updated_at, locks, pulled_at)
SELECT m.repository_id, t.name || (m.id - 10000000), m.id, m.pushed_at, 0, NULL
FROM manifests m JOIN (VALUES ('v1.', false), ('build-rc-', false), ('stable-', true), ('edge-', true)) t(name, rare) ON CASE WHEN t.rare THEN m.id % 50 = 1 ELSE m.id % 50 <> 0 END;
INSERT INTO labels (id, name, description, color, created_at, updated_at) SELECT 100 + i, 'label-' || i, '', '', 1, 1 FROM generate_series(0, 4) i;
INSERT INTO manifest_labels (manifest_id, label_id, created_at) SELECT id, 100 + id / 10 % 5, 1 FROM manifests WHERE id % 10 = 0;
UPDATE repositories SET artifact_count = c.n FROM (SELECT repository_id, COUNT(*) AS n FROM manifests WHERE is_listed GROUP BY 1) c WHERE c.repository_id = repositories.id;
VACUUM (ANALYZE) projects, repositories, manifests, tags, labels, manifest_labels;
