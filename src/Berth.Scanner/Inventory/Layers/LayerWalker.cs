using System.Security.Cryptography;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Inventory.Layers;

/// <summary>
/// Reads a layer once, from its first byte to its last, and finds what the analyzers look for. Nothing is unpacked to disk, links are never followed, memory does
/// not grow with the layer: a file is held only while an analyzer reads it, and large ones wait in a nameless temporary file.
/// </summary>
/// <param name="analyzers">What is looked for.</param>
/// <param name="limits">What a layer may cost.</param>
/// <param name="secrets">Looks for secrets in every file of text; null leaves them out.</param>
public sealed class LayerWalker(AnalyzerSet analyzers, LayerLimits limits, SecretScanner? secrets = null)
{
    private const int SetUidBits = 0xC00;
    private const int ExecuteBits = 0x49;

    /// <summary>
    /// Reads a layer. <paramref name="open"/> gives its bytes, compressed or not, from the start; it is called a second time only when a wanted file is a hard link to
    /// one that has no telling name. The caller compares <see cref="LayerInventory.DiffId"/> with what the image names.
    /// </summary>
    /// <exception cref="LayerRefusedException">The layer is no archive or passes a limit.</exception>
    public async Task<LayerInventory> ReadAsync(Func<CancellationToken, ValueTask<Stream>> open, CancellationToken ct)
    {
        var collector = new LayerCollector(analyzers, limits, secrets);
        var (diffId, size, entries) = await PassAsync(open, collector, null, ct);
        var links = collector.UnreadLinks;
        if (links.Count > 0)
        {
            var (again, _, _) = await PassAsync(open, collector, links, ct);
            if (again != diffId) throw new LayerRefusedException("layer changed while it was read");
        }
        return collector.ToInventory(diffId, size, entries);
    }

    private async Task<(string DiffId, long Size, int Entries)> PassAsync(
        Func<CancellationToken, ValueTask<Stream>> open, LayerCollector collector, ILookup<string, string>? links, CancellationToken ct)
    {
        try
        {
            await using var layer = await open(ct);
            using var packed = new CountedStream(layer, null, null);
            await using var archive = await LayerCompression.OpenAsync(packed, ct);
            using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await using var counted = new CountedStream(archive, digest, size => Check(size, packed.Count));
            var tar = new TarReader(counted, limits.MaxPathBytes);
            var scratch = new ScratchBuffer();
            var entries = 0;
            while (await tar.NextAsync(ct) is { } entry)
            {
                ct.ThrowIfCancellationRequested();
                if (++entries > limits.MaxEntries) throw new LayerRefusedException("layer has too many entries");
                if (links is null) await EntryAsync(tar, entry, collector, scratch, ct);
                else await LinkedAsync(tar, entry, links, collector, scratch, ct);
            }
            // Some writers forget the end; a gzip stream that was cut off between two entries looks the same, and only the diff id tells them apart.
            if (!tar.HasEnd && links is null) collector.Problem("", "archive has no end and may be cut off");
            await tar.DrainAsync(ct);
            return ("sha256:" + Convert.ToHexStringLower(digest.GetHashAndReset()), counted.Count, entries);
        }
        catch (InvalidDataException e)
        {
            throw new LayerRefusedException("layer cannot be unpacked: " + e.Message, e);
        }
        catch (EndOfStreamException e)
        {
            throw new LayerRefusedException("layer ends early", e);
        }
    }

    private void Check(long unpacked, long packed)
    {
        if (unpacked > limits.MaxLayerBytes) throw new LayerRefusedException($"layer unpacks to more than {limits.MaxLayerBytes} bytes");
        if (unpacked > limits.RatioFromBytes && unpacked / Math.Max(1, packed) > limits.MaxRatio) throw new LayerRefusedException($"layer unpacks to more than {limits.MaxRatio} times its size");
    }

    private async ValueTask EntryAsync(TarReader tar, TarEntry entry, LayerCollector collector, ScratchBuffer scratch, CancellationToken ct)
    {
        if (ImagePath.Clean(entry.Path) is not { Length: > 0 } path)
        {
            if (entry.Kind != TarKind.Directory) collector.Problem("", "an entry has a path outside of the image");
            return;
        }
        if (entry.Kind == TarKind.Directory)
        {
            collector.Directory(path);
            return;
        }
        if (collector.TakeWhiteout(path)) return;
        switch (entry.Kind)
        {
            case TarKind.Symlink:
                collector.Replace(path);
                return;
            case TarKind.HardLink:
                if (ImagePath.Clean(entry.Link) is { Length: > 0 } target) collector.Link(path, target);
                return;
            case TarKind.Other:
                if (analyzers.For(path).Count > 0) collector.Problem(path, "not a plain file");
                else collector.Replace(path);
                return;
        }
        if ((entry.Mode & SetUidBits) != 0) collector.SetUid(path);
        var wanted = analyzers.For(path);
        if (wanted.Count == 0) wanted = AnalyzerSet.ByContent((await tar.PeekAsync(AnalyzerSet.HeadBytes, ct)).Span);
        if (wanted.Count > 0)
        {
            await AnalyzeAsync(tar, entry, path, wanted, collector, scratch, ct);
            return;
        }
        collector.ReplaceByFile(path, (entry.Mode & ExecuteBits) != 0);
        if (secrets?.Wants(path, entry.SizeBytes) != true || !SecretScanner.IsText((await tar.PeekAsync(SecretScanner.ProbeBytes, ct)).Span)) return;
        using var content = await FileContent.TakeAsync(tar, entry.SizeBytes, limits, scratch, ct);
        collector.LookForSecrets(path, content);
    }

    private async ValueTask LinkedAsync(TarReader tar, TarEntry entry, ILookup<string, string> links, LayerCollector collector, ScratchBuffer scratch, CancellationToken ct)
    {
        if (entry.Kind != TarKind.File || ImagePath.Clean(entry.Path) is not { Length: > 0 } path || !links.Contains(path)) return;
        var wanted = links[path].SelectMany(name => analyzers.For(name).Select(analyzer => (name, analyzer))).ToList();
        if (wanted.Count == 0 || entry.SizeBytes > limits.MaxFileBytes) return;
        using var content = await FileContent.TakeAsync(tar, entry.SizeBytes, limits, scratch, ct);
        foreach (var (name, analyzer) in wanted.Where(one => entry.SizeBytes <= one.analyzer.MaxBytes)) collector.Analyze(analyzer, name, content, ct);
    }

    private async ValueTask AnalyzeAsync(
        TarReader tar, TarEntry entry, string path, IReadOnlyList<FileAnalyzer> wanted, LayerCollector collector, ScratchBuffer scratch, CancellationToken ct)
    {
        var limit = Math.Min(limits.MaxFileBytes, wanted.Max(analyzer => analyzer.MaxBytes));
        if (entry.SizeBytes > limit)
        {
            collector.Problem(path, $"file has {entry.SizeBytes} bytes, up to {limit} are read");
            return;
        }
        using var content = await FileContent.TakeAsync(tar, entry.SizeBytes, limits, scratch, ct);
        foreach (var analyzer in wanted.Where(analyzer => entry.SizeBytes <= analyzer.MaxBytes)) collector.Analyze(analyzer, path, content, ct);
        if (secrets?.Wants(path, entry.SizeBytes) == true) collector.LookForSecrets(path, content);
    }
}
