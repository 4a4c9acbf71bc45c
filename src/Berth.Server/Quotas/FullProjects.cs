using System.Collections.Concurrent;
using System.Globalization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;

namespace Berth.Server.Quotas;

/// <summary>
/// Says no to uploads for a project that is full already, before their bytes come. Only the commit of the manifest decides exactly; this spares the client
/// bytes that cannot lead to a manifest.
/// </summary>
internal sealed class FullProjects(Database database, RuntimeSettings settings, DomainEvents events, TimeProvider time)
{
    private const int MaxTold = 10_000;
    private static readonly TimeSpan TellAgainAfter = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<long, long> _told = new();

    /// <summary>Why nothing can be uploaded to a repository; null when something can.</summary>
    public async ValueTask<string?> WhyFullAsync(ProjectFacts? project, string repository, EventActor actor, CancellationToken ct)
    {
        if (project is not { QuotaBytes: >= 0 } || !await settings.ReadAsync(RuntimeSettingTable.QuotaPerProjectEnable, ct).ConfigureAwait(false)) return null;
        var (used, quota) = await database.ReadAsync(project.Id, static (s, id, t) => ReadAsync(s, id, t), ct).ConfigureAwait(false);
        if (quota < 0 || used < quota) return null;
        var now = time.GetTimestamp();
        if (_told.Count > MaxTold) _told.Clear();
        // One push asks for many uploads, and clients try again: one event a minute is enough.
        if (!_told.TryGetValue(project.Id, out var told) || time.GetElapsedTime(told, now) > TellAgainAfter)
        {
            _told[project.Id] = now;
            await events.RaiseAsync(QuotaEvents.Exceeded(project.Id, project.Name, repository, new UsageChange(false, used, quota, 0), actor), ct).ConfigureAwait(false);
        }
        return string.Create(CultureInfo.InvariantCulture, $"the quota of project {project.Name} is used up: {used} of {quota} bytes; delete artifacts, or ask an administrator for more");
    }

    private static async ValueTask<(long Used, long Quota)> ReadAsync(DbSession session, long id, CancellationToken ct)
    {
        await using var row = await session.Command(Select, id).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (row.GetInt64(0), row.GetInt64(1)) : (0, -1);
    }

    private static readonly Statement Select = new("SELECT used_bytes, quota_bytes FROM projects WHERE id = @0");
}
