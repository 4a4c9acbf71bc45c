using System.Text;
using System.Text.Json;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>Harbor's list of vulnerabilities that the installation accepts. It holds for projects that have no list of their own (<c>reuse_sys_cve_allowlist</c>, on until it is set to false).</summary>
internal sealed class SystemAllowList(Database database, DomainEvents events, TimeProvider time)
{
    private const string Path = "/system/CVEAllowlist";
    private const string Tag = "SystemCVEAllowlist";

    public static IEnumerable<ApiOperation> Operations(SystemAllowList api) =>
    [
        new(HttpMethods.Get, Path, "getSystemCVEAllowlist", Tag, ApiNeed.SignedIn, api.GetAsync) { Summary = "The vulnerabilities that the installation accepts.", Answer = typeof(AllowListJson) },
        new(HttpMethods.Put, Path, "putSystemCVEAllowlist", Tag, ApiNeed.Admin, api.PutAsync) { Summary = "Sets the vulnerabilities that the installation accepts, and until when.", Body = typeof(AllowListJson) },
    ];

    /// <summary>The list as it is kept, and when it was set; null when it never was.</summary>
    public static async ValueTask<(string Content, long SetAt)?> ReadAsync(DbSession session, CancellationToken ct)
    {
        await using var row = await session.Command(Select, (int)ExceptionKind.SystemAllowList).ExecuteReaderAsync(ct).ConfigureAwait(false);
        return await row.ReadAsync(ct).ConfigureAwait(false) ? (Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(0)), row.GetInt64(1)) : null;
    }

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct)
    {
        var found = await database.ReadAsync(0, static (session, _, token) => ReadAsync(session, token), ct).ConfigureAwait(false);
        var list = found is { } known ? JsonSerializer.Deserialize(known.Content, ProjectJsonContext.Default.AllowListJson)! : new AllowListJson();
        var at = ApiTime.Text(found?.SetAt ?? 0);
        return ApiResult.Ok(list with { Id = 1, ProjectId = 0, Items = list.Items ?? [], CreationTime = at, UpdateTime = at }, ProjectJsonContext.Default.AllowListJson);
    }

    private async Task<ApiResult> PutAsync(ApiCall call, CancellationToken ct)
    {
        var (isRead, body, refusal) = await call.ReadAsync(ProjectJsonContext.Default.AllowListJson, ct).ConfigureAwait(false);
        if (!isRead) return refusal!;
        var list = new AllowListJson { ExpiresAt = body.ExpiresAt, Items = body.Items ?? [] };
        if (ProjectRules.ProblemOf(list, 0) is { } problem) return ApiResult.BadRequest(problem);
        if (list.Items.GroupBy(static item => item.CveId, StringComparer.Ordinal).FirstOrDefault(static group => group.Count() > 1) is { } twice)
            return ApiResult.BadRequest($"{twice.Key} stands in the list twice");
        var content = JsonSerializer.SerializeToUtf8Bytes(list, ProjectJsonContext.Default.AllowListJson);
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            object?[] values = [(int)ExceptionKind.SystemAllowList, content, list.Items.Count, call.Actor.Name, time.GetUtcNow().ToUnixTimeMilliseconds()];
            if (await session.ExecuteAsync(Update, values, token).ConfigureAwait(false) == 0) await session.ExecuteAsync(Insert, values, token).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.Exceptions, "", token).ConfigureAwait(false);
            await events.RaiseAsync(session, new DomainEvent
            {
                Operation = "update",
                ResourceType = "cve-allowlist",
                Resource = "system",
                Actor = call.Actor,
                Description = $"the installation accepts {list.Items.Count} vulnerabilities"
                    + (list.ExpiresAt is { } end ? $" until {ApiTime.Text(Math.Clamp(end, 0, 253_402_300_799) * 1000)}" : ""),
            }, token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);
        return ApiResult.Done;
    }

    private static readonly Statement Select = new("SELECT content, created_at FROM scan_exceptions WHERE repository_id IS NULL AND project_id IS NULL AND kind = @0 ORDER BY id DESC LIMIT 1");

    // Two that set it for the first time at once leave two rows, of which the newer counts; the next one writes both.
    private static readonly Statement Update = new("""
        UPDATE scan_exceptions SET content = @1, entries = @2, created_by = @3, created_at = @4 WHERE repository_id IS NULL AND project_id IS NULL AND kind = @0
        """);

    private static readonly Statement Insert = new("""
        INSERT INTO scan_exceptions (kind, name, note, content, entries, created_by, created_at) VALUES (@0, 'CVE allow list', '', @1, @2, @3, @4)
        """);
}
