-- A package index of 100,000 images with 200 packages each, their reports and 20 findings each. The manifests themselves are left out: what is measured does not ask for them.
SET session_replication_role = replica;
ALTER TABLE artifact_packages DROP CONSTRAINT "PK_artifact_packages";
DROP INDEX "IX_artifact_packages_manifest_id";
-- 30,000 names like those of real packages, in five ecosystems, and those of a release of Debian.
INSERT INTO packages (scope, name)
SELECT CASE WHEN n % 40 < 8 THEN 'debian:12' ELSE (ARRAY['npm', 'pip', 'maven', 'go', 'nuget'])[1 + n % 5] END,
  (ARRAY['fast', 'lib', 'node', 'py', 'core', 'simple', 'async', 'micro', 'open', 'react', 'vue', 'http', 'json', 'grpc', 'cloud', 'data', 'easy', 'safe', 'static', 'tiny',
    'type', 'util', 'web', 'xml', 'yaml', 'zip', 'auth', 'base', 'cli', 'date', 'edge', 'form', 'graph', 'hash', 'image', 'jwt', 'kube', 'log', 'mail', 'net'])[1 + n % 40] || '-' ||
  (ARRAY['parser', 'client', 'server', 'loader', 'router', 'store', 'cache', 'queue', 'stream', 'buffer', 'crypto', 'session', 'template', 'schema', 'driver', 'adapter', 'plugin', 'bridge',
    'helper', 'builder', 'runner', 'scanner', 'logger', 'metrics', 'tracer', 'proxy', 'socket', 'codec', 'format', 'render'])[1 + n / 40 % 30] || '-' || n / 1200
FROM generate_series(0, 29998) n;
INSERT INTO packages (scope, name) VALUES ('debian:12', 'glibc');
-- Of each image one package that all have, 119 of one of 25 bases, 40 of 2,000 popular ones, 40 of all others.
INSERT INTO artifact_packages (package_id, manifest_id, version)
SELECT CASE WHEN k = 0 THEN 30000 WHEN k < 120 THEN 1 + (m % 25) * 119 + k - 1
    WHEN k < 160 THEN 3001 + (m * 7919 + k * 367) % 2000 ELSE 5001 + (m * 104729 + k * 367) % 24000 END,
  m, '1.' || (m * 31 + k * 17) % 30 || '.' || (m + k) % 10
FROM generate_series(1::bigint, 100000) m, generate_series(0, 199) k;
ALTER TABLE artifact_packages ADD CONSTRAINT "PK_artifact_packages" PRIMARY KEY (package_id, manifest_id, version);
CREATE INDEX "IX_artifact_packages_manifest_id" ON artifact_packages (manifest_id);
INSERT INTO artifact_scans (manifest_id, state, job_id, requested_at, reported_at, finished_at, database_built_at, critical, high, medium, low, unknown, fixable)
SELECT m, 1, m, 1, 1, 1, 1767225600000, 1, 4, 10, 5, 0, 12 FROM generate_series(1::bigint, 100000) m;
INSERT INTO artifact_findings (manifest_id, vulnerability, package, version, fixed_version, severity, status, score, first_seen)
SELECT m, 'CVE-2025-' || 10000 + (CASE WHEN k < 15 THEN (m % 25) * 15 + k ELSE 1000 + (m * 7919 + k * 367) % 20000 END), 'package-' || k, '1.0', '1.1', 2 + k % 4, 3, 4 + k % 6, 1
FROM generate_series(1::bigint, 100000) m, generate_series(0, 19) k;
SET session_replication_role = DEFAULT;
VACUUM ANALYZE packages;
VACUUM ANALYZE artifact_packages;
VACUUM ANALYZE artifact_scans;
VACUUM ANALYZE artifact_findings;
