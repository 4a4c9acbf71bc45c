using System.Text.Json.Serialization;
using Berth.Server.Access;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Administration;

/// <summary>
/// Finds tags and digests: by the beginning of a digest, by a whole tag, or as <c>repository:tag</c> with a part of the one and the beginning of the other. Each of them is a range
/// of an index; a part of a tag over all repositories would be a walk through all tags, and is not offered.
/// </summary>
internal sealed class FindApi(Database database, ApiRights rights)
{
    /// <summary>Most answers.</summary>
    private const int MaxResults = 50;

    /// <summary>Most rows that are looked at: those of projects that the caller may not look into are passed over.</summary>
    private const int MaxSeen = 500;

    private const int MinDigits = 6;
    private const int MaxLength = 200;

    internal static IEnumerable<ApiOperation> Operations(FindApi api) =>
    [
        new(HttpMethods.Get, "/find", "findArtifacts", "search", ApiNeed.Anybody, api.FindAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(FoundArtifactsJson), Query = ["q"],
            Summary = $"Artifacts by the beginning of their digest (from {MinDigits} digits on), by a tag, or by repository:tag; at most {MaxResults}, of projects that the caller may look into.",
        },
    ];

    private async Task<ApiResult> FindAsync(ApiCall call, CancellationToken ct)
    {
        var text = call.Query("q").Trim();
        if (text.Length is 0 or > MaxLength || text.Contains('\0', StringComparison.Ordinal)) return Answer([]);
        var rows = new List<(long Project, FoundArtifactJson Artifact)>();
        foreach (var question in QuestionsOf(text))
            rows.AddRange(await database.ReadAsync(question, static (session, q, token) => ReadAsync(session, q.Statement, q.Values, token), ct).ConfigureAwait(false));
        var (visible, found) = (new Dictionary<long, bool>(), new List<FoundArtifactJson>());
        foreach (var (project, artifact) in rows)
        {
            if (!visible.TryGetValue(project, out var isVisible))
            {
                var facts = await rights.FindProjectAsync(project, ct).ConfigureAwait(false);
                visible.Add(project, isVisible = facts is not null && await call.MayAsync(facts, ProjectPermissions.ArtifactList, ct).ConfigureAwait(false));
            }
            if (isVisible) found.Add(artifact);
            if (found.Count == MaxResults) break;
        }
        return Answer(found);
    }

    private static IEnumerable<(Statement Statement, object?[] Values)> QuestionsOf(string text)
    {
        var isDigest = text.StartsWith("sha256:", StringComparison.OrdinalIgnoreCase);
        var hex = isDigest ? text["sha256:".Length..] : text;
        if (hex.Length is >= MinDigits and <= 64 && hex.All(char.IsAsciiHexDigit))
        {
            var from = "sha256:" + hex.ToLowerInvariant();
            yield return (SelectByDigest, [from, from + "g", (long)MaxSeen]);
        }
        if (isDigest) yield break;
        var colon = text.LastIndexOf(':');
        // The beginning of a commit id may be both.
        if (colon <= 0) yield return (SelectByTag, [text, (long)MaxSeen]);
        // Nothing sorts behind this in a tag: tags are ASCII.
        else yield return (SelectByBoth, [ListSql.Containing(text[..colon]), text[(colon + 1)..], text[(colon + 1)..] + "\u007f", (long)MaxSeen]);
    }

    private static async ValueTask<List<(long Project, FoundArtifactJson Artifact)>> ReadAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct)
    {
        var found = new List<(long, FoundArtifactJson)>();
        await using var rows = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add((rows.GetInt64(0), new FoundArtifactJson
            {
                Repository = rows.GetString(1),
                Digest = rows.GetString(2),
                Tag = rows.IsDBNull(3) ? null : rows.GetString(3),
                Size = rows.GetInt64(4),
                PushTime = ApiTime.Text(rows.GetInt64(5)),
            }));
        }
        return found;
    }

    private static ApiResult Answer(IReadOnlyList<FoundArtifactJson> items) => ApiResult.Ok(new FoundArtifactsJson { Items = items }, FindJson.Default.FoundArtifactsJson);

    private const string Columns = "r.project_id, r.name, m.digest, t.name, m.total_size, m.pushed_at";

    private static readonly Statement SelectByDigest = new("""
        SELECT r.project_id, r.name, m.digest, (SELECT MIN(t.name) FROM tags t WHERE t.manifest_id = m.id), m.total_size, m.pushed_at
        FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE m.digest >= @0 AND m.digest < @1 ORDER BY m.digest, r.name LIMIT @2
        """);

    // From the index of names inwards (CROSS JOIN holds SQLite to the order); manifests only of those that are answered.
    private static readonly Statement SelectByTag = new("""
        SELECT f.project_id, f.name, m.digest, @0, m.total_size, m.pushed_at FROM (
          SELECT r.project_id, r.name, r.updated_at, t.manifest_id FROM tags t CROSS JOIN repositories r WHERE t.name = @0 AND r.id = t.repository_id ORDER BY r.updated_at DESC LIMIT @1) f
        JOIN manifests m ON m.id = f.manifest_id ORDER BY f.updated_at DESC
        """, """
        SELECT f.project_id, f.name, m.digest, @0::text, m.total_size, m.pushed_at FROM (
          SELECT r.project_id, r.name, r.updated_at, t.manifest_id FROM tags t JOIN repositories r ON r.id = t.repository_id WHERE t.name = @0 ORDER BY r.updated_at DESC LIMIT @1) f
        JOIN manifests m ON m.id = f.manifest_id ORDER BY f.updated_at DESC
        """);

    private static readonly Statement SelectByBoth = new($"""
        SELECT {Columns} FROM repositories r JOIN tags t ON t.repository_id = r.id AND t.name >= @1 AND t.name < @2 JOIN manifests m ON m.id = t.manifest_id
        WHERE r.name LIKE @0 ESCAPE '!' ORDER BY r.name, t.name LIMIT @3
        """);
}

/// <summary>Artifacts that were found.</summary>
public sealed record FoundArtifactsJson
{
    public IReadOnlyList<FoundArtifactJson> Items { get; init; } = [];
}

/// <summary>An artifact that was found.</summary>
public sealed record FoundArtifactJson
{
    /// <summary>Full name.</summary>
    public string Repository { get; init; } = "";

    public string Digest { get; init; } = "";

    /// <summary>The tag that was found, or the first of those that it has; null without one.</summary>
    public string? Tag { get; init; }

    /// <summary>Bytes.</summary>
    public long Size { get; init; }

    public string PushTime { get; init; } = "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(FoundArtifactsJson))]
internal sealed partial class FindJson : JsonSerializerContext;
