using Berth.Scanner.Inventory.Analyzers.Text;

namespace Berth.Scanner.Inventory.Analyzers.Sboms;

/// <summary>SPDX 2.x as tags and values (SPDX specification 2.3, annex "SPDX file formats"), read into the shape that its JSON has; only what tells of packages is kept.</summary>
internal static class SpdxTags
{
    private static readonly Dictionary<string, string> PackageFields = new(StringComparer.Ordinal)
    {
        ["PackageName"] = "name",
        ["SPDXID"] = "SPDXID",
        ["PackageVersion"] = "versionInfo",
        ["PackageSourceInfo"] = "sourceInfo",
        ["PackageLicenseConcluded"] = "licenseConcluded",
        ["PackageLicenseDeclared"] = "licenseDeclared",
        ["PrimaryPackagePurpose"] = "primaryPackagePurpose",
    };

    /// <summary>Whether a text begins like such a document: with its version, after blank lines and comments.</summary>
    public static bool IsDocument(ReadOnlyMemory<byte> text)
    {
        foreach (var line in Lines.Of(text[..Math.Min(text.Length, 4096)]))
            if (line.AsSpan().TrimStart() is { IsEmpty: false } start && start[0] != '#') return start.TrimStart('\uFEFF').StartsWith("SPDXVersion:", StringComparison.Ordinal);
        return false;
    }

    /// <summary>The document.</summary>
    public static DataNode Read(ReadOnlyMemory<byte> text)
    {
        var budget = new NodeBudget();
        var (packages, relationships) = (new List<DataNode>(), new List<DataNode>());
        var root = new Dictionary<string, DataNode>(StringComparer.Ordinal) { ["packages"] = new(packages), ["relationships"] = new(relationships) };
        Dictionary<string, DataNode>? package = null;
        var isLong = false;
        foreach (var line in Lines.Of(text))
        {
            // <text> … </text> may go over many lines.
            var wasLong = isLong;
            if (line.LastIndexOf("<text>", StringComparison.Ordinal) > line.LastIndexOf("</text>", StringComparison.Ordinal)) isLong = true;
            else if (line.Contains("</text>", StringComparison.Ordinal)) isLong = false;
            var colon = line.IndexOf(':');
            if (wasLong || colon <= 0 || line[0] == '#') continue;
            var (tag, value) = (line[..colon].Trim(), line[(colon + 1)..].Trim());
            if (tag == "SPDXVersion") root["spdxVersion"] = Text(value, budget);
            else if (tag == "Relationship") Add(relationships, value, ["spdxElementId", "relationshipType", "relatedSpdxElement"], budget);
            else if (tag == "PackageName") packages.Add(new DataNode(package = new(StringComparer.Ordinal) { ["name"] = Text(value, budget), ["externalRefs"] = new(new List<DataNode>()) }));
            // A file or a snippet is no package, though it has an id.
            else if (tag is "FileName" or "SnippetSPDXID" or "LicenseID") package = null;
            else if (tag == "ExternalRef" && package is not null) Add(package["externalRefs"].List!, value, ["referenceCategory", "referenceType", "referenceLocator"], budget);
            else if (package is not null && PackageFields.TryGetValue(tag, out var field)) package.TryAdd(field, Text(value, budget));
        }
        return new DataNode(root);
    }

    private static void Add(List<DataNode> list, string value, string[] fields, NodeBudget budget)
    {
        var words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < fields.Length) return;
        list.Add(new DataNode(fields.Zip(words).ToDictionary(pair => pair.First, pair => Text(pair.Second, budget), StringComparer.Ordinal)));
    }

    private static DataNode Text(string value, NodeBudget budget)
    {
        budget.Take(0);
        return new DataNode(value.Replace("<text>", "", StringComparison.Ordinal).Replace("</text>", "", StringComparison.Ordinal));
    }
}
