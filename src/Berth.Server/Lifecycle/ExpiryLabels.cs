using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Oci;
using Berth.Server.Artifacts;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Text;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Lifecycle;

/// <summary>A push whose image is to be looked at.</summary>
public sealed record ExpiryLabelWork
{
    public string Repository { get; init; } = "";

    public string Tag { get; init; } = "";

    public string Digest { get; init; } = "";

    /// <summary>Time of the push, Unix milliseconds.</summary>
    public long At { get; init; }
}

/// <summary>
/// Adds a job that looks at the configuration of an image, where the project of a push asks for that. Whether any project asks is remembered, and forgotten when a setting changes: elsewhere a
/// push costs nothing.
/// </summary>
internal sealed class ExpiryLabelReview : IRegistryEventWriter
{
    private readonly JobQueue _queue;
    private readonly TimeProvider _time;
    private volatile bool _mayWant = true;

    public ExpiryLabelReview(Database database, JobQueue queue, TimeProvider time)
    {
        (_queue, _time) = (queue, time);
        database.Announcements.Subscribe(Topics.Access, _ => _mayWant = true);
    }

    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => action == RegistryEventAction.Push && _mayWant;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        // First, also for what is not looked at: it finds out whether any project asks. Set before the question: an announcement that comes in between is not lost.
        _mayWant = false;
        if (await session.ScalarAsync(SelectAny, [], ct).ConfigureAwait(false) is null) return;
        _mayWant = true;
        if (registryEvent is not { IsBlob: false, Action: RegistryEventAction.Push, Tag: { } tag, Digest: { } digest } || MediaTypes.IsIndex(registryEvent.MediaType)) return;
        if (await session.ScalarAsync(SelectProject, [ProjectName.Of(registryEvent.Repository)], ct).ConfigureAwait(false) is not { } project) return;
        var work = new ExpiryLabelWork { Repository = registryEvent.Repository, Tag = tag, Digest = digest, At = _time.GetUtcNow().ToUnixTimeMilliseconds() };
        await _queue.EnqueueAsync(session, NewJob.Of(ExpiryLabelJob.JobKind, work, LifecycleJson.Default.ExpiryLabelWork) with { ProjectId = project, Trigger = JobTrigger.Event }, ct).ConfigureAwait(false);
    }

    private static readonly Statement SelectAny = new($"SELECT 1 FROM project_metadata WHERE name = '{ExpiryApi.LabelSetting}' AND value = 'true' LIMIT 1");
    private static readonly Statement SelectProject = new($"SELECT p.id FROM projects p JOIN project_metadata m ON m.project_id = p.id AND m.name = '{ExpiryApi.LabelSetting}' AND m.value = 'true' WHERE p.name = @0");
}

/// <summary>Reads the label <c>quay.expires-after</c> of a pushed image and sets the end of the tag that was pushed, unless its annotations did, or somebody else meanwhile.</summary>
internal sealed class ExpiryLabelJob(Database database, ArtifactDetails details, DomainEvents events) : IJobHandler
{
    /// <summary>Kind of the job.</summary>
    public const string JobKind = "expiry_labels";

    public string Kind => JobKind;

    public int MaxConcurrent => 2;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        var work = run.ReadPayload(LifecycleJson.Default.ExpiryLabelWork);
        var (row, content) = await database.ReadAsync(work, static async (session, w, token) =>
        {
            var (_, found) = await ArtifactRows.FindAsync(session, w.Repository, w.Digest, token).ConfigureAwait(false);
            return (found, found is null ? null : await ArtifactRows.ReadContentAsync(session, found.Id, token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        if (row is null || content is not { } stored || !ManifestReader.TryRead(stored.Content, stored.MediaType, out var document, out _)) return JobOutcome.Done;
        using var config = await details.ReadConfigAsync(document, ct).ConfigureAwait(false);
        if (config is null || LabelOf(config.RootElement) is not { } label) return JobOutcome.Done;
        if (TagExpiry.EndOf(label, DateTimeOffset.FromUnixTimeMilliseconds(work.At)) is not { } end)
        {
            run.Log($"{work.Repository}:{work.Tag}: the label {TagExpiry.QuayLabel} says {label}, which is no duration such as 12h, 2d or 3w");
            return JobOutcome.Done;
        }
        var set = await database.WriteAsync(Durability.Full, (session, token) => SetAsync(session, row, work, end, token), ct).ConfigureAwait(false);
        run.Log(set ? $"{work.Repository}:{work.Tag} expires at {UtcText.Of(end)}" : $"{work.Repository}:{work.Tag} does not expire: something keeps it, or it was changed meanwhile");
        return JobOutcome.Done;
    }

    private async Task<bool> SetAsync(DbSession session, ArtifactRow row, ExpiryLabelWork work, long end, CancellationToken ct)
    {
        await Rows.LockRepositoryAsync(session, row.RepositoryId, ct).ConfigureAwait(false);
        if (await ExpiryApi.FindAsync(session, work.Repository, work.Tag, ct).ConfigureAwait(false) is not { ExpiresAt: null } tag || tag.ManifestId != row.Id || ArtifactKinds.IsHelperTag(work.Tag)) return false;
        if (await TagExpiry.KeptByAsync(session, row.ProjectId, row.Repository, row.Id, work.Tag, tag.Locks, ct).ConfigureAwait(false) is not null) return false;
        await session.ExecuteAsync(Update, [row.RepositoryId, work.Tag, end], ct).ConfigureAwait(false);
        var detail = new TagExpiryDetail(row.Repository, work.Tag, row.Digest, end);
        await events.RaiseAsync(session, LifecycleEvents.OfExpiry("update", row.ProjectId, detail, $"{row.Repository}:{work.Tag} expires at {UtcText.Of(end)}, by the label {TagExpiry.QuayLabel}"), ct).ConfigureAwait(false);
        return true;
    }

    // OCI image spec, config.md: config.Labels.
    private static string? LabelOf(JsonElement image) =>
        image.TryGetProperty("config", out var config) && config.ValueKind == JsonValueKind.Object && config.TryGetProperty("Labels", out var labels) && labels.ValueKind == JsonValueKind.Object
        && labels.TryGetProperty(TagExpiry.QuayLabel, out var label) && label.ValueKind == JsonValueKind.String ? label.GetString() : null;

    private static readonly Statement Update = new("UPDATE tags SET expires_at = @2, is_expiry_told = FALSE WHERE repository_id = @0 AND name = @1");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TagExpiryJson))]
[JsonSerializable(typeof(ProjectExpiryJson))]
[JsonSerializable(typeof(ExpiryLabelWork))]
[JsonSerializable(typeof(ArchiveJson))]
[JsonSerializable(typeof(StageJson))]
[JsonSerializable(typeof(PromotionJson))]
[JsonSerializable(typeof(PromotedJson))]
internal sealed partial class LifecycleJson : JsonSerializerContext;
