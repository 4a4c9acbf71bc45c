using Berth.Scanner.Inventory.Analyzers.Text;

namespace Berth.Scanner.Inventory.Analyzers.Sboms;

/// <summary>SPDX 2.x as lines of tags and values, in the shape of its JSON form: what is asked of packages and their relationships (SPDX 2.3, clauses 7 and 11).</summary>
internal static class SpdxTagValue
{
    private const int MaxPackages = 200_000;

    // Tags of a package with the names of its members in JSON.
    private static readonly Dictionary<string, string> Members = new(StringComparer.Ordinal)
    {
        ["SPDXID"] = "SPDXID",
        ["PackageVersion"] = "versionInfo",
        ["PackageSourceInfo"] = "sourceInfo",
        ["PackageLicenseConcluded"] = "licenseConcluded",
        ["PackageLicenseDeclared"] = "licenseDeclared",
        ["PrimaryPackagePurpose"] = "primaryPackagePurpose",
    };

    /// <summary>Reads the document.</summary>
    public static DataNode Read(ReadOnlyMemory<byte> text)
    {
        var packages = new List<DataNode>();
        var relationships = new List<DataNode>();
        var document = new Dictionary<string, DataNode>(StringComparer.Ordinal) { ["packages"] = new(packages), ["relationships"] = new(relationships) };
        var references = new List<DataNode>();
        Dictionary<string, DataNode>? package = null;
        foreach (var (tag, value) in Pairs(text))
        {
            switch (tag)
            {
                case "SPDXVersion":
                    document["spdxVersion"] = new DataNode(value);
                    break;
                case "PackageName":
                    if (packages.Count == MaxPackages) throw new InvalidDataException("sbom: document names too many packages");
                    references = [];
                    package = new(StringComparer.Ordinal) { ["name"] = new(value), ["externalRefs"] = new(references) };
                    packages.Add(new DataNode(package));
                    break;
                case "ExternalRef" when value.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [_, var type, var locator]:
                    references.Add(Map(("referenceType", type), ("referenceLocator", locator)));
                    break;
                case "Relationship" when value.Split(' ', 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is [var from, var kind, var to]:
                    relationships.Add(Map(("spdxElementId", from), ("relationshipType", kind), ("relatedSpdxElement", to)));
                    break;
                // What follows speaks of a file, a snippet or a licence.
                case "FileName" or "SnippetSPDXID" or "LicenseID":
                    package = null;
                    references = [];
                    break;
                default:
                    if (package is not null && Members.TryGetValue(tag, out var member)) package.TryAdd(member, new DataNode(value));
                    break;
            }
        }
        return new DataNode(document);
    }

    /// <summary>Tags with their values; a value in <c>&lt;text&gt;</c> may have several lines.</summary>
    private static IEnumerable<(string Tag, string Value)> Pairs(ReadOnlyMemory<byte> text)
    {
        const string Open = "<text>", Close = "</text>";
        var isOpen = false;
        foreach (var line in Lines.Of(text))
        {
            if (isOpen)
            {
                isOpen = !line.Contains(Close, StringComparison.Ordinal);
                continue;
            }
            var colon = line.IndexOf(':');
            if (colon <= 0 || line[0] == '#') continue;
            var value = line[(colon + 1)..].Trim();
            if (value.StartsWith(Open, StringComparison.Ordinal))
            {
                // Nothing that is asked for has more than one line.
                var end = value.IndexOf(Close, StringComparison.Ordinal);
                isOpen = end < 0;
                value = value[Open.Length..(end < 0 ? value.Length : end)];
            }
            yield return (line[..colon].Trim(), value);
        }
    }

    private static DataNode Map(params (string Name, string Value)[] members) =>
        new(members.ToDictionary(one => one.Name, one => new DataNode(one.Value), StringComparer.Ordinal));
}
