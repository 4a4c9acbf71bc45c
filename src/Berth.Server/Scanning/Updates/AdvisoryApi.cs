using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Scanning.Updates;

/// <summary>The advisory database of the installation: how old it is, updating it, taking over a bundle, going back. All but its state is for administrators.</summary>
internal sealed class AdvisoryApi(AdvisoryShare share, AdvisoryStore store, AdvisoryReleases releases, AdvisoryOptions options, Database database, JobQueue queue, DomainEvents events, TimeProvider time)
{
    private const string Base = "/advisories";
    private const long MaxBundleBytes = 8L * 1024 * 1024 * 1024;
    private const int MaxReleases = 10;

    public static IEnumerable<ApiOperation> Operations(AdvisoryApi api) => new ApiOperation[]
    {
        new(HttpMethods.Get, Base, "getAdvisories", "advisories", ApiNeed.SignedIn, api.GetAsync) { Answer = typeof(AdvisoriesJson), Summary = "The advisory database: what it holds, how old it is, and the databases before it." },
        new(HttpMethods.Post, Base, "uploadAdvisories", "advisories", ApiNeed.Admin, api.UploadAsync)
        {
            Answer = typeof(AdvisoriesJson), Summary = "Takes over a bundle of berth db export, which is the body, and puts it in force for all replicas.",
        },
        new(HttpMethods.Post, Base + "/update", "updateAdvisories", "advisories", ApiNeed.Admin, api.UpdateAsync) { Query = ["force"], Summary = "Asks the sources of the settings now." },
        new(HttpMethods.Post, Base + "/rollback", "rollbackAdvisories", "advisories", ApiNeed.Admin, api.RollbackAsync) { Query = ["release"], Answer = typeof(AdvisoriesJson), Summary = "Puts the database before in force, or a named one." },
    }.Select(o => o with { Surface = ApiSurface.Berth });

    private async Task<ApiResult> GetAsync(ApiCall call, CancellationToken ct) => ApiResult.Ok(await ReadAsync(ct).ConfigureAwait(false), AdvisoryJson.Default.AdvisoriesJson);

    private async Task<ApiResult> UploadAsync(ApiCall call, CancellationToken ct)
    {
        if (options.Keys.Count == 0 && !options.AllowUnsigned) return ApiResult.Conflict("no key is set that could have signed a bundle: advisories.keys, or advisories.allowUnsigned");
        var shelf = new AdvisoryShelf(share.Folder);
        var path = shelf.NewPath(time.GetUtcNow());
        var keys = new List<BundleKey>();
        try
        {
            foreach (var file in options.Keys) keys.Add(BundleKey.Parse(await File.ReadAllTextAsync(file, ct).ConfigureAwait(false)));
            await AdvisoryBundle.ExtractAsync(new BoundedBody(call.Http.Request.Body, MaxBundleBytes), keys, path, ct).ConfigureAwait(false);
            var metadata = shelf.Use(path);
            await share.PublishAsync(path, metadata, call.Caller.Name, ct).ConfigureAwait(false);
            await TellAsync(call, "import", $"imported advisories built {metadata.BuiltAt:O}", ct).ConfigureAwait(false);
            return ApiResult.Ok(await ReadAsync(ct).ConfigureAwait(false), AdvisoryJson.Default.AdvisoriesJson);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            return ApiResult.BadRequest(e.Message);
        }
        catch (BodyTooLargeException)
        {
            return ApiResult.Fail(ApiError.TooLarge, $"a bundle may have {MaxBundleBytes} bytes");
        }
        catch (CryptographicException e)
        {
            return ApiResult.Conflict($"a key of advisories.keys cannot be read: {e.Message}");
        }
        finally
        {
            foreach (var key in keys) key.Dispose();
        }
    }

    private async Task<ApiResult> UpdateAsync(ApiCall call, CancellationToken ct)
    {
        if (options.Sources.Count == 0) return ApiResult.Conflict("no source is set: advisories.sources");
        var job = await database.WriteAsync(Durability.Full, async (session, token) =>
            await AdvisorySchedule.EnqueueAsync(session, queue, call.Flag("force"), JobTrigger.Manual, token).ConfigureAwait(false), ct).ConfigureAwait(false);
        await TellAsync(call, "update", "asked the sources of advisories", ct).ConfigureAwait(false);
        return ApiResult.Accepted($"/api/v2.0/jobservice/jobs/{job.Id.ToString(CultureInfo.InvariantCulture)}/log");
    }

    private async Task<ApiResult> RollbackAsync(ApiCall call, CancellationToken ct)
    {
        long? wanted = null;
        if (call.Query("release") is { Length: > 0 } text)
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return ApiResult.BadRequest("release is no number");
            wanted = number;
        }
        if (await releases.RollbackAsync(wanted, ct).ConfigureAwait(false) is not { } id) return ApiResult.NotFound(wanted is null ? "there is no older database" : $"there is no release {wanted}");
        await share.SyncAsync(ct).ConfigureAwait(false);
        await TellAsync(call, "rollback", $"put advisory release {id} in force", ct).ConfigureAwait(false);
        return ApiResult.Ok(await ReadAsync(ct).ConfigureAwait(false), AdvisoryJson.Default.AdvisoriesJson);
    }

    private async Task<AdvisoriesJson> ReadAsync(CancellationToken ct)
    {
        using var loan = store.Borrow();
        var metadata = loan?.Database.Metadata;
        var now = time.GetUtcNow();
        var last = await database.ReadAsync(0, static async ValueTask<Job?> (session, _, token) =>
            (await JobViews.ListAsync(session, new JobFilter { Kind = AdvisoryUpdateJob.JobKind }, 0, 1, token).ConfigureAwait(false)).FirstOrDefault(), ct).ConfigureAwait(false);
        return new AdvisoriesJson
        {
            IsThere = metadata is not null,
            BuiltAt = metadata?.BuiltAt,
            AgeSeconds = metadata is null ? null : (long)(now - metadata.BuiltAt).TotalSeconds,
            IsOld = metadata is null || now - metadata.BuiltAt > options.WarnAfter,
            NextUpdate = metadata?.Sources.Min(static source => source.NextUpdate),
            Advisories = metadata?.Advisories ?? 0,
            Details = metadata?.Details ?? 0,
            Predictions = metadata?.Predictions ?? 0,
            KnownExploitations = metadata?.KnownExploitations ?? 0,
            Sources = [.. (metadata?.Sources ?? []).Select(static s => new AdvisorySourceJson { Feed = s.Feed, Name = s.Name, UpdatedAt = s.UpdatedAt, NextUpdate = s.NextUpdate, Records = s.Records, Skipped = s.Skipped })],
            UpdatesFrom = [.. options.Sources],
            LastUpdate = last is null ? null : new AdvisoryUpdateJson { Status = JobWords.StatusOf(last, now), AskedAt = DateTimeOffset.FromUnixTimeMilliseconds(last.CreatedAt), Error = last.Error, ProgressPercent = last.ProgressPercent },
            Releases = [.. (await releases.ListAsync(MaxReleases, ct).ConfigureAwait(false)).Select(static (r, at) => new AdvisoryReleaseJson { Id = r.Id, BuiltAt = r.BuiltAt, PublishedAt = r.PublishedAt, Actor = r.Actor, Bytes = r.Size, Digest = r.Digest.Value, IsInForce = at == 0 })],
        };
    }

    private async Task TellAsync(ApiCall call, string operation, string description, CancellationToken ct) => await database.WriteAsync(Durability.Full, async (session, token) =>
    {
        await events.RaiseAsync(session, new DomainEvent { Operation = operation, ResourceType = "advisories", Resource = "advisories", Actor = call.Actor, Description = description }, token).ConfigureAwait(false);
        return true;
    }, ct).ConfigureAwait(false);
}

/// <summary>The advisory database.</summary>
public sealed record AdvisoriesJson
{
    /// <summary>Whether there is one.</summary>
    public bool IsThere { get; init; }

    public DateTimeOffset? BuiltAt { get; init; }

    public long? AgeSeconds { get; init; }

    /// <summary>Whether it is missing, or older than <c>advisories.warnAfter</c>.</summary>
    public bool IsOld { get; init; }

    /// <summary>When the first of its sources expects to be newer.</summary>
    public DateTimeOffset? NextUpdate { get; init; }

    public long Advisories { get; init; }

    public long Details { get; init; }

    public long Predictions { get; init; }

    public long KnownExploitations { get; init; }

    public IReadOnlyList<AdvisorySourceJson>? Sources { get; init; }

    /// <summary>The sources of the settings; empty where the server asks nobody.</summary>
    public IReadOnlyList<string>? UpdatesFrom { get; init; }

    public AdvisoryUpdateJson? LastUpdate { get; init; }

    /// <summary>Databases that can be put in force, the present one first.</summary>
    public IReadOnlyList<AdvisoryReleaseJson>? Releases { get; init; }
}

/// <summary>A source of the database.</summary>
public sealed record AdvisorySourceJson
{
    public string? Feed { get; init; }

    public string? Name { get; init; }

    public DateTimeOffset? UpdatedAt { get; init; }

    public DateTimeOffset? NextUpdate { get; init; }

    public long Records { get; init; }

    public long Skipped { get; init; }
}

/// <summary>The newest update.</summary>
public sealed record AdvisoryUpdateJson
{
    /// <summary>Harbor's word for the state of the job.</summary>
    public string? Status { get; init; }

    public DateTimeOffset? AskedAt { get; init; }

    public int? ProgressPercent { get; init; }

    public string? Error { get; init; }
}

/// <summary>A database that was published.</summary>
public sealed record AdvisoryReleaseJson
{
    public long Id { get; init; }

    public DateTimeOffset BuiltAt { get; init; }

    public DateTimeOffset PublishedAt { get; init; }

    public string? Actor { get; init; }

    public string? Digest { get; init; }

    public long Bytes { get; init; }

    public bool IsInForce { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AdvisoriesJson))]
[JsonSerializable(typeof(AdvisoryWork))]
[JsonSerializable(typeof(DatabaseMetadata))]
internal sealed partial class AdvisoryJson : JsonSerializerContext;
