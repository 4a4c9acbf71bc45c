using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Scanner.Advisories;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Berth.Server.Scanning.Findings;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning;

/// <summary>
/// Which images have a flaw, or a version of a package: of all projects that the caller may look into. 1. rows of an index, a batch at a time, 2. those that the caller may see, 3. their tags.
/// </summary>
internal sealed class ImageSearchApi(Database database, ApiRights rights)
{
    private const int Batch = 500;

    /// <summary>Most rows that are looked at for one page: those that the caller may not see are passed over.</summary>
    private const int MaxSeen = 20_000;

    /// <summary>Most rows of a table.</summary>
    private const int MaxRows = 10_000;

    private const int MaxLength = 512;
    private const int MaxNames = 30;
    private const int MaxTags = 3;

    public static IEnumerable<ApiOperation> Operations(ImageSearchApi api) =>
    [
        new(HttpMethods.Get, "/images/affected", "findAffectedImages", "search", ApiNeed.Anybody, api.FindAsync)
        {
            Surface = ApiSurface.Berth,
            Answer = typeof(ImageUsesJson),
            Query = ["vulnerability", "package", "version", "after", "page_size", "format"],
            Summary = "Images with a flaw (vulnerability) or with a package (package, version), of projects that the caller may look into; format=csv gives all as a table.",
        },
        new(HttpMethods.Get, "/packages", "findPackageNames", "search", ApiNeed.Anybody, api.NamesAsync)
        {
            Surface = ApiSurface.Berth, Answer = typeof(string), IsList = true, Query = ["name"], Summary = "Names of packages that begin with a text, in images that the caller may look into.",
        },
    ];

    private async Task<ApiResult> FindAsync(ApiCall call, CancellationToken ct)
    {
        var (flaw, package, isTable) = (call.Query("vulnerability").Trim(), call.Query("package").Trim(), call.Query("format") == "csv");
        if (flaw.Length + package.Length == 0 || flaw.Length > MaxLength || package.Length > MaxLength || (flaw + package).Contains('\0', StringComparison.Ordinal))
            return ApiResult.BadRequest($"give either vulnerability or package, with up to {MaxLength} characters");
        if (!call.TryReadPage(out var page, out var refusal, 50)) return refusal!;
        var projects = call.IsAdmin ? null : (await VisibleProjects.ReadAsync(database, call, ct).ConfigureAwait(false)).ConvertAll(static project => project.Id);
        var question = new Question(flaw, package, call.Query("version").Trim(), projects);
        var (found, next) = await PageAsync(call, question, call.Query("after"), isTable ? MaxRows : page.Size, ct).ConfigureAwait(false);
        if (isTable) return FindingsExport.FileOf(FindingsTable.Write(s_head, found.Select(Row)), "affected-images.csv");
        var tags = await database.ReadAsync(found, static (session, uses, token) => TagsAsync(session, uses, token), ct).ConfigureAwait(false);
        return ApiResult.Ok(new ImageUsesJson { Items = [.. found.Select(use => use with { Tags = [.. tags[use.ManifestId]] })], Next = next }, ImageSearchJson.Default.ImageUsesJson);
    }

    private async Task<(List<ImageUseJson> Found, string? Next)> PageAsync(ApiCall call, Question question, string after, int size, CancellationToken ct)
    {
        var (found, seen, visible) = (new List<ImageUseJson>(), 0, new VisibleImages(rights, call.Caller));
        while (seen < MaxSeen)
        {
            // 1.
            var batch = await database.ReadAsync((question, after), static (session, q, token) => ReadAsync(session, q.question, q.after, token), ct).ConfigureAwait(false);
            foreach (var (use, key) in batch)
            {
                // 2.
                if (!await visible.MayAsync(use.ProjectId, use.Repository, ct).ConfigureAwait(false)) continue;
                if (found.Count == size) return (found, after);
                found.Add(use);
                after = key;
            }
            if (batch.Count < Batch) return (found, null);
            (after, seen) = (batch[^1].Key, seen + batch.Count);
        }
        return (found, after);
    }

    private static ValueTask<List<(ImageUseJson Use, string Key)>> ReadAsync(DbSession session, Question question, string after, CancellationToken ct) =>
        question.Flaw.Length > 0 ? FlawsAsync(session, question, after, ct) : PackagesAsync(session, question, after, ct);

    private static async ValueTask<List<(ImageUseJson Use, string Key)>> FlawsAsync(DbSession session, Question question, string after, CancellationToken ct)
    {
        var filter = new FindingFilter { Vulnerability = question.Flaw, Projects = question.Projects, Package = question.Package.Length > 0 ? question.Package : null };
        if (after.Split('.') is [var severity, var id] && int.TryParse(severity, NumberStyles.None, CultureInfo.InvariantCulture, out var rank) && long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var last))
            filter = filter with { After = (rank, last) };
        var rows = await FindingsQuery.ReadAsync(session, filter, Batch, 0, ct).ConfigureAwait(false);
        return rows.ConvertAll(static row => (new ImageUseJson
        {
            ManifestId = row.ManifestId,
            ProjectId = row.ProjectId,
            Repository = row.Repository,
            Digest = row.Digest,
            Package = row.Package,
            Version = row.Version,
            FixedVersion = row.FixedVersion ?? "",
            Severity = StoredReport.WordOf(row.Severity),
            Status = row.Status.Word(),
            FirstSeen = ApiTime.Text(row.FirstSeen),
        }, string.Create(CultureInfo.InvariantCulture, $"{row.Severity}.{row.Id}")));
    }

    private static async ValueTask<List<(ImageUseJson Use, string Key)>> PackagesAsync(DbSession session, Question question, string after, CancellationToken ct)
    {
        _ = long.TryParse(after.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var manifest);
        var version = after.Contains('.', StringComparison.Ordinal) ? after[(after.IndexOf('.', StringComparison.Ordinal) + 1)..] : "";
        var found = new List<(ImageUseJson, string)>();
        await using var rows = await session.Command(SelectPackages, question.Package, question.Package.ToLowerInvariant(), question.Version, manifest, version, (long)Batch).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add((new ImageUseJson
            {
                ManifestId = rows.GetInt64(0),
                ProjectId = rows.GetInt64(1),
                Repository = rows.GetString(2),
                Digest = rows.GetString(3),
                Package = rows.GetString(4),
                Version = rows.GetString(5),
            }, string.Create(CultureInfo.InvariantCulture, $"{rows.GetInt64(0)}.{rows.GetString(5)}")));
        }
        return found;
    }

    private async Task<ApiResult> NamesAsync(ApiCall call, CancellationToken ct)
    {
        var name = call.Query("name").Trim();
        if (name.Length is 0 or > MaxLength || name.Contains('\0', StringComparison.Ordinal)) return ApiResult.List(new List<string>(), 0, ImageSearchJson.Default.ListString);
        // Of administrators each name once; of others with the repositories, of which some may be closed to them.
        var projects = call.IsAdmin ? null : (await VisibleProjects.ReadAsync(database, call, ct).ConfigureAwait(false)).ConvertAll(static project => project.Id);
        var rows = await database.ReadAsync((name, projects), static (session, q, token) => ReadNamesAsync(session, q.name, q.projects, token), ct).ConfigureAwait(false);
        var (found, visible) = (new List<string>(), new VisibleImages(rights, call.Caller));
        foreach (var row in rows)
        {
            if (found.Count == MaxNames) break;
            if ((found.Count == 0 || found[^1] != row.Name) && (projects is null || await visible.MayAsync(row.ProjectId, row.Repository, ct).ConfigureAwait(false))) found.Add(row.Name);
        }
        return ApiResult.List(found, found.Count, ImageSearchJson.Default.ListString);
    }

    private static async ValueTask<List<(string Name, long ProjectId, string Repository)>> ReadNamesAsync(DbSession session, string name, List<long>? projects, CancellationToken ct)
    {
        var found = new List<(string, long, string)>();
        // Nothing sorts behind this character.
        var command = projects is null ? session.Command(SelectNames, name, name + "\U0010FFFF", (long)MaxNames)
            : session.Command(SelectNamesOf, name, name + "\U0010FFFF", JsonSerializer.Serialize(projects, ImageSearchJson.Default.ListInt64), (long)MaxSeen);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(projects is null ? (rows.GetString(0), 0, "") : (rows.GetString(0), rows.GetInt64(1), rows.GetString(2)));
        return found;
    }

    private static async ValueTask<ILookup<long, string>> TagsAsync(DbSession session, List<ImageUseJson> uses, CancellationToken ct)
    {
        var found = new List<(long Manifest, string Tag)>();
        await using var rows = await session.Command(SelectTags, JsonSerializer.Serialize([.. uses.Select(static use => use.ManifestId).Distinct()], ImageSearchJson.Default.ListInt64)).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetString(1)));
        return found.GroupBy(static one => one.Manifest).SelectMany(static all => all.DistinctBy(static one => one.Tag).Take(MaxTags)).ToLookup(static one => one.Manifest, static one => one.Tag);
    }

    private static readonly string[] s_head = ["Repository", "Digest", "Package", "Version", "Fixed in", "Severity", "Status", "First seen"];

    private static IReadOnlyList<string> Row(ImageUseJson use) => [use.Repository, use.Digest, use.Package, use.Version, use.FixedVersion, use.Severity, use.Status, use.FirstSeen];

    private sealed record Question(string Flaw, string Package, string Version, IReadOnlyList<long>? Projects);

    // A package stands in the index under each name that advisories have for it: an image with a version is one row here.
    private static readonly Statement SelectPackages = new("""
        SELECT DISTINCT a.manifest_id, r.project_id, r.name, m.digest, p.name, a.version FROM packages p JOIN artifact_packages a ON a.package_id = p.id
        JOIN manifests m ON m.id = a.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE p.name IN (@0, @1) AND (@2 = '' OR a.version = @2) AND (a.manifest_id > @3 OR (a.manifest_id = @3 AND a.version > @4)) ORDER BY a.manifest_id, a.version LIMIT @5
        """);

    private static readonly Statement SelectNames = new("""
        SELECT DISTINCT p.name FROM packages p WHERE p.name >= @0 AND p.name < @1 AND EXISTS (SELECT 1 FROM artifact_packages a WHERE a.package_id = p.id) ORDER BY p.name LIMIT @2
        """);

    private const string NamesOf = """
        SELECT DISTINCT p.name, r.project_id, r.name FROM packages p JOIN artifact_packages a ON a.package_id = p.id JOIN manifests m ON m.id = a.manifest_id JOIN repositories r ON r.id = m.repository_id
        WHERE p.name >= @0 AND p.name < @1 AND r.project_id
        """;

    private static readonly Statement SelectNamesOf = new(
        NamesOf + " IN (SELECT value FROM json_each(@2)) ORDER BY 1 LIMIT @3", NamesOf + " = ANY(ARRAY(SELECT jsonb_array_elements_text(@2::jsonb)::bigint)) ORDER BY 1 LIMIT @3");

    // Tags of the image, and of indexes that list it.
    private static readonly Statement SelectTags = new("""
        SELECT t.manifest_id, t.name FROM json_each(@0) x JOIN tags t ON t.manifest_id = x.value
        UNION ALL SELECT m.id, t.name FROM json_each(@0) x JOIN manifests m ON m.id = x.value
        JOIN manifest_children l ON l.repository_id = m.repository_id AND l.child_digest = m.digest JOIN tags t ON t.manifest_id = l.manifest_id ORDER BY 1, 2
        """, """
        SELECT t.manifest_id, t.name FROM tags t WHERE t.manifest_id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint))
        UNION ALL SELECT m.id, t.name FROM manifests m JOIN manifest_children l ON l.repository_id = m.repository_id AND l.child_digest = m.digest
        JOIN tags t ON t.manifest_id = l.manifest_id WHERE m.id = ANY(ARRAY(SELECT jsonb_array_elements_text(@0::jsonb)::bigint)) ORDER BY 1, 2
        """);
}

/// <summary>Images with a flaw or a package.</summary>
public sealed record ImageUsesJson
{
    public IReadOnlyList<ImageUseJson> Items { get; init; } = [];

    /// <summary>Give it as <c>after</c> for the next page; null on the last. A page may be shorter than was asked for.</summary>
    public string? Next { get; init; }
}

/// <summary>An image with a flaw or a package.</summary>
public sealed record ImageUseJson
{
    [JsonIgnore]
    public long ManifestId { get; init; }

    public long ProjectId { get; init; }

    /// <summary>Full name.</summary>
    public string Repository { get; init; } = "";

    public string Digest { get; init; } = "";

    /// <summary>The first of its tags, and of those of indexes that list it.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    public string Package { get; init; } = "";

    public string Version { get; init; } = "";

    /// <summary>Versions that repair it; empty when there is none, and for packages.</summary>
    public string FixedVersion { get; init; } = "";

    /// <summary>Harbor's word; empty for packages.</summary>
    public string Severity { get; init; } = "";

    /// <summary>What the vendor says; empty for packages.</summary>
    public string Status { get; init; } = "";

    /// <summary>When a report of the image had it first (RFC 3339); empty for packages.</summary>
    public string FirstSeen { get; init; } = "";
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ImageUsesJson))]
[JsonSerializable(typeof(List<string>))]
[JsonSerializable(typeof(List<long>))]
internal sealed partial class ImageSearchJson : JsonSerializerContext;
