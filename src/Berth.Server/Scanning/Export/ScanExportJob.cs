using System.Text;
using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Text;
using Berth.Server.Projects;
using Berth.Server.Scanning.Findings;

namespace Berth.Server.Scanning.Export;

/// <summary>What is exported; what is empty does not matter.</summary>
public sealed record ScanExportWork
{
    public long ProjectId { get; init; }

    /// <summary>Globs over repositories without the project, one of which must match.</summary>
    public IReadOnlyList<string>? Repositories { get; init; }

    /// <summary>Globs over tags.</summary>
    public IReadOnlyList<string>? Tags { get; init; }

    /// <summary>Ids of flaws.</summary>
    public IReadOnlyList<string>? Vulnerabilities { get; init; }

    /// <summary>Labels, one of which the artifact must have.</summary>
    public IReadOnlyList<long>? Labels { get; init; }
}

/// <summary>Writes the findings of a project's images into a CSV file, which is kept for a day. Cut off, it begins again.</summary>
internal sealed class ScanExportJob(Database database, TimeProvider time) : IJobHandler
{
    /// <summary>Kind of the jobs; Harbor's name in small letters.</summary>
    public const string JobKind = "scan_data_export";

    /// <summary>How long the file is kept.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    private const int Batch = 50;
    private const int PartChars = 1 << 20;
    private const long MaxChars = 1L << 30;

    public string Kind => JobKind;

    public int MaxConcurrent => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var work = run.ReadPayload(ScanExportJson.Default.ScanExportWork);
        await WriteAsync((session, token) => ScanExports.ClearAsync(session, run.Id, token), Durability.Relaxed, ct).ConfigureAwait(false);
        var (repositories, tags) = (GlobsOf(work.Repositories), GlobsOf(work.Tags));
        var flaws = work.Vulnerabilities is { Count: > 0 } ids ? ids.ToHashSet(StringComparer.OrdinalIgnoreCase) : null;
        var file = new FileText(run.Id, new StringBuilder(ScanExportCsv.Header));
        var (rows, images) = (0L, 0L);
        for (long after = 0; ;)
        {
            var batch = await database.ReadAsync((work, after), static (session, q, token) => ImagesAsync(session, q.work, q.after, token), ct).ConfigureAwait(false);
            foreach (var image in batch.Where(image => Matches(repositories, ProjectName.WithoutProject(image.Repository))))
            {
                if (tags.Count > 0 && !(await database.ReadAsync(image.Id, static (session, id, token) => TagsAsync(session, id, token), ct).ConfigureAwait(false)).Exists(tag => Matches(tags, tag))) continue;
                if (await database.ReadAsync(image.Id, static (session, id, token) => ScanRow.ReadReportAsync(session, id, token), ct).ConfigureAwait(false) is not { } packed) continue;
                rows += ScanExportCsv.Append(file.Text, image.Repository, image.Digest, StoredReport.Unpack(packed), id => flaws is null || flaws.Contains(id));
                images++;
                if (file.Text.Length >= PartChars) file = await FlushAsync(file, ct).ConfigureAwait(false);
                if (file.Written > MaxChars) return JobOutcome.Fail($"the file would have more than {MaxChars} characters: export less at a time");
            }
            if (batch.Count < Batch) break;
            after = batch[^1].Id;
            run.Report(null, $"{images} images, {rows} findings");
        }
        file = await FlushAsync(file, ct).ConfigureAwait(false);
        var expires = (time.GetUtcNow() + Kept).ToUnixTimeMilliseconds();
        await WriteAsync((session, token) => ScanExports.CompleteAsync(session, run.Id, file.Bytes, expires, token), Durability.Full, ct).ConfigureAwait(false);
        run.Log($"{images} images, {rows} findings");
        return JobOutcome.Done;
    }

    private async Task<FileText> FlushAsync(FileText file, CancellationToken ct)
    {
        var text = file.Text.ToString();
        var packed = ScanExports.Pack(text);
        await WriteAsync((session, token) => ScanExports.AppendAsync(session, file.Job, file.Part, packed, token), Durability.Relaxed, ct).ConfigureAwait(false);
        return file with { Text = new StringBuilder(), Part = file.Part + 1, Written = file.Written + text.Length, Bytes = file.Bytes + Encoding.UTF8.GetByteCount(text) };
    }

    private Task<bool> WriteAsync(Func<DbSession, CancellationToken, ValueTask> work, Durability durability, CancellationToken ct) => database.WriteAsync(durability, async (session, token) =>
    {
        await work(session, token).ConfigureAwait(false);
        return true;
    }, ct);

    private static List<Glob> GlobsOf(IReadOnlyList<string>? patterns) => [.. (patterns ?? []).Select(Glob.Parse)];

    private static bool Matches(List<Glob> globs, string name) => globs.Count == 0 || globs.Exists(glob => glob.IsMatch(name));

    private static async ValueTask<List<(long Id, string Repository, string Digest)>> ImagesAsync(DbSession session, ScanExportWork work, long after, CancellationToken ct)
    {
        var labels = work.Labels is { Count: > 0 } wanted ? JsonSerializer.Serialize(wanted, FindingRowJson.Default.IReadOnlyListInt64) : "";
        var found = new List<(long, string, string)>();
        await using var rows = await session.Command(SelectImages, work.ProjectId, after, labels, (long)Batch).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add((rows.GetInt64(0), rows.GetString(1), rows.GetString(2)));
        return found;
    }

    private static async ValueTask<List<string>> TagsAsync(DbSession session, long image, CancellationToken ct)
    {
        var found = new List<string>();
        await using var rows = await session.Command(SelectTags, image).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false)) found.Add(rows.GetString(0));
        return found;
    }

    private sealed record FileText(long Job, StringBuilder Text)
    {
        public int Part { get; init; }

        public long Written { get; init; }

        public long Bytes { get; init; }
    }

    private static readonly Statement SelectImages = new("""
        SELECT m.id, r.name, m.digest FROM repositories r JOIN manifests m ON m.repository_id = r.id JOIN artifact_scans s ON s.manifest_id = m.id AND s.reported_at IS NOT NULL
        WHERE r.project_id = @0 AND m.id > @1
            AND (@2 = '' OR EXISTS (SELECT 1 FROM manifest_labels l WHERE l.manifest_id = m.id AND l.label_id IN (SELECT value FROM json_each(CASE WHEN @2 = '' THEN '[]' ELSE @2 END))))
        ORDER BY m.id LIMIT @3
        """, """
        SELECT m.id, r.name, m.digest FROM repositories r JOIN manifests m ON m.repository_id = r.id JOIN artifact_scans s ON s.manifest_id = m.id AND s.reported_at IS NOT NULL
        WHERE r.project_id = @0 AND m.id > @1
            AND (@2 = '' OR EXISTS (SELECT 1 FROM manifest_labels l WHERE l.manifest_id = m.id
                AND l.label_id = ANY(ARRAY(SELECT jsonb_array_elements_text((CASE WHEN @2 = '' THEN '[]' ELSE @2 END)::jsonb)::bigint))))
        ORDER BY m.id LIMIT @3
        """);

    // Its own tags, and those of indexes that name it.
    private static readonly Statement SelectTags = new("""
        SELECT t.name FROM tags t WHERE t.manifest_id = @0
        UNION SELECT t.name FROM manifests m JOIN manifest_children l ON l.repository_id = m.repository_id AND l.child_digest = m.digest JOIN tags t ON t.manifest_id = l.manifest_id WHERE m.id = @0
        """);
}
