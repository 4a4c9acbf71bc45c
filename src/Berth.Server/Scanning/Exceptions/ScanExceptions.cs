using System.Text.Json;
using Berth.Oci;
using Berth.Scanner.Exceptions;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Projects;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning.Exceptions;

/// <summary>
/// Says for images which findings do not count now, why and until when. Reports are kept as they were found: exceptions are held against them when they are shown, counted or judged. What holds for a
/// repository is remembered until somebody changes an exception or a setting of a project.
/// </summary>
internal sealed class ScanExceptions
{
    /// <summary>Indexes that list an image and whose names and documents count for it.</summary>
    private const int MaxParents = 16;

    private readonly Database _database;
    private readonly AttachedDocuments _attached;
    private readonly TimeProvider _time;
    private readonly ILogger<ScanExceptions> _log;
    private readonly string? _host;
    private readonly RecentMap<long, ExceptionSources> _sources = new(1024);
    private readonly RecentMap<long, IExceptionSource> _documents = new(128);
    private long _version;

    public ScanExceptions(Database database, AttachedDocuments attached, HttpOptions http, TimeProvider time, ILogger<ScanExceptions> log)
    {
        (_database, _attached, _time, _log) = (database, attached, time, log);
        _host = Uri.TryCreate(http.PublicUrl, UriKind.Absolute, out var url) ? url.Authority : null;
        foreach (var topic in (string[])[Topics.Exceptions, Topics.Access]) database.Announcements.Subscribe(topic, _ => Interlocked.Increment(ref _version));
    }

    /// <summary>Rises with everything that may change what counts; what was judged under another version is judged again.</summary>
    public long Version => Interlocked.Read(ref _version);

    /// <summary>Whether what is remembered under a version is still true.</summary>
    public bool IsCurrent(long version) => version == Version && _database.Announcements.MayBelieve;

    /// <summary>What holds for an image; null when it is gone.</summary>
    /// <param name="manifestId">The image.</param>
    /// <param name="withUntrusted">Whether attached documents are read where they do not count, to be shown.</param>
    /// <param name="ct">Cancels.</param>
    public async ValueTask<ManifestExceptions?> OfManifestAsync(long manifestId, bool withUntrusted, CancellationToken ct)
    {
        var found = await _database.ReadAsync((this, manifestId, withUntrusted), static async ValueTask<(Facts Facts, ExceptionSources Sources, List<AttachedDocument> Attached)?> (session, q, token) =>
        {
            if (await ReadFactsAsync(session, q.manifestId, token).ConfigureAwait(false) is not { } facts) return null;
            var sources = await q.Item1.OfRepositoryAsync(session, facts.RepositoryId, token).ConfigureAwait(false);
            if (!sources.TrustsAttached && !q.withUntrusted) return (facts, sources, []);
            return (facts, sources, await AttachedDocuments.FindAsync(session, facts.RepositoryId, [facts.Digest, .. facts.Parents], token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        if (found is not var (facts, sources, candidates)) return null;
        var attached = await _attached.ReadAsync(candidates, ct).ConfigureAwait(false);
        return new ManifestExceptions(sources, attached, SubjectOf(facts));
    }

    /// <summary>What holds for an image but for documents attached to it, in a transaction of the caller; null when it is gone.</summary>
    public async ValueTask<ManifestExceptions?> OfManifestAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        if (await ReadFactsAsync(session, manifestId, ct).ConfigureAwait(false) is not { } facts) return null;
        return new ManifestExceptions(await OfRepositoryAsync(session, facts.RepositoryId, ct).ConfigureAwait(false), [], SubjectOf(facts));
    }

    /// <summary>What holds for the images of a repository.</summary>
    public async ValueTask<ExceptionSources> OfRepositoryAsync(DbSession session, long repositoryId, CancellationToken ct)
    {
        if (_sources.TryGet(repositoryId, out var known) && IsCurrent(known.Version)) return known;
        // Read before what it stands for: a change meanwhile makes the answer old, not wrong for ever.
        var version = Version;
        var settings = await ReadSettingsAsync(session, repositoryId, ct).ConfigureAwait(false);
        var sources = new List<HeldSource>();
        var documents = await ReadDocumentsAsync(session, repositoryId, ct).ConfigureAwait(false);
        // As in Harbor, a project has one of the two lists, and that of the installation until it says otherwise.
        var isOwn = settings.GetValueOrDefault(ProjectSettings.ReuseSystemAllowList) == "false";
        var text = isOwn ? settings.GetValueOrDefault(ProjectSettings.AllowList) : (await SystemAllowList.ReadAsync(session, ct).ConfigureAwait(false))?.Content;
        if (AllowListOf(text, isOwn ? "allow list of the project" : "allow list of the system") is { } list) sources.Add(list);
        foreach (var document in documents)
        {
            if (document.Kind != ExceptionKind.SystemAllowList && await DocumentAsync(session, document, ct).ConfigureAwait(false) is { } source)
            {
                sources.Add(new HeldSource(document.Origin, source, document.ExpiresAt, document.Note));
            }
        }
        var read = new ExceptionSources(version, sources, settings.GetValueOrDefault(ProjectSettings.TrustAttachedVex) == "true");
        _sources.Set(repositoryId, read);
        return read;
    }

    // The documents of a repository before those of its project, those before the ones of all.
    private static async ValueTask<List<Row>> ReadDocumentsAsync(DbSession session, long repositoryId, CancellationToken ct)
    {
        var found = new List<Row>();
        await using var rows = await session.Command(SelectDocuments, repositoryId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            var scope = rows.GetInt32(1) switch { 0 => "repository", 1 => "project", _ => "system" };
            found.Add(new Row(
                rows.GetInt64(0), (ExceptionKind)rows.GetInt32(2), $"{rows.GetString(3)} of the {scope}", rows.GetString(4),
                rows.IsDBNull(5) ? null : DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(5))));
        }
        return found;
    }

    private async ValueTask<IExceptionSource?> DocumentAsync(DbSession session, Row row, CancellationToken ct)
    {
        if (_documents.TryGet(row.Id, out var known)) return known;
        byte[]? content = null;
        await using (var rows = await session.Command(SelectContent, row.Id).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (await rows.ReadAsync(ct).ConfigureAwait(false)) content = rows.GetFieldValue<byte[]>(0);
        }
        if (content is null) return null;
        try
        {
            var source = ExceptionDocuments.Read(row.Kind, row.Origin, content);
            _documents.Set(row.Id, source);
            return source;
        }
        catch (FormatException e)
        {
            // A later version's document: what it excepts counts, until somebody looks.
            _log.DocumentUnreadable(e, row.Id, row.Origin);
            return null;
        }
    }

    private static HeldSource? AllowListOf(string? json, string origin)
    {
        if (json is null || JsonSerializer.Deserialize(json, ProjectJsonContext.Default.AllowListJson) is not { Items.Count: > 0 } list) return null;
        DateTimeOffset? end = list.ExpiresAt is { } seconds ? DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, 253_402_300_799)) : null;
        return new HeldSource(origin, new CveAllowList(origin, [.. list.Items.Select(static item => new AllowedFlaw(item.CveId))]), end, "on the allow list");
    }

    private static async ValueTask<Dictionary<string, string>> ReadSettingsAsync(DbSession session, long repositoryId, CancellationToken ct)
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var rows = await session.Command(
            SelectSettings, repositoryId, ProjectSettings.AllowList, ProjectSettings.ReuseSystemAllowList, ProjectSettings.TrustAttachedVex).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found[rows.GetString(0)] = rows.GetString(1);
        return found;
    }

    private static async ValueTask<Facts?> ReadFactsAsync(DbSession session, long manifestId, CancellationToken ct)
    {
        Facts facts;
        await using (var row = await session.Command(SelectManifest, manifestId).ExecuteReaderAsync(ct).ConfigureAwait(false))
        {
            if (!await row.ReadAsync(ct).ConfigureAwait(false)) return null;
            var config = ManifestReader.TryRead(row.GetFieldValue<byte[]>(4), row.GetString(3), out var document, out _) ? document.Config?.Digest.Value : null;
            facts = new Facts(row.GetInt64(0), row.GetString(1), row.GetString(2), config, []);
        }
        var parents = new List<string>();
        await using var rows = await session.Command(SelectParents, facts.RepositoryId, facts.Digest, MaxParents).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) parents.Add(rows.GetString(0));
        return facts with { Parents = parents };
    }

    private ExceptionSubject SubjectOf(Facts facts) => new(_time.GetUtcNow()) { ProductIds = ProductIdsOf(facts) };

    // The names by which a document may call the image: what is said of an index is said of its images.
    private List<string> ProductIdsOf(Facts facts)
    {
        var names = new List<string>();
        if (facts.ConfigDigest is { } id) names.Add(id);
        var last = Uri.EscapeDataString(facts.Repository[(facts.Repository.LastIndexOf('/') + 1)..]);
        foreach (var digest in facts.Parents.Prepend(facts.Digest))
        {
            names.Add(digest);
            foreach (var repository in _host is null ? [facts.Repository] : (string[])[facts.Repository, $"{_host}/{facts.Repository}"])
            {
                names.Add($"{repository}@{digest}");
                names.Add($"pkg:oci/{last}@{Uri.EscapeDataString(digest)}?repository_url={Uri.EscapeDataString(repository)}");
            }
        }
        return names;
    }

    private sealed record Facts(long RepositoryId, string Repository, string Digest, string? ConfigDigest, IReadOnlyList<string> Parents);

    private sealed record Row(long Id, ExceptionKind Kind, string Origin, string Note, DateTimeOffset? ExpiresAt);

    private static readonly Statement SelectSettings = new("""
        SELECT s.name, s.value FROM repositories r JOIN project_metadata s ON s.project_id = r.project_id WHERE r.id = @0 AND s.name IN (@1, @2, @3)
        """);

    private static readonly Statement SelectDocuments = new("""
        SELECT id, 0, kind, name, note, expires_at FROM scan_exceptions WHERE repository_id = @0
        UNION ALL SELECT e.id, 1, e.kind, e.name, e.note, e.expires_at FROM repositories r JOIN scan_exceptions e ON e.project_id = r.project_id WHERE r.id = @0
        UNION ALL SELECT id, 2, kind, name, note, expires_at FROM scan_exceptions WHERE repository_id IS NULL AND project_id IS NULL
        ORDER BY 2, 1
        """);

    private static readonly Statement SelectContent = new("SELECT content FROM scan_exceptions WHERE id = @0");

    private static readonly Statement SelectManifest = new("""
        SELECT r.id, r.name, m.digest, m.media_type, m.content FROM manifests m JOIN repositories r ON r.id = m.repository_id WHERE m.id = @0
        """);

    private static readonly Statement SelectParents = new("""
        SELECT m.digest FROM manifest_children c JOIN manifests m ON m.id = c.manifest_id WHERE c.repository_id = @0 AND c.child_digest = @1 ORDER BY m.id DESC LIMIT @2
        """);
}

internal static partial class ScanExceptionsLog
{
    [LoggerMessage(5530, LogLevel.Warning, "exceptions cannot be read: {Id}, {Name}; what they except counts")]
    public static partial void DocumentUnreadable(this ILogger log, Exception exception, long id, string name);
}
