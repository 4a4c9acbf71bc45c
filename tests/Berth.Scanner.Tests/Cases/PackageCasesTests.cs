using System.Text.Json;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Tests.Cases;

/// <summary>Package lists of files, databases and images that others published (see Data/README.md): no package missed, none invented.</summary>
public sealed class PackageCasesTests
{
    public static TheoryData<string> Ids => [.. ScannerCase.All.Where(one => one.Kind != "vulnerabilities/sbom").Select(one => one.Id)];

    [Theory]
    [MemberData(nameof(Ids))]
    public async Task The_packages_of_a_case_are_found_and_no_others(string id)
    {
        var one = ScannerCase.Of(id);
        var expected = one.Expected();
        var layers = await one.ReadLayersAsync(TestContext.Current.CancellationToken);
        var image = ImageInventory.Join(layers);
        if (expected.TryGetProperty("error", out _))
        {
            Assert.Empty(image.Packages);
            return;
        }
        if (expected.TryGetProperty("os", out var os))
        {
            Assert.Equal(os.GetProperty("family").GetString(), image.Distribution?.Family);
            // Some name only the major release where etc/debian_version knows the point release.
            Assert.StartsWith(os.GetProperty("name").GetString()!, image.Distribution!.Version, StringComparison.Ordinal);
        }
        if (!expected.TryGetProperty("packages", out var packages)) return;
        var wanted = packages.EnumerateArray().Where(package => Text(package, "version").Length > 0).ToList();
        // The reports of the application cases leave out what only development needs, unless asked.
        var withDevelopment = one.Kind != "vulnerabilities/application" || id.EndsWith("-with-dev", StringComparison.Ordinal);
        var found = image.Packages.Where(package => wanted.All(other => Text(other, "target").Length == 0) || wanted.Any(other => Text(other, "target") == package.Path))
            .Where(package => withDevelopment || !package.IsDevelopment).ToList();
        // Short reports leave out the source's epoch, which is the package's own.
        var hasSourceEpochs = wanted.Any(package => package.TryGetProperty("sourceEpoch", out _));
        var diffIds = layers.Select(layer => layer.DiffId).ToList();
        string Line(Package package, JsonElement like) => string.Join(" ",
            [.. Fields(like).Select(field => field + "=" + (field == "sourceVersion" && !hasSourceEpochs ? WithoutEpoch(Value(package, field, diffIds)) : Value(package, field, diffIds)))]);
        var wantedLines = wanted.Select(package => string.Join(" ", Fields(package).Select(field => field + "=" + (field == "sourceVersion" && !hasSourceEpochs ? WithoutEpoch(Value(package, field)) : Value(package, field))))).Distinct().Order(StringComparer.Ordinal).ToList();
        var foundLines = found.Select(package => (Package: package, Like: wanted.Find(like => Text(like, "name") == package.Name && Full(like) == Full(package))))
            .Select(pair => pair.Like.ValueKind == JsonValueKind.Undefined ? $"name={pair.Package.Name} version={Full(pair.Package)} (not expected)" : Line(pair.Package, pair.Like))
            .Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.Equal(string.Join("\n", wantedLines), string.Join("\n", foundLines));
    }

    private static IEnumerable<string> Fields(JsonElement package) =>
        new[] { "name", "version", "arch", "source", "sourceVersion", "path", "layer", "root", "purl" }.Where(field => package.TryGetProperty(field, out _));

    private static string Value(JsonElement package, string field) => field switch
    {
        "version" => Full(package),
        "sourceVersion" => Text(package, "sourceVersion") + (Text(package, "sourceRelease") is { Length: > 0 } release ? "-" + release : "") is var version
            && int.TryParse(Text(package, "sourceEpoch"), out var epoch) && epoch > 0
            && !version.StartsWith(epoch + ":", StringComparison.Ordinal) ? $"{epoch}:{version}" : version,
        "arch" => Text(package, "arch") == "None" ? "" : Text(package, "arch"),
        _ => Text(package, field),
    };

    private static string Value(Package package, string field, List<string> diffIds) => field switch
    {
        "name" => package.Name,
        "version" => Full(package),
        "arch" => package.Architecture == "None" ? "" : package.Architecture,
        "source" => package.SourceName,
        "sourceVersion" => package.SourceVersion.Length > 0 ? package.SourceVersion : Full(package),
        "path" => package.Path,
        "root" => (package.Relationship == PackageRelationship.Root).ToString(),
        "purl" => PackageUrls.Of(package),
        _ => diffIds.IndexOf(package.Layer).ToString(),
    };

    private static string WithoutEpoch(string version) => version[(version.IndexOf(':') + 1)..];

    private static string Full(JsonElement package) =>
        (Text(package, "epoch") is not ("" or "0") and var epoch && !Text(package, "version").StartsWith(epoch + ":", StringComparison.Ordinal) ? epoch + ":" : "")
        + Text(package, "version") + (Text(package, "release") is { Length: > 0 } release ? "-" + release : "");

    private static string Full(Package package) =>
        (package.Epoch == 0 ? "" : package.Epoch + ":") + package.Version + (package.Release.Length > 0 ? "-" + package.Release : "");

    private static string Text(JsonElement package, string field) => package.TryGetProperty(field, out var value) ? value.ToString() : "";
}
