using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Secrets;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>What a job of a scan for another registry is to do.</summary>
public sealed record AdapterWork
{
    public string Id { get; init; } = "";
}

/// <summary>The scans that other registries have asked for: taking, finding, ending.</summary>
internal sealed class AdapterScans(Database database, JobQueue queue, InstallationSecret secret, ScannerApiOptions options, TimeProvider time)
{
    private const string Purpose = "adapter scan";

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Takes a request; null when too many wait.</summary>
    public Task<string?> AddAsync(AdapterRequest request, CancellationToken ct) => database.WriteAsync<string?>(Durability.Full, async (session, token) =>
    {
        await AdapterScanRows.PurgeAsync(session, Now - (long)options.KeepReports.TotalMilliseconds, token).ConfigureAwait(false);
        if (await AdapterScanRows.CountWaitingAsync(session, token).ConfigureAwait(false) >= options.MaxWaiting) return null;
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(20));
        var job = await queue.EnqueueAsync(session, new NewJob
        {
            Kind = AdapterScanJob.JobKind,
            Payload = JsonSerializer.Serialize(new AdapterWork { Id = id }, AdapterJson.Default.AdapterWork),
            VendorKey = $"adapter:{id}",
            Trigger = JobTrigger.Event,
            MaxAttempts = 3,
        }, token).ConfigureAwait(false);
        await AdapterScanRows.AddAsync(session, new AdapterScan
        {
            Id = id,
            JobId = job.Id,
            RegistryUrl = request.RegistryUrl,
            Authorization = request.Authorization.Length == 0 ? null : secret.Encrypt(Encoding.UTF8.GetBytes(request.Authorization), Purpose),
            Repository = request.Repository,
            Digest = request.Digest,
            Tag = request.Tag,
            MediaType = request.MediaType,
            WantsReport = request.WantsReport,
            WantsSpdx = request.WantsSpdx,
            WantsCycloneDx = request.WantsCycloneDx,
            RequestedAt = Now,
        }, token).ConfigureAwait(false);
        return id;
    }, ct);

    /// <summary>A scan; null when there is none, or no more.</summary>
    public async ValueTask<AdapterScan?> FindAsync(string id, CancellationToken ct)
    {
        var scan = await database.ReadAsync(id, static (session, wanted, token) => AdapterScanRows.FindAsync(session, wanted, token), ct).ConfigureAwait(false);
        return scan is not null && scan.RequestedAt >= Now - (long)options.KeepReports.TotalMilliseconds ? scan : null;
    }

    /// <summary>A document of a scan, packed; null when there is none.</summary>
    public ValueTask<byte[]?> DocumentAsync(string id, AdapterDocument document, CancellationToken ct) =>
        database.ReadAsync((id, document), static (session, q, token) => AdapterScanRows.DocumentAsync(session, q.id, q.document, token), ct);

    /// <summary>What the registry is to be asked with; empty for nothing.</summary>
    public string AuthorizationOf(AdapterScan scan) => scan.Authorization is { } bytes ? Encoding.UTF8.GetString(secret.Decrypt(bytes, Purpose)) : "";

    /// <summary>Ends a scan.</summary>
    public Task FinishAsync(AdapterScan scan, CancellationToken ct)
    {
        scan.FinishedAt = Now;
        return database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await AdapterScanRows.FinishAsync(session, scan, token).ConfigureAwait(false);
            return true;
        }, ct);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AdapterWork))]
internal sealed partial class AdapterJson : JsonSerializerContext;
