using System.IO.Compression;
using System.Text.Json;
using Berth.Scanner.Inventory.Analyzers;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Tests.Cases;

/// <summary>One case of <c>Data/cases</c>: its layers (tar in gzip in base64) and what must be found in them.</summary>
public sealed class ScannerCase(string id, string kind)
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Data");

    public string Id => id;

    public string Kind => kind;

    public static IReadOnlyList<ScannerCase> All { get; } =
        [.. File.ReadLines(Path.Combine(Folder, "cases.tsv")).Skip(1).Select(line => line.Split('\t')).Select(row => new ScannerCase(row[0], row[1]))];

    public static ScannerCase Of(string id) => All.First(one => one.Id == id);

    public JsonElement Expected() => JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "cases", id + ".expected.json"))).RootElement;

    /// <summary>The layers, compressed, lowest first.</summary>
    public IReadOnlyList<byte[]> Layers()
    {
        var layers = new List<byte[]>();
        while (Path.Combine(Folder, "cases", $"{id}.layer{layers.Count}.b64") is var file && File.Exists(file)) layers.Add(Convert.FromBase64String(File.ReadAllText(file)));
        return layers;
    }

    public async Task<IReadOnlyList<LayerInventory>> ReadLayersAsync(CancellationToken ct)
    {
        var read = new List<LayerInventory>();
        foreach (var layer in Layers())
        {
            var found = await new LayerWalker(AnalyzerSet.All, LayerLimits.Default).ReadAsync(_ => ValueTask.FromResult<Stream>(new MemoryStream(layer)), ct);
            // What a cache would give back must be the same.
            read.Add(LayerInventoryJson.Read(LayerInventoryJson.Write(found)) ?? throw new InvalidOperationException("the stored form cannot be read"));
        }
        return read;
    }

    /// <summary>Files of the first layer.</summary>
    public IEnumerable<(string Path, byte[] Content)> Files()
    {
        using var tar = new System.Formats.Tar.TarReader(new GZipStream(new MemoryStream(Layers()[0]), CompressionMode.Decompress));
        while (tar.GetNextEntry(copyData: true) is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream?.CopyTo(content);
            yield return (entry.Name, content.ToArray());
        }
    }
}
