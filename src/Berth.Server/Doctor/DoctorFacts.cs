using Berth.Blobs;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Settings;

namespace Berth.Server.Doctor;

/// <summary>What the server knows of itself at the moment of an examination.</summary>
internal sealed record DoctorFacts
{
    public required DoctorSettings Options { get; init; }

    public required SettingValues Settings { get; init; }

    public required HealthMonitor Health { get; init; }

    /// <summary>Bytes that the store can still take; <see cref="long.MaxValue"/> without a limit.</summary>
    public required long FreeBytes { get; init; }

    /// <summary>Each blob store of the settings.</summary>
    public required IReadOnlyList<DoctorStore> Stores { get; init; }

    /// <summary>How long ago the metrics page was read; null for never.</summary>
    public required TimeSpan? MetricsReadAgo { get; init; }

    /// <summary>Pulls of manifests since the start, and the time within which 99 of 100 were answered.</summary>
    public required (long Count, double P99Seconds) Pulls { get; init; }

    public required long SignInsFailed { get; init; }

    public required long SignInsThrottled { get; init; }

    /// <summary>Age of the advisory database; null when there is none.</summary>
    public required TimeSpan? AdvisoriesAge { get; init; }

    /// <summary>Age from which the advisory database is old.</summary>
    public required TimeSpan AdvisoriesMayBe { get; init; }

    public required DoctorCounts Counts { get; init; }
}

/// <summary>A blob store.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Error">Why it does not work; null when it does.</param>
/// <param name="Signs">Whether it gives URLs of new content.</param>
internal sealed record DoctorStore(string Name, string? Error, bool Signs)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>Tries a store.</summary>
    public static async Task<DoctorStore> ReadAsync(string name, IBlobStore store, TimeProvider time, CancellationToken ct)
    {
        using var limit = new CancellationTokenSource(s_patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            await store.ProbeAsync(both.Token).ConfigureAwait(false);
            var url = await store.SignReadAsync(store.PlaceOf("probe", Digest.Of([])), TimeSpan.FromMinutes(1), both.Token).ConfigureAwait(false);
            return new DoctorStore(name, null, url is not null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new DoctorStore(name, e.Message, false);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new DoctorStore(name, $"no answer within {s_patience.TotalSeconds:0} s", false);
        }
    }
}

/// <summary>What is counted in the database.</summary>
internal sealed record DoctorCounts
{
    /// <summary>Administrators who may sign in.</summary>
    public long Admins { get; init; }

    /// <summary>Members of projects who are no administrators.</summary>
    public long Members { get; init; }

    public long Projects { get; init; }

    /// <summary>Robots that work.</summary>
    public long Robots { get; init; }

    /// <summary>Working robots that never end.</summary>
    public long EndlessRobots { get; init; }

    /// <summary>Robots whose time ended within the last 30 days, by name.</summary>
    public IReadOnlyList<string> EndedRobots { get; init; } = [];

    /// <summary>Names that are locked after failed sign-ins.</summary>
    public IReadOnlyList<string> LockedNames { get; init; } = [];

    public long ImmutableRules { get; init; }

    public long AccessRules { get; init; }

    /// <summary>Projects whose naming policy warns or refuses.</summary>
    public long NamingPolicies { get; init; }

    /// <summary>Retention policies that are switched on.</summary>
    public long RetentionPolicies { get; init; }

    /// <summary>Those of them that run by themselves: on a schedule or after a push.</summary>
    public long RunningPolicies { get; init; }

    /// <summary>Those of them whose last run failed, by the number of the policy.</summary>
    public long FailedPolicies { get; init; }

    /// <summary>Tags that expire, <see cref="MostCounted"/> at most.</summary>
    public long ExpiringTags { get; init; }

    public long WebhookPolicies { get; init; }

    /// <summary>Bytes of uploads that nobody has finished.</summary>
    public long UnfinishedBytes { get; init; }

    /// <summary>The projects that use most, with their bytes.</summary>
    public IReadOnlyList<(string Name, long Bytes)> Largest { get; init; } = [];

    /// <summary>Webhook deliveries that were given up and are still listed.</summary>
    public long FailedDeliveries { get; init; }

    /// <summary>Projects with a quota.</summary>
    public long LimitedProjects { get; init; }

    /// <summary>Blobs in quarantine, <see cref="MostCounted"/> at most, as the next two.</summary>
    public long QuarantinedBlobs { get; init; }

    public long PlainBlobs { get; init; }

    public long EncryptedBlobs { get; init; }

    /// <summary>Names of the stores that have blobs.</summary>
    public IReadOnlyList<string> StoresWithBlobs { get; init; } = [];

    /// <summary>Where counting blobs ends.</summary>
    public const long MostCounted = 1000;

    private const int MostNames = 5;
    private static readonly TimeSpan s_recently = TimeSpan.FromDays(30);

    public static async ValueTask<DoctorCounts> ReadAsync(DbSession session, DateTimeOffset at, CancellationToken ct)
    {
        var now = at.ToUnixTimeMilliseconds();
        async ValueTask<long> CountAsync(Statement statement, params object?[] values) => await session.ScalarAsync(statement, values, ct).ConfigureAwait(false) ?? 0;
        return new DoctorCounts
        {
            Admins = await CountAsync(CountAdmins).ConfigureAwait(false),
            Members = await CountAsync(CountMembers).ConfigureAwait(false),
            Projects = await CountAsync(CountProjects).ConfigureAwait(false),
            LimitedProjects = await CountAsync(CountLimited).ConfigureAwait(false),
            Robots = await CountAsync(CountRobots, now).ConfigureAwait(false),
            EndlessRobots = await CountAsync(CountEndless).ConfigureAwait(false),
            EndedRobots = [.. (await NamesAsync(session, SelectEnded, [now, now - (long)s_recently.TotalMilliseconds, (long)MostNames], ct).ConfigureAwait(false)).Select(r => r.Name)],
            LockedNames = [.. (await NamesAsync(session, SelectLocked, [now, (long)MostNames], ct).ConfigureAwait(false)).Select(r => r.Name)],
            ImmutableRules = await CountAsync(CountImmutable).ConfigureAwait(false),
            AccessRules = await CountAsync(CountAccessRules).ConfigureAwait(false),
            NamingPolicies = await CountAsync(CountNaming).ConfigureAwait(false),
            RetentionPolicies = await CountAsync(CountRetention).ConfigureAwait(false),
            RunningPolicies = await CountAsync(CountRunning).ConfigureAwait(false),
            FailedPolicies = await CountAsync(CountFailedPolicies).ConfigureAwait(false),
            ExpiringTags = await CountAsync(CountExpiring, MostCounted).ConfigureAwait(false),
            WebhookPolicies = await CountAsync(CountWebhooks).ConfigureAwait(false),
            FailedDeliveries = await CountAsync(CountFailedDeliveries).ConfigureAwait(false),
            QuarantinedBlobs = await CountAsync(CountQuarantined, MostCounted).ConfigureAwait(false),
            PlainBlobs = await CountAsync(CountPlain, MostCounted).ConfigureAwait(false),
            EncryptedBlobs = await CountAsync(CountEncrypted, MostCounted).ConfigureAwait(false),
            StoresWithBlobs = [.. (await NamesAsync(session, SelectStores, [], ct).ConfigureAwait(false)).Select(r => r.Name)],
            UnfinishedBytes = await CountAsync(SumUploads).ConfigureAwait(false),
            Largest = await NamesAsync(session, SelectLargest, [(long)MostNames], ct).ConfigureAwait(false),
        };
    }

    private static async ValueTask<IReadOnlyList<(string Name, long Bytes)>> NamesAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct)
    {
        var found = new List<(string, long)>();
        await using var reader = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) found.Add((reader.GetString(0), reader.GetInt64(1)));
        return found;
    }

    private static readonly Statement CountAdmins = new("SELECT COUNT(*) FROM users WHERE is_admin AND NOT is_disabled");
    private static readonly Statement CountNaming = new("SELECT COUNT(*) FROM project_metadata WHERE name = 'naming_policy' AND (value LIKE '%\"mode\":\"warn\"%' OR value LIKE '%\"mode\":\"enforce\"%')");
    private static readonly Statement CountRetention = new("SELECT COUNT(*) FROM retention_policies WHERE NOT is_disabled");
    private static readonly Statement CountRunning = new("SELECT COUNT(*) FROM retention_policies WHERE NOT is_disabled AND (cron <> '' OR runs_on_push)");

    // 4: given up (JobState).
    private static readonly Statement CountFailedPolicies = new("""
        SELECT COUNT(*) FROM retention_policies p WHERE NOT p.is_disabled AND EXISTS (
            SELECT 1 FROM retention_runs r JOIN jobs j ON j.id = r.job_id AND j.state = 4 WHERE r.id = (SELECT MAX(n.id) FROM retention_runs n WHERE n.policy_id = p.id))
        """);

    private static readonly Statement CountExpiring = new("SELECT COUNT(*) FROM (SELECT 1 FROM tags WHERE expires_at IS NOT NULL LIMIT @0) AS expiring");
    private static readonly Statement CountMembers = new("SELECT COUNT(*) FROM project_members m WHERE NOT EXISTS (SELECT 1 FROM users u WHERE m.subject_kind = 1 AND u.id = m.subject_id AND u.is_admin)");
    private static readonly Statement CountProjects = new("SELECT COUNT(*) FROM projects");
    private static readonly Statement CountLimited = new("SELECT COUNT(*) FROM projects WHERE quota_bytes > 0");
    private static readonly Statement CountRobots = new("SELECT COUNT(*) FROM robots WHERE NOT is_disabled AND (expires_at IS NULL OR expires_at > @0)");
    private static readonly Statement CountEndless = new("SELECT COUNT(*) FROM robots WHERE NOT is_disabled AND expires_at IS NULL");
    private static readonly Statement SelectEnded = new("SELECT name, expires_at FROM robots WHERE NOT is_disabled AND expires_at <= @0 AND expires_at > @1 ORDER BY expires_at DESC LIMIT @2");
    private static readonly Statement SelectLocked = new("SELECT name, locked_until FROM sign_in_failures WHERE locked_until > @0 ORDER BY locked_until DESC LIMIT @1");
    private static readonly Statement CountImmutable = new("SELECT COUNT(*) FROM immutable_rules WHERE NOT is_disabled");
    private static readonly Statement CountAccessRules = new("SELECT COUNT(*) FROM access_rules");
    private static readonly Statement CountWebhooks = new("SELECT COUNT(*) FROM webhook_policies WHERE enabled");
    private static readonly Statement CountFailedDeliveries = new("SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE kind = 'webhook' AND state = 4 LIMIT 1000) given_up");
    private static readonly Statement CountQuarantined = new("SELECT COUNT(*) FROM (SELECT 1 FROM blobs WHERE quarantined_at IS NOT NULL LIMIT @0) counted");
    private static readonly Statement CountPlain = new("SELECT COUNT(*) FROM (SELECT 1 FROM blobs WHERE key IS NULL OR key NOT LIKE 'e1-%' LIMIT @0) counted");
    private static readonly Statement CountEncrypted = new("SELECT COUNT(*) FROM (SELECT 1 FROM blobs WHERE key LIKE 'e1-%' LIMIT @0) counted");
    private static readonly Statement SelectStores = new("SELECT store, COUNT(*) FROM blobs GROUP BY store");
    private static readonly Statement SumUploads = new("SELECT COALESCE(SUM(byte_offset), 0) FROM uploads");
    private static readonly Statement SelectLargest = new("SELECT name, used_bytes FROM projects WHERE used_bytes > 0 ORDER BY used_bytes DESC, name LIMIT @0");
}
