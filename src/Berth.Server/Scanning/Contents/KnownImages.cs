using System.Text.Json;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Scan;
using Berth.Server.Platform.Data;
using Berth.Server.Scanning.Sboms;

namespace Berth.Server.Scanning.Contents;

/// <summary>An image whose layers were all read before.</summary>
/// <param name="Target">Its manifest.</param>
/// <param name="Image">Its documents.</param>
/// <param name="Inventory">What is in it.</param>
/// <param name="Platform"><c>os/architecture[/variant]</c>; empty when it names none.</param>
internal sealed record KnownImage(ScanTarget Target, ImageContent Image, ImageInventory Inventory, string Platform);

/// <summary>Which of the images behind a reference are known.</summary>
/// <param name="Images">Those whose layers were all read, in the order of their rows.</param>
/// <param name="Unknown">Digests of the others: they were not scanned yet, or a newer version reads layers in another way.</param>
internal sealed record KnownImageSet(IReadOnlyList<KnownImage> Images, IReadOnlyList<string> Unknown);

/// <summary>Puts images together from what is kept of their layers: no layer is read.</summary>
internal sealed class KnownImages(Database database, StoredImages images, LayerInventories layers, AttachedSboms attached)
{
    /// <summary>The image of a manifest, or those of an index.</summary>
    /// <param name="manifestId">The manifest.</param>
    /// <param name="platform">Only images of this platform (<c>linux/arm64</c>); empty for all.</param>
    /// <param name="asScanned">With the packages that the last scan judged, which may be those of an attached bill of materials; else those of the layers.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<KnownImageSet> ReadAsync(long manifestId, string platform, bool asScanned, CancellationToken ct)
    {
        var (ids, rows) = await database.ReadAsync(manifestId, static async (session, id, token) =>
        {
            var found = (await ScanRequests.ImagesOfAsync(session, id, token).ConfigureAwait(false)).ConvertAll(static image => image.Id);
            return (found, await ContentRow.ReadAsync(session, found, token).ConfigureAwait(false));
        }, ct).ConfigureAwait(false);
        var (known, unknown) = (new List<KnownImage>(), new List<string>());
        foreach (var id in ids)
        {
            if (await images.FindAsync(id, ct).ConfigureAwait(false) is not { } target) continue;
            var (isThere, image) = await FindAsync(target, rows.GetValueOrDefault(id), platform, asScanned, ct).ConfigureAwait(false);
            if (image is not null) known.Add(image);
            else if (isThere) unknown.Add(target.Digest);
        }
        return new KnownImageSet(known, unknown);
    }

    // False for what is no image, or one of another platform.
    private async Task<(bool IsThere, KnownImage? Image)> FindAsync(ScanTarget target, ContentRow? row, string platform, bool asScanned, CancellationToken ct)
    {
        ImageContent image;
        try
        {
            image = await images.OpenAsync(target, ct).ConfigureAwait(false);
        }
        catch (ImageRefusedException)
        {
            return (platform.Length == 0, null);
        }
        var own = PlatformOf(image);
        if (platform.Length > 0 && own != platform && !own.StartsWith(platform + "/", StringComparison.Ordinal)) return (false, null);
        // BuildKit's attestations look like images of an unknown platform, without layers that are archives.
        if (image.Layers.Count == 0 && own.StartsWith("unknown/", StringComparison.Ordinal)) return (false, null);
        var read = new List<LayerInventory>(image.Layers.Count);
        foreach (var layer in image.Layers)
        {
            if (await layers.FindAsync(layer.DiffId, ct).ConfigureAwait(false) is not { } known) return (true, null);
            read.Add(known);
        }
        var inventory = ImageInventory.Join(read, PackageSources.WithoutLocks);
        if (asScanned && row?.SourceDocument is not null) inventory = await attached.AsScannedAsync(target, inventory, ct).ConfigureAwait(false);
        return (true, new KnownImage(target, image, inventory, own));
    }

    private static string PlatformOf(ImageContent image)
    {
        using var config = JsonDocument.Parse(image.Config, new JsonDocumentOptions { MaxDepth = 64 });
        return ImageFacts.PlatformOf(config.RootElement);
    }
}
