using Berth.Scanner.Inventory.Analyzers.Text;
using Berth.Scanner.Inventory.Layers;

namespace Berth.Scanner.Inventory.Analyzers.Sboms;

/// <summary>Bills of materials that lie in an image: Bitnami's <c>.spdx-NAME.spdx</c> and files that call themselves SPDX or CycloneDX.</summary>
internal static class EmbeddedSboms
{
    private static readonly string[] Ends = [".spdx.json", ".spdx", ".cdx.json", ".cdx.xml", ".cdx"];

    /// <summary>The analyzer.</summary>
    public static IReadOnlyList<FileAnalyzer> Analyzers { get; } = [new("sbom", FileRole.Sbom, path => Ends.Any(end => path.EndsWith(end, StringComparison.Ordinal)), Read)];

    private static void Read(FileContent content, FileReport report)
    {
        var directory = ImagePath.Directory(report.Path);
        var isBitnami = ImagePath.Name(report.Path).StartsWith(".spdx-", StringComparison.Ordinal) && report.Path.StartsWith("opt/bitnami/", StringComparison.Ordinal);
        foreach (var package in SbomPackages.Read(content.Bytes(), withRoot: true))
        {
            // Bitnami's document describes the program in its own directory.
            report.Add(isBitnami && package.Path.Length > 0 ? package with { Path = directory + "/" + package.Path.TrimStart('/') } : package);
        }
    }
}

/// <summary>Packages of a software bill of materials: CycloneDX 1.x in JSON or XML, SPDX 2.x in JSON or in tags and values, bare or in an attestation.</summary>
public static class SbomPackages
{
    private const int MaxDepth = 50;

    /// <summary>
    /// The packages that a document names by package URL. A document of another kind is refused. What the document as a whole is about is no package of it, an image never; a document that lies
    /// beside a program and describes that very program is read with <paramref name="withRoot"/>.
    /// </summary>
    public static IReadOnlyList<Package> Read(ReadOnlyMemory<byte> text, bool withRoot = false)
    {
        var root = SbomDocument.Open(text);
        if (root.Of("bomFormat") == "CycloneDX") return CycloneDx(root, withRoot);
        return root.Of("spdxVersion").StartsWith("SPDX-", StringComparison.Ordinal) ? Spdx(root, withRoot) : throw new InvalidDataException("sbom: neither CycloneDX nor SPDX");
    }

    /// <summary>Whether the document is SPDX.</summary>
    public static bool IsSpdx(ReadOnlyMemory<byte> text) => SbomDocument.Open(text).Of("spdxVersion").Length > 0;

    /// <summary>The distribution that a document names, or null.</summary>
    public static Distribution? ReadDistribution(ReadOnlyMemory<byte> text)
    {
        var root = SbomDocument.Open(text);
        foreach (var one in root["components"].Items.Append(root["metadata"]["component"]).Where(one => one.Of("type") == "operating-system"))
            return new Distribution(one.Of("name"), one.Of("version"));
        foreach (var one in root["packages"].Items.Where(one => one.Of("primaryPackagePurpose") is "OPERATING_SYSTEM" or "OPERATING-SYSTEM" || one.Of("SPDXID").StartsWith("SPDXRef-OperatingSystem", StringComparison.Ordinal)))
            return new Distribution(one.Of("name"), one.Of("versionInfo"));
        return null;
    }

    private static List<Package> CycloneDx(DataNode root, bool withRoot)
    {
        var found = new List<Package>();
        var subject = withRoot ? "" : root["metadata"]["component"].Of("bom-ref");
        Add(root["components"], 0);
        return found;

        void Add(DataNode components, int depth)
        {
            if (depth > MaxDepth) throw new InvalidDataException("sbom: components are nested too deeply");
            foreach (var component in components.Items)
            {
                if ((subject.Length == 0 || component.Of("bom-ref") != subject) && component.Of("purl") is { Length: > 0 } purl && PackageUrls.Parse(purl) is { } url && !IsImage(url)) found.Add(CycloneDxPackage(component, url));
                Add(component["components"], depth + 1);
            }
        }
    }

    private static Package CycloneDxPackage(DataNode component, PackageUrl url)
    {
        var package = PackageUrls.ToPackage(url);
        var properties = component["properties"].Items.GroupBy(one => one.Of("name")).ToDictionary(group => group.Key, group => group.First().Of("value"), StringComparer.Ordinal);
        string Trivy(string name) => properties.GetValueOrDefault("aquasecurity:trivy:" + name) ?? "";
        return WithSource(package, Trivy("SrcName"), Trivy("SrcEpoch"), Trivy("SrcVersion"), Trivy("SrcRelease")) with
        {
            Path = Trivy("FilePath"),
            Layer = Trivy("LayerDiffID"),
            Modularity = Trivy("Modularitylabel") is { Length: > 0 } label ? label : package.Modularity,
            Licenses = [.. component["licenses"].Items.Select(one => one.Of("expression") is { Length: > 0 } text ? text : one["license"].Of("id") is { Length: > 0 } id ? id : one["license"].Of("name")).Where(one => one.Length > 0)],
        };
    }

    private static Package WithSource(Package package, string name, string epoch, string version, string release)
    {
        if (name.Length == 0) return package;
        var full = (epoch is "" or "0" ? "" : epoch + ":") + version + (release.Length > 0 ? "-" + release : "");
        var own = (package.Epoch == 0 ? "" : package.Epoch + ":") + package.Version + (package.Release.Length > 0 ? "-" + package.Release : "");
        return package with { SourceName = name, SourceVersion = version.Length == 0 || full == own ? "" : full };
    }

    private static bool IsImage(PackageUrl url) => url.Type is "oci" or "docker";

    private static HashSet<string> Described(DataNode root) =>
    [
        .. root["documentDescribes"].Items.Select(one => one.Text ?? ""),
        .. root["relationships"].Items.Where(one => one.Of("relationshipType") == "DESCRIBES" && one.Of("spdxElementId") == "SPDXRef-DOCUMENT").Select(one => one.Of("relatedSpdxElement")),
        .. root["relationships"].Items.Where(one => one.Of("relationshipType") == "DESCRIBED_BY" && one.Of("relatedSpdxElement") == "SPDXRef-DOCUMENT").Select(one => one.Of("spdxElementId")),
    ];

    private static List<Package> Spdx(DataNode root, bool withRoot)
    {
        // A document that describes all of its packages one by one is a plain list.
        HashSet<string> described = withRoot ? [] : Described(root);
        if (described.Count > 1) described = [];
        var found = new List<Package>();
        foreach (var one in root["packages"].Items)
        {
            var purl = one["externalRefs"].Items.FirstOrDefault(reference => reference.Of("referenceType") == "purl")?.Of("referenceLocator") ?? "";
            if (purl.Length == 0 || described.Contains(one.Of("SPDXID")) || PackageUrls.Parse(purl) is not { } url || IsImage(url)) continue;
            var package = PackageUrls.ToPackage(url);
            var source = one.Of("sourceInfo");
            if (source.StartsWith("built package from: ", StringComparison.Ordinal) && source.LastIndexOf(' ') is var space and > 20) package = WithSource(package, source[20..space], "", source[(space + 1)..], "");
            var licenses = new[] { one.Of("licenseConcluded"), one.Of("licenseDeclared") }.Where(text => text is not ("" or "NOASSERTION" or "NONE")).Take(1).ToList();
            found.Add(package with { Licenses = licenses });
        }
        return found;
    }
}
