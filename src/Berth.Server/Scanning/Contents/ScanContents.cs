using System.Text.Json;
using Berth.Scanner.Inventory;
using Berth.Scanner.Reports;
using Berth.Scanner.Scan;
using Berth.Scanner.Secrets;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Scanning.Bases;
using Berth.Server.Scanning.Sboms;

namespace Berth.Server.Scanning.Contents;

/// <summary>What a scan works with beside the advisories.</summary>
internal sealed record ScannedContent
{
    /// <summary>The packages that are judged, secrets and what else the layers show.</summary>
    public required ImageInventory Inventory { get; init; }

    /// <summary>What is reported.</summary>
    public required ScanSettings Settings { get; init; }

    /// <summary>Digests of the uncompressed layers, the lowest first.</summary>
    public required IReadOnlyList<string> DiffIds { get; init; }

    public required ImageFacts Facts { get; init; }

    /// <summary>The attached bill of materials that the packages are from; null for the layers.</summary>
    public AttachedSbom? Source { get; init; }

    /// <summary>How many of the lowest layers are those of a base image.</summary>
    public int BaseLayers { get; init; }

    /// <summary>Whether a package in a layer comes with the base image; null when its layer is not known.</summary>
    public bool? IsFromBase(string layer)
    {
        for (var i = 0; i < DiffIds.Count; i++)
            if (DiffIds[i] == layer) return i < BaseLayers;
        return null;
    }
}

/// <summary>
/// What a scan does beside judging packages: it looks for secrets and checks the configuration as the project wants, takes packages from an attached bill of materials where the project prefers
/// those, and finds the base image.
/// </summary>
internal sealed class ScanContents(Database database, RuntimeSettings settings, SecretRules rules, AttachedSboms attached, BaseImages bases)
{
    /// <summary>Path of secrets that stand in the configuration of an image.</summary>
    public const string ConfigPath = "config.json";

    /// <summary>What the scans of a project look for.</summary>
    public Task<ContentSettings> SettingsAsync(long projectId, CancellationToken ct) => ContentSettings.ReadAsync(database, settings, rules, projectId, ct);

    /// <summary>Completes what the layers show.</summary>
    /// <param name="target">The image.</param>
    /// <param name="image">Its documents.</param>
    /// <param name="inventory">What its layers show, read with the scanner of the settings.</param>
    /// <param name="wanted">The settings of its project.</param>
    /// <param name="tell">Told which packages are judged when it is not those of the layers.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<ScannedContent> CompleteAsync(ScanTarget target, ImageContent image, ImageInventory inventory, ContentSettings wanted, Action<string> tell, CancellationToken ct)
    {
        if (wanted.Secrets is { } scanner) inventory = inventory with { Secrets = [.. inventory.Secrets.Concat(OfConfig(image.Config, scanner)).Take(StoredProblems.MaxOfEach)] };
        AttachedSbom? source = null;
        if (wanted.PreferAttachedSbom)
        {
            foreach (var one in (await attached.FindAsync(target.Id, target.Digest, ct).ConfigureAwait(false)).Where(static one => one.IsAboutImage))
            {
                if (AttachedSboms.InventoryOf(one.Envelope, inventory) is not { } named) continue;
                (source, inventory) = (one, named);
                tell($"the packages of the attached {one.Envelope.Format} document {one.Blob.Digest} of {one.Manifest} are judged: {named.Packages.Count}");
                break;
            }
            if (source is null) tell("no bill of materials is attached that can be used: the packages of the layers are judged");
        }
        await bases.CatchUpAsync(target.Id, ct).ConfigureAwait(false);
        var diffIds = image.Layers.Select(static layer => layer.DiffId).ToList();
        var baseLayers = await database.ReadAsync(
            (target.ProjectId, diffIds), static (session, q, token) => BaseImages.CountBaseLayersAsync(session, q.ProjectId, q.diffIds, token), ct).ConfigureAwait(false);
        return new ScannedContent
        {
            Inventory = inventory,
            Settings = new ScanSettings { Secrets = wanted.Secrets is not null, Misconfiguration = wanted.Misconfiguration },
            DiffIds = diffIds,
            Facts = ImageFacts.Of(target, image),
            Source = source,
            BaseLayers = baseLayers,
        };
    }

    /// <summary>Writes it down, in the transaction of the scan's result.</summary>
    public static async ValueTask WriteAsync(DbSession session, long manifestId, ScannedContent content, ScanReport report, long now, CancellationToken ct)
    {
        var problems = new StoredProblems([.. report.Secrets.Take(StoredProblems.MaxOfEach)], [.. report.Problems.Take(StoredProblems.MaxOfEach)]);
        await session.ExecuteAsync(Upsert,
            [
                manifestId, now, OrNull(content.Facts.Platform), content.Source?.Manifest, content.Source?.Blob.Digest.Value, content.Settings.Secrets ? report.Secrets.Count : null,
                content.Settings.Misconfiguration ? report.Problems.Count : null, problems.Pack(), content.BaseLayers, OrNull(content.Facts.BaseName), OrNull(content.Facts.BaseDigest),
            ], ct).ConfigureAwait(false);
        await BaseImages.WriteAsync(session, manifestId, content.DiffIds, ct).ConfigureAwait(false);
    }

    // On lines of its own each, so that what is shown of one setting shows no other.
    private static IReadOnlyList<SecretFinding> OfConfig(ReadOnlyMemory<byte> config, SecretScanner scanner)
    {
        using var document = JsonDocument.Parse(config, new JsonDocumentOptions { MaxDepth = 64 });
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping })) document.WriteTo(json);
        return scanner.Scan(ConfigPath, buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    private static string? OrNull(string text) => text.Length == 0 ? null : text;

    private static readonly Statement Upsert = new("""
        INSERT INTO artifact_contents (manifest_id, scanned_at, platform, source_manifest, source_document, secrets, misconfigurations, problems, base_layers, base_name, base_digest)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, @10)
        ON CONFLICT (manifest_id) DO UPDATE SET scanned_at = excluded.scanned_at, platform = excluded.platform, source_manifest = excluded.source_manifest,
            source_document = excluded.source_document, secrets = excluded.secrets, misconfigurations = excluded.misconfigurations, problems = excluded.problems,
            base_layers = excluded.base_layers, base_name = excluded.base_name, base_digest = excluded.base_digest
        """);
}
