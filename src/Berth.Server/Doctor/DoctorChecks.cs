using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Options;
using Berth.Server.Platform.Settings;
using Microsoft.Extensions.Logging;
using static Berth.Server.Doctor.Finding;

namespace Berth.Server.Doctor;

/// <summary>The operator's checklist as a table.</summary>
internal static class DoctorChecks
{
    private const string FromOutside = "seen from outside only: run berth doctor URL, for alert rules with --prometheus";
    private static readonly TimeSpan s_scrapeLimit = TimeSpan.FromMinutes(5);
    private const double SlowPullSeconds = 0.5;
    private const long FewPulls = 100;

    /// <summary>All lines, in the order of the checklist.</summary>
    public static IReadOnlyList<DoctorCheck> All { get; } =
    [
        .. Deployment(), .. Access(), .. Management(), .. Security(), .. Distribution(), .. Monitoring(), .. Troubleshooting(),
    ];

    /// <summary>The line of an id.</summary>
    public static DoctorCheck Find(string id) => All.First(check => check.Id == id);

    private static IEnumerable<DoctorCheck> Deployment() =>
    [
        new("deployment.configuration", DoctorArea.Deployment, "Is it installed and configured correctly?", "http.publicUrl, where it listens for others than this machine",
            "set http.publicUrl to the address that clients use; berth config check looks at the rest", facts =>
                facts.Options.Http.PublicUrl is { Length: > 0 } url ? Pass($"clients reach it as {url}")
                : facts.Options.Http.Urls.All(IsLocal) ? Pass("it listens on this machine only")
                : Fail("http.publicUrl is not set, so tokens and Location headers name whatever host a request came with")),
        new("deployment.service", DoctorArea.Deployment, "Is the service running?", "the checks of /health/ready",
            "look at /debug/health on the operators' address, and at the log", facts =>
                facts.Health.IsReady ? Pass($"ready, {facts.Health.Checks.Count} checks pass")
                : Fail($"not ready: {string.Join(", ", facts.Health.Checks.Where(check => check.Reading.Status != HealthStatus.Ok).Select(check => check.Name))}")),
        new("deployment.storage", DoctorArea.Deployment, "Is the storage backend configured correctly?", "a small object that is written, read and removed again and again",
            "look at /debug/health: it has the error of the store", facts =>
                facts.Health.Checks.FirstOrDefault(check => check.Name == "storage") is not { } check ? NotConfigured("the probe is switched off (health.storageEnabled)")
                : check.Reading.Status == HealthStatus.Failing ? Fail($"the probe failed {check.Reading.Failures} times in a row") : Pass("the probe passes")),
        new("deployment.stores", DoctorArea.Deployment, "Does every blob store work, those of rules too?", "a small object that is written, read and removed in each store; stores that have blobs and are not in the settings",
            "mend the store, or add it to storage.stores again; berth storage list shows what lies where", Stores),
        new("deployment.availability", DoctorArea.Deployment, "Is high availability set up where it is needed?", "database.kind and access.secretKey",
            "replicas need PostgreSQL, a store that all reach, and the same access.secretKey: docs/kubernetes.md", facts =>
                facts.Options.Database.Kind == DatabaseKind.Sqlite ? NotConfigured("one process with SQLite: a restart is an interruption")
                : facts.Options.Access.SecretKey is null && facts.Options.Access.SecretKeyFile is null ? Fail("access.secretKey is not set: another replica would not read what this one encrypts")
                : Pass("PostgreSQL and a common secret key: any number of replicas may run")),
        new("deployment.backup", DoctorArea.Deployment, "Is there a backup strategy?", "nothing tells a server that copies of it are made elsewhere",
            "run berth backup on a schedule and try berth restore on another machine: docs/backup.md", _ => NotConfigured("Berth does not know of copies that are kept elsewhere")),
    ];

    private static IEnumerable<DoctorCheck> Access() =>
    [
        new("access.authentication", DoctorArea.Access, "Is authentication configured?", "access.mode and the administrators",
            "use access.mode local, htpasswd or token; make an administrator with berth user create", facts => facts.Options.Access.Mode switch
            {
                AccessMode.Open => Fail("access.mode is open: everybody may do everything"),
                AccessMode.Local when facts.Counts.Admins == 0 => Fail("no administrator can sign in"),
                AccessMode.Local => Pass($"mode local, {facts.Counts.Admins} administrators"),
                var mode => Pass($"mode {mode.ToString().ToLowerInvariant()}"),
            }),
        new("access.anonymous", DoctorArea.Access, "Is the list of repositories closed to strangers?", "GET /v2/_catalog without credentials",
            "use another access.mode than open; make projects private", null),
        new("access.clients", DoctorArea.Access, "Can Docker and containerd sign in and pull?", "GET /v2/ with credentials; with --write a small image is pushed, pulled and deleted",
            "docker login HOST; the message of the client is in docs/troubleshooting.md", null),
        new("access.kubernetes", DoctorArea.Access, "Can Kubernetes pull (imagePullSecrets)?", "working robot accounts",
            "berth robot create k8s --project NAME --permission repository:pull, then kubectl create secret docker-registry", facts =>
                facts.Counts.Robots > 0 ? Pass($"{facts.Counts.Robots} robot accounts work") : NotConfigured("there is no robot account that a cluster could use")),
        new("access.permissions", DoctorArea.Access, "Are permissions configured?", "members of projects beside the administrators, robots, and who may make projects",
            "add members to projects; set project_creation_restriction to adminonly where anybody may register", facts =>
                facts.Settings.Of(RuntimeSettingTable.SelfRegistration) && facts.Settings.Of(RuntimeSettingTable.ProjectCreationRestriction) == "everyone"
                    ? Fail("anybody may register and make projects")
                    : facts.Counts.Members + facts.Counts.Robots > 0 ? Pass($"{facts.Counts.Members} members, {facts.Counts.Robots} robots, {facts.Counts.AccessRules} access rules")
                    : NotConfigured("only administrators have rights")),
        new("access.network", DoctorArea.Access, "Is it reachable over the network?", "GET /v2/ from where the doctor runs",
            "look at DNS, firewall, proxy and http.urls", null),
    ];

    private static IEnumerable<DoctorCheck> Management() =>
    [
        new("management.naming", DoctorArea.Management, "Are naming rules defined and enforced?", "naming policies of projects, and who may make projects (project_creation_restriction)",
            "set a naming policy: PUT /api/berth/v1/projects/NAME/naming (docs/lifecycle.md); let administrators alone make projects: project_creation_restriction adminonly", facts =>
                facts.Counts.NamingPolicies > 0 ? Pass($"{facts.Counts.NamingPolicies} projects have a naming policy that warns or refuses")
                : facts.Settings.Of(RuntimeSettingTable.ProjectCreationRestriction) == "adminonly" ? Pass("administrators decide the names of projects; the protocol's rules hold below them")
                : NotConfigured("everybody may make projects of any name; the protocol's rules hold")),
        new("management.versioning", DoctorArea.Management, "Is there a strategy for versions?", "immutable tag rules",
            "make release tags immutable: POST /api/v2.0/projects/NAME/immutabletagrules", facts =>
                facts.Counts.ImmutableRules > 0 ? Pass($"{facts.Counts.ImmutableRules} rules make tags immutable") : NotConfigured("every tag may be moved")),
        new("management.cleanup", DoctorArea.Management, "Is a clean-up policy configured?", "retention policies that are switched on, and whether their last run failed",
            "try a policy with POST /api/berth/v1/projects/NAME/retention/simulate, then save it: docs/retention.md; the log of a failed run is in the list of runs", facts =>
                facts.Counts.FailedPolicies > 0 ? Fail($"the last run of {facts.Counts.FailedPolicies} retention policies failed")
                : facts.Counts.RetentionPolicies > 0 ? Pass($"{facts.Counts.RetentionPolicies} retention policies") : NotConfigured("there is no retention policy: everything stays until somebody deletes it")),
        new("management.lifecycle", DoctorArea.Management, "Is the lifecycle automated?", "retention policies with a schedule or after a push, tags that expire",
            "give a retention policy a schedule (cron) or on_push, or let tags expire: docs/lifecycle.md", facts =>
                facts.Counts.RunningPolicies > 0 || facts.Counts.ExpiringTags > 0 ? Pass($"{facts.Counts.RunningPolicies} retention policies run by themselves, {Many(facts.Counts.ExpiringTags)} tags expire")
                : facts.Counts.RetentionPolicies > 0 ? Fail("no retention policy has a schedule: they run only when somebody starts them") : NotConfigured("nothing goes by itself")),
        new("management.garbage-collection", DoctorArea.Management, "Does garbage collection run regularly?", "gc.enabled of the replica that answers",
            "set gc.enabled to true in one replica at least", facts => facts.Options.Gc.Enabled
                ? Pass($"it runs all the time; blobs stay for {ConfigText.Duration(facts.Options.Gc.Delay)} after nothing names them any more")
                : NotConfigured("this replica does not collect (gc.enabled); another may")),
    ];

    private static IEnumerable<DoctorCheck> Security() =>
    [
        new("security.scanning", DoctorArea.Security, "Is scanning configured?", "the advisory database and its age (advisories.warnAfter)",
            "set advisories.sources, or bring a bundle: docs/air-gapped.md", facts =>
                facts.AdvisoriesAge is not { } age ? NotConfigured("there is no advisory database: images cannot be scanned")
                : age > facts.AdvisoriesMayBe ? Fail($"the advisory database is {(int)age.TotalDays} days old") : Pass($"the advisory database is {(int)age.TotalHours} hours old")),
        Later("security.signing", DoctorArea.Security, "Is signing configured?", "policies of signatures; clients sign with cosign and notation today"),
        Later("security.verification", DoctorArea.Security, "Is a verification policy in place?", "policies of signatures"),
        Later("security.vulnerability-alerts", DoctorArea.Security, "Are vulnerability alerts configured?", "scan events of webhooks"),
        new("security.policy", DoctorArea.Security, "Is an access-control policy in place?", "identity.lockAfterFailures, identity.passwordNeedsMixture, robots without an end",
            "keep identity.lockAfterFailures above 0 and the mixture on; give robots an end: berth robot create --days 90", facts =>
                facts.Options.Identity.LockAfterFailures == 0 ? Fail("names are never locked after failed sign-ins")
                : !facts.Options.Identity.PasswordNeedsMixture ? Fail("passwords need no mixture of letters and digits")
                : facts.Counts.EndlessRobots > 0 ? Fail($"{facts.Counts.EndlessRobots} robots never end")
                : Pass($"names are locked after {facts.Options.Identity.LockAfterFailures} failures, every robot ends")),
        new("security.encryption", DoctorArea.Security, "Is content encrypted at rest?", "storage.encryption, and blobs that are still as they were before it was switched",
            "set storage.encryption (docs/encryption.md), then berth storage move default default --wait", facts =>
                (facts.Options.Storage.Encryption.Enabled, facts.Counts.PlainBlobs, facts.Counts.EncryptedBlobs) switch
                {
                    (true, 0, _) => Pass("all blobs are encrypted"),
                    (true, var plain, _) => Fail($"{Many(plain)} blobs are from before and not encrypted"),
                    (false, _, 0) => NotConfigured("content is stored as it is; the store may encrypt by itself"),
                    (false, _, var sealedOnes) => Fail($"encryption is off, and {Many(sealedOnes)} blobs are still encrypted: their master key must be kept"),
                }),
        new("security.tls", DoctorArea.Security, "Is the connection encrypted with a certificate that clients believe?", "the scheme, the certificate and its end",
            "set http.tls or a proxy with TLS: docs/installation.md", null),
        new("security.headers", DoctorArea.Security, "Do answers tell browsers to be strict?", "X-Content-Type-Options, and Strict-Transport-Security with TLS",
            "http.headers: {Strict-Transport-Security: [\"max-age=31536000\"]}", null),
    ];

    private static IEnumerable<DoctorCheck> Distribution() =>
    [
        new("distribution.pull-policy", DoctorArea.Distribution, "Is the pull policy sensible (cheap revalidation)?", "registry.contentCacheBytes",
            "set registry.contentCacheBytes above 0, 32MiB by default", facts =>
                facts.Options.Registry.ContentCacheBytes > 0 ? Pass("HEAD and conditional requests are answered from memory: Always costs little") : Fail("the cache is off: each look at a tag reads the database")),
        new("distribution.redirect", DoctorArea.Distribution, "Do clients fetch large blobs from the object store itself?", "storage.redirect, and whether the stores sign URLs",
            "leave storage.redirect.enabled on; where clients cannot reach the store, set its public endpoint, or name their networks in storage.redirect.exceptNetworks", Redirect),
        Later("distribution.cache", DoctorArea.Distribution, "Is a cache configured where it is needed?", "proxy projects"),
        Later("distribution.sync", DoctorArea.Distribution, "Is there a sync policy for edge nodes?", "replication rules"),
        Later("distribution.proxy", DoctorArea.Distribution, "Is a proxy of other registries configured where it is needed?", "proxy projects"),
        new("distribution.performance", DoctorArea.Distribution, "Does the performance of distribution meet the need?", "99 of 100 pulls of manifests within 0.5 s since the start",
            "compare berth_database_operation_duration_seconds and berth_storage_operation_duration_seconds; docs/performance.md has figures", facts =>
                facts.Pulls.Count < FewPulls ? NotConfigured($"only {facts.Pulls.Count} manifests were pulled since the start")
                : facts.Pulls.P99Seconds > SlowPullSeconds ? Fail($"99 of 100 pulls take up to {facts.Pulls.P99Seconds:0.###} s")
                : Pass($"99 of 100 pulls take at most {facts.Pulls.P99Seconds:0.####} s")),
    ];

    private static IEnumerable<DoctorCheck> Monitoring() =>
    [
        new("monitoring.metrics", DoctorArea.Monitoring, "Are metrics collected?", "when the metrics page was read last",
            "let Prometheus read the page: docs/monitoring.md", facts => !facts.Options.Metrics.Enabled ? Fail("metrics.enabled is off") : Scraped(facts, "the page was read")),
        new("monitoring.logs", DoctorArea.Monitoring, "Are logs recorded?", "log.level and log.accessLog",
            "set log.level to information and log.accessLog to true", facts =>
                facts.Options.Log.Level > LogLevel.Information ? Fail($"log.level {facts.Options.Log.Level} hides what an operator wants of a day")
                : !facts.Options.Log.AccessLog ? NotConfigured("requests are not logged (log.accessLog)") : Pass($"level {facts.Options.Log.Level.ToString().ToLowerInvariant()} with one line a request")),
        new("monitoring.alerts", DoctorArea.Monitoring, "Are alert rules configured?", "the rules of Prometheus (--prometheus URL)",
            "load deploy/prometheus/berth-alerts.yml: docs/monitoring.md", null),
        new("monitoring.performance", DoctorArea.Monitoring, "Is performance monitored?", "traces, or a metrics page that is read",
            "set tracing.otlpEndpoint, or let Prometheus read the page", facts =>
                facts.Options.Tracing.OtlpEndpoint is { Length: > 0 } ? Pass("traces are sent") : Scraped(facts, "times are in the metrics, read")),
        new("monitoring.storage", DoctorArea.Monitoring, "Is the usage of storage monitored?", "a metrics page that is read, and quotas",
            "watch berth_storage_free_bytes; give projects quotas", facts =>
                facts.MetricsReadAgo is { } ago && ago < s_scrapeLimit ? Pass($"free space is in the metrics; {facts.Counts.LimitedProjects} of {facts.Counts.Projects} projects have a quota") : NotConfigured("nobody reads the metrics page")),
        new("monitoring.exposure", DoctorArea.Monitoring, "Are metrics and details of failures hidden from clients?", "GET /metrics and /debug/health at the clients' address",
            "give operators an address of their own: http.debugAddress", null),
    ];

    private static IEnumerable<DoctorCheck> Troubleshooting() =>
    [
        new("trouble.unauthorized", DoctorArea.Troubleshooting, "Does anything explain pulls that fail with \"unauthorized\"?", "robots that ended in the last 30 days, locked names, failed sign-ins since the start",
            "berth robot refresh ID for a robot that has ended; a lock ends after identity.lockTime; else docker login again", Unauthorized),
        new("trouble.storage-full", DoctorArea.Troubleshooting, "Is there room for pushes?", "free bytes of the store against storage.minFreeBytes",
            "delete tags of the largest projects: their bytes go after gc.delay, or at once with berth registry garbage-collect; unfinished uploads go after registry.uploadExpiry", StorageFull),
        new("trouble.damaged-content", DoctorArea.Troubleshooting, "Is all content what it was?", "blobs in quarantine, and scrub.enabled",
            "push the images again, or berth fsck --repair where a copy may be: docs/integrity.md; look at the disks", facts =>
                facts.Counts.QuarantinedBlobs > 0 ? Fail($"{Many(facts.Counts.QuarantinedBlobs)} blobs are in quarantine: their bytes are wrong or missing")
                : facts.Options.IsScrubbed ? Pass("nothing is in quarantine, content is read again in the background") : NotConfigured("nothing is in quarantine, and nobody looks (scrub.enabled)")),
        Later("trouble.scan", DoctorArea.Troubleshooting, "Do scans succeed?", "scanners"),
        new("trouble.webhooks", DoctorArea.Troubleshooting, "Do webhooks reach their receivers?", "deliveries that were given up",
            "see GET /api/berth/v1/webhooks/ID/deliveries?status=error, mend the target and send them again", facts =>
                facts.Counts.FailedDeliveries > 0 ? Fail($"{facts.Counts.FailedDeliveries} deliveries were given up")
                : facts.Counts.WebhookPolicies > 0 ? Pass($"{facts.Counts.WebhookPolicies} policies, nothing was given up") : NotConfigured("there is no webhook")),
    ];

    private static Finding Stores(DoctorFacts facts)
    {
        var broken = facts.Stores.Where(store => store.Error is not null).Select(store => $"{store.Name}: {store.Error}").ToList();
        broken.AddRange(facts.Counts.StoresWithBlobs.Except(facts.Stores.Select(store => store.Name)).Select(name => $"{name}: has blobs and is not in the settings"));
        var rules = facts.Options.Storage.Rules.Count == 0 ? "no rule sends projects elsewhere" : $"{facts.Options.Storage.Rules.Count} rules send projects elsewhere";
        return broken.Count > 0 ? Fail(string.Join("; ", broken)) : Pass($"{string.Join(", ", facts.Stores.Select(store => store.Name))} work; {rules}");
    }

    private static Finding Redirect(DoctorFacts facts)
    {
        var signing = facts.Stores.Where(store => store.Signs).Select(store => store.Name).ToList();
        var redirect = facts.Options.Storage.Redirect;
        if (signing.Count == 0) return NotConfigured("no store signs URLs, or its content is encrypted: every byte passes through Berth");
        if (!redirect.Enabled) return NotConfigured("storage.redirect is off: every byte passes through Berth");
        var who = redirect.Networks.Count == 0 ? "all clients" : $"clients of {string.Join(", ", redirect.Networks)}";
        if (redirect.ExceptNetworks.Count > 0) who += $" but those of {string.Join(", ", redirect.ExceptNetworks)}";
        return Pass($"{who} fetch blobs of {Size(redirect.MinBytes)} and more from {string.Join(", ", signing)}");
    }

    private static string Many(long count) => count >= DoctorCounts.MostCounted ? $"{count} or more" : $"{count}";

    private static Finding Unauthorized(DoctorFacts facts)
    {
        var reasons = new List<string>();
        if (facts.Counts.EndedRobots.Count > 0) reasons.Add($"robots that have ended: {string.Join(", ", facts.Counts.EndedRobots)}");
        if (facts.Counts.LockedNames.Count > 0) reasons.Add($"locked names: {string.Join(", ", facts.Counts.LockedNames)}");
        var tries = $"{facts.SignInsFailed} sign-ins failed and {facts.SignInsThrottled} were turned away since the start";
        return reasons.Count > 0 ? Fail($"{string.Join("; ", reasons)}; {tries}") : Pass($"no robot has ended lately, no name is locked; {tries}");
    }

    private static Finding StorageFull(DoctorFacts facts)
    {
        if (facts.FreeBytes == long.MaxValue) return Pass("the store has no limit that Berth knows");
        var min = facts.Options.Storage.MinFreeBytes;
        var where = facts.Counts.Largest.Count == 0 ? "" : $"; largest projects: {string.Join(", ", facts.Counts.Largest.Select(p => $"{p.Name} {Size(p.Bytes)}"))}";
        var text = $"{Size(facts.FreeBytes)} free, pushes are refused below {Size(min)}; unfinished uploads hold {Size(facts.Counts.UnfinishedBytes)}{where}";
        return facts.FreeBytes < min ? Fail("the storage is full: " + text) : facts.FreeBytes < 10 * min ? Fail("the storage is nearly full: " + text) : Pass(text);
    }

    private static Finding Scraped(DoctorFacts facts, string what) =>
        facts.MetricsReadAgo is not { } ago ? NotConfigured("nobody has read the metrics page since the start")
        : ago < s_scrapeLimit ? Pass($"{what} {ago.TotalSeconds:0} s ago") : Fail($"the metrics page was read last {ago.TotalMinutes:0} minutes ago");

    private static DoctorCheck Later(string id, DoctorArea area, string question, string what) =>
        new(id, area, question, what, "wait for the version that has it", _ => NotConfigured($"this version does not have it yet ({what})"));

    /// <summary>The finding of a line that only a client can see.</summary>
    public static Finding Unseen => NotConfigured(FromOutside);

    internal static string Size(long bytes) => bytes switch
    {
        >= 1L << 40 => $"{bytes / (double)(1L << 40):0.#} TiB",
        >= 1L << 30 => $"{bytes / (double)(1L << 30):0.#} GiB",
        >= 1L << 20 => $"{bytes / (double)(1L << 20):0.#} MiB",
        _ => $"{bytes} bytes",
    };

    private static bool IsLocal(string url) =>
        url.StartsWith("unix:", StringComparison.Ordinal) || (Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.IsLoopback);
}
