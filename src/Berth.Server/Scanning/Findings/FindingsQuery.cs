using System.Globalization;
using System.Text;
using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Findings;

/// <summary>Which findings are wanted; what is null does not matter.</summary>
internal sealed record FindingFilter
{
    /// <summary>Projects whose images count; null for all. Empty gives nothing.</summary>
    public IReadOnlyList<long>? Projects { get; init; }

    /// <summary>Images by their rows; of an index those of <see cref="ScanRequests.ImagesOfAsync"/>.</summary>
    public IReadOnlyList<long>? Manifests { get; init; }

    public long? RepositoryId { get; init; }

    /// <summary>Full name of a repository.</summary>
    public string? Repository { get; init; }

    /// <summary>Digest of an image.</summary>
    public string? Digest { get; init; }

    /// <summary>Tag of an image, or of an image's index.</summary>
    public string? Tag { get; init; }

    /// <summary>Id of a flaw.</summary>
    public string? Vulnerability { get; init; }

    /// <summary>Name of a package.</summary>
    public string? Package { get; init; }

    /// <summary>Ranks (<see cref="StoredReport.Rank"/>), one of which it must have.</summary>
    public IReadOnlyList<int>? Severities { get; init; }

    public FixStatus? Status { get; init; }

    /// <summary>CVSS score at least.</summary>
    public double? MinScore { get; init; }

    /// <summary>CVSS score at most.</summary>
    public double? MaxScore { get; init; }

    /// <summary>Whether there is a repair.</summary>
    public bool? Fixable { get; init; }

    /// <summary>The last finding of the page before (<see cref="StoredFinding.Key"/>).</summary>
    public (int Severity, long Id)? After { get; init; }
}

/// <summary>A finding with the image that has it.</summary>
internal sealed record StoredFinding
{
    public long Id { get; init; }

    public long ManifestId { get; init; }

    public long ProjectId { get; init; }

    /// <summary>Full name.</summary>
    public required string Repository { get; init; }

    public required string Digest { get; init; }

    public required string Vulnerability { get; init; }

    public IReadOnlyList<string> Aliases { get; init; } = [];

    public required string Package { get; init; }

    public required string Version { get; init; }

    public string? FixedVersion { get; init; }

    /// <summary>5 critical … 1 unknown.</summary>
    public int Severity { get; init; }

    public FixStatus Status { get; init; }

    public double? Score { get; init; }

    public string? Path { get; init; }

    public string? Layer { get; init; }

    public bool? FromBase { get; init; }

    /// <summary>Unix milliseconds.</summary>
    public long FirstSeen { get; init; }

    /// <summary>Where the next page begins behind it.</summary>
    public (int Severity, long Id) Key => (Severity, Id);
}

/// <summary>Reads findings of images, repositories, projects or the installation: the worst first, a page by key or by number. Exceptions are for the caller to apply.</summary>
internal static class FindingsQuery
{
    private const string From = "FROM artifact_findings f JOIN manifests m ON m.id = f.manifest_id JOIN repositories r ON r.id = m.repository_id";

    /// <summary>Most findings of one read.</summary>
    public const int MaxLimit = 10_000;

    /// <summary>A page.</summary>
    /// <param name="session">The database.</param>
    /// <param name="filter">Which.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="offset">Passes over so many, for pages by number.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<List<StoredFinding>> ReadAsync(DbSession session, FindingFilter filter, int limit, long offset, CancellationToken ct)
    {
        var values = new List<object?>();
        var where = Where(session.Kind, filter, values);
        var sql = string.Create(CultureInfo.InvariantCulture, $"""
            SELECT f.id, f.manifest_id, r.project_id, r.name, m.digest, f.vulnerability, f.aliases, f.package, f.version, f.fixed_version, f.severity, f.status, f.score, f.path, f.layer, f.from_base,
                f.first_seen {From} {where} ORDER BY f.severity DESC, f.id DESC LIMIT {Math.Min(limit, MaxLimit)} OFFSET {offset}
            """);
        await using var command = session.OneTimeCommand(sql, values);
        await using var rows = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        var found = new List<StoredFinding>();
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            string? Text(int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
            found.Add(new StoredFinding
            {
                Id = rows.GetInt64(0),
                ManifestId = rows.GetInt64(1),
                ProjectId = rows.GetInt64(2),
                Repository = rows.GetString(3),
                Digest = rows.GetString(4),
                Vulnerability = rows.GetString(5),
                Aliases = Text(6)?.Split(' ') ?? [],
                Package = rows.GetString(7),
                Version = rows.GetString(8),
                FixedVersion = Text(9),
                Severity = rows.GetInt16(10),
                Status = (FixStatus)rows.GetInt16(11),
                Score = rows.IsDBNull(12) ? null : rows.GetDouble(12),
                Path = Text(13),
                Layer = Text(14),
                FromBase = rows.IsDBNull(15) ? null : rows.GetBoolean(15),
                FirstSeen = rows.GetInt64(16),
            });
        }
        return found;
    }

    /// <summary>How many there are.</summary>
    /// <param name="session">The database.</param>
    /// <param name="filter">Which.</param>
    /// <param name="most">Counting ends there; null counts all.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<long> CountAsync(DbSession session, FindingFilter filter, int? most, CancellationToken ct)
    {
        var values = new List<object?>();
        var where = Where(session.Kind, filter, values);
        var sql = most is { } limit ? string.Create(CultureInfo.InvariantCulture, $"SELECT COUNT(*) FROM (SELECT 1 {From} {where} LIMIT {limit}) x") : $"SELECT COUNT(*) {From} {where}";
        await using var command = session.OneTimeCommand(sql, values);
        return Convert.ToInt64(await command.ExecuteScalarAsync(ct).ConfigureAwait(false), CultureInfo.InvariantCulture);
    }

    private static string Where(DatabaseKind kind, FindingFilter filter, List<object?> values)
    {
        var text = new StringBuilder("WHERE 1 = 1");
        string Value(object value)
        {
            values.Add(value);
            return string.Create(CultureInfo.InvariantCulture, $"@{values.Count - 1}");
        }
        string In(IReadOnlyList<long> ids) => kind == DatabaseKind.Sqlite
            ? $"IN (SELECT value FROM json_each({Value(JsonSerializer.Serialize(ids, FindingRowJson.Default.IReadOnlyListInt64))}))"
            : $"= ANY({Value(ids.ToArray())})";
        void And(string condition) => text.Append(" AND ").Append(condition);
        if (filter.Projects is { } projects) And($"r.project_id {In(projects)}");
        if (filter.Manifests is { } manifests) And($"f.manifest_id {In(manifests)}");
        if (filter.RepositoryId is { } repository) And($"m.repository_id = {Value(repository)}");
        if (filter.Repository is { } name) And($"r.name = {Value(name)}");
        if (filter.Digest is { } digest) And($"m.digest = {Value(digest)}");
        if (filter.Tag is { } tag) And(TagCondition(Value(tag)));
        if (filter.Vulnerability is { } id) And($"f.vulnerability = {Value(id)}");
        if (filter.Package is { } package) And($"f.package = {Value(package)}");
        // Numbers of our own.
        if (filter.Severities is { } severities) And(severities.Count == 0 ? "1 = 0" : $"f.severity IN ({string.Join(", ", severities.Select(static s => s.ToString(CultureInfo.InvariantCulture)))})");
        if (filter.Status is { } status) And($"f.status = {(int)status}");
        if (filter.MinScore is { } min) And($"f.score >= {Value(min)}");
        if (filter.MaxScore is { } max) And($"f.score <= {Value(max)}");
        if (filter.Fixable is { } fixable) And(fixable ? "f.fixed_version IS NOT NULL" : "f.fixed_version IS NULL");
        if (filter.After is { } after) And($"(f.severity < {Value(after.Severity)} OR (f.severity = {Value(after.Severity)} AND f.id < {Value(after.Id)}))");
        return text.ToString();
    }

    // The image itself, or an index that names it.
    private static string TagCondition(string value) => $"""
        (EXISTS (SELECT 1 FROM tags t WHERE t.manifest_id = m.id AND t.name = {value})
            OR EXISTS (SELECT 1 FROM manifest_children l JOIN tags t ON t.manifest_id = l.manifest_id AND t.name = {value} WHERE l.repository_id = m.repository_id AND l.child_digest = m.digest))
        """;
}
