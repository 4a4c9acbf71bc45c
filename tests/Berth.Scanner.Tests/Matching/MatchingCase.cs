using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Inventory.Analyzers.Sboms;
using Berth.Scanner.Matching;
using Berth.Scanner.Tests.Cases;

namespace Berth.Scanner.Tests.Matching;

/// <summary>A published case with findings: its files, its packages, and the findings that must come out of them.</summary>
internal sealed class MatchingCase
{
    private readonly ScannerCase? _case;
    private readonly JsonElement _json;
    private readonly JsonElement _findings;

    private MatchingCase(string id)
    {
        Id = id;
        _case = ScannerCase.All.FirstOrDefault(c => c.Id == id);
        // Two cases say only what is found, not in which packages.
        _json = _case?.Expected() ?? JsonDocument.Parse("{}").RootElement;
        _findings = JsonDocument.Parse(File.ReadAllBytes(TestFiles.Of("matching", "findings", id + ".json"))).RootElement;
    }

    public string Id { get; }

    /// <summary>Whether the findings are those of Trivy's own tests, by its own fixtures.</summary>
    public bool IsGolden => Id.StartsWith("app-", StringComparison.Ordinal) || Id.StartsWith("image-", StringComparison.Ordinal) || Id.StartsWith("sbom-", StringComparison.Ordinal);

    /// <summary>Whether the files of the case are here too.</summary>
    public bool HasFiles => _case is not null;

    public bool IsNative => Id == "real-gems";

    public static IEnumerable<string> Ids() =>
        Directory.EnumerateFiles(TestFiles.Of("matching", "findings"), "*.json").Select(static f => Path.GetFileNameWithoutExtension(f)).Order(StringComparer.Ordinal);

    public static MatchingCase Load(string id) => new(id);

    /// <summary>What a scan of the files of the case finds.</summary>
    public async Task<MatchSubject> ScanAsync(CancellationToken ct)
    {
        if (_case!.Kind == "vulnerabilities/sbom")
        {
            var document = _case.Files().Single(static f => f.Path.EndsWith(".json", StringComparison.Ordinal)).Content;
            return new MatchSubject { Distribution = SbomPackages.ReadDistribution(document), Packages = SbomPackages.Read(document) };
        }
        var image = ImageInventory.Join(await _case.ReadLayersAsync(ct));
        return new MatchSubject { Distribution = image.Distribution, Packages = image.Packages };
    }

    public MatchSubject Subject()
    {
        var family = _json.TryGetProperty("os", out var os) ? Text(os, "family") : Id == "sbom-cyclonedx-centos7" ? "centos" : "";
        var release = family.Length == 0 ? "" : Id == "sbom-cyclonedx-centos7" ? "7.6.1810" : Text(os, "name");
        // Cases that list no packages list what they find them in.
        var packages = _json.TryGetProperty("packages", out var listed)
            ? listed.EnumerateArray().Select(p => ToPackage(p, family))
            : _findings.EnumerateArray().Select(v => FromFinding(v, family)).DistinctBy(static p => (p.Name, p.Version));
        return new MatchSubject { Distribution = family.Length == 0 ? null : new Distribution(family, release), Packages = [.. packages] };
    }

    /// <summary>One line a finding, as <see cref="Line(Finding)"/> writes it.</summary>
    public SortedSet<string> Expected() =>
        [.. _findings.EnumerateArray().Select(v => IsGolden ? GoldenLine(v) : RealLine(v))];

    public string Line(Finding finding) => IsGolden
        ? $"{finding.Id} {finding.Package.Name} {finding.InstalledVersion} fixed={finding.FixedVersion} {finding.Status.Word()} {finding.Severity.ToString().ToUpperInvariant()} by={finding.SeveritySource} source={finding.Source.SourceId}"
        : $"{finding.Id} {finding.Package.Name} {finding.InstalledVersion.TrimStart('v')} fixed={string.Join(' ', finding.FixedVersions.Order(StringComparer.Ordinal))} aliases={string.Join(' ', finding.Aliases.Order(StringComparer.Ordinal))}";

    private static string GoldenLine(JsonElement v) =>
        $"{Text(v, "id")} {Text(v, "package")} {Text(v, "installed")} fixed={Text(v, "fixed")} {Text(v, "status")} {Text(v, "severity")} by={Text(v, "severitySource")} source={Text(v, "dataSource")}";

    private static string RealLine(JsonElement v) =>
        $"{Text(v, "id")} {Text(v, "package")} {Text(v, "installed").TrimStart('v')} fixed={Joined(v, "fixed")} aliases={Joined(v, "aliases")}";

    private static string Joined(JsonElement v, string name) =>
        v.TryGetProperty(name, out var list) ? string.Join(' ', list.EnumerateArray().Select(static i => i.GetString()).Distinct().Order(StringComparer.Ordinal)) : "";

    private Package ToPackage(JsonElement json, string family)
    {
        var type = TypeOf(json, family);
        var (epoch, release) = (json.TryGetProperty("epoch", out var e) ? e.GetInt32() : 0, Text(json, "release"));
        var source = Text(json, "source");
        var sourceVersion = Text(json, "sourceVersion");
        if (sourceVersion.Length > 0 && Text(json, "sourceRelease").Length > 0)
            sourceVersion += "-" + Text(json, "sourceRelease");
        if (sourceVersion.Length > 0 && json.TryGetProperty("sourceEpoch", out var sourceEpoch))
            sourceVersion = $"{sourceEpoch.GetInt32()}:{sourceVersion}";
        else if (sourceVersion.Length > 0 && epoch > 0 && type == PackageType.Rpm)
            sourceVersion = $"{epoch}:{sourceVersion}";
        var version = Text(json, "version");
        if (type == PackageType.Dpkg && release.Length > 0)
            (version, release) = ($"{version}-{release}", "");
        return new Package(type, Text(json, "name"), version)
        {
            Epoch = epoch,
            Release = release,
            Architecture = Text(json, "arch"),
            SourceName = source.Length > 0 ? source : Text(json, "name"),
            SourceVersion = sourceVersion,
            Path = Text(json, "path"),
        };
    }

    private Package FromFinding(JsonElement json, string family)
    {
        var version = Text(json, "installed");
        var type = TypeOf(json, family);
        if (type != PackageType.Rpm)
            return new Package(type, Text(json, "package"), version);
        var colon = version.IndexOf(':');
        var epoch = colon < 0 ? 0 : int.Parse(version[..colon]);
        var parts = version[(colon + 1)..].Split('-');
        return new Package(type, Text(json, "package"), parts[0]) { Epoch = epoch, Release = parts[1], Architecture = "x86_64" };
    }

    private PackageType TypeOf(JsonElement json, string family)
    {
        if (Id.StartsWith("layers-", StringComparison.Ordinal))
            return json.TryGetProperty("source", out _) ? PackageType.Dpkg : PackageType.Npm;
        if (family.Length > 0)
            return family switch { "debian" or "ubuntu" => PackageType.Dpkg, "alpine" => PackageType.Apk, _ => PackageType.Rpm };
        return Id switch
        {
            "app-cargo-lock" or "real-cargo" or "real-rust-binary" => PackageType.Cargo,
            "app-composer-lock" => PackageType.Composer,
            "app-gomod" or "real-go-binary" => PackageType.Go,
            "app-gradle" or "real-jars-boot" or "real-jars-flat" => PackageType.Maven,
            "app-nuget" or "app-packagesprops" or "real-dotnet-shop" or "real-nuget-lock-shop" => PackageType.NuGet,
            "app-pip" or "app-poetry" or "real-python-site" => PackageType.PyPi,
            "app-pubspec-lock" => PackageType.Pub,
            "app-swift" => PackageType.Swift,
            "real-gems" => PackageType.RubyGems,
            _ => PackageType.Npm,
        };
    }

    private static string Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
