using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Exceptions;

/// <summary>
/// The vulnerabilities of a CycloneDX document with their analysis. What is affected is named by the reference of a component in the document, by a BOM-Link whose last
/// part is one, or by a package URL; an entry that names nothing is about all packages.
/// </summary>
public sealed class CycloneDxVex : IExceptionSource
{
    private readonly string _source;
    private readonly List<Entry> _entries = [];

    private sealed record Entry(string[] Flaws, string[] Purls, bool NamesAll, SuppressionStatus Status, string Reason);

    private CycloneDxVex(JsonElement json, string source)
    {
        _source = source.Length > 0 ? source : json.Text("serialNumber");
        var components = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var component in json.Items("components"))
            components.TryAdd(component.Text("bom-ref"), component.Text("purl"));
        foreach (var flaw in json.Items("vulnerabilities"))
        {
            if (flaw.Object("analysis") is not { } analysis || Status(analysis.Text("state")) is not { } status)
                continue;
            string[] reasons = [analysis.Text("justification"), analysis.Text("detail")];
            var affects = flaw.Items("affects").Select(static a => a.Text("ref")).Where(static r => r.Length > 0).ToList();
            _entries.Add(new Entry(
                [flaw.Text("id"), .. flaw.Items("references").Select(static r => r.Text("id"))], [.. affects.Select(r => Purl(r, components)).Where(static p => p.Length > 0)],
                affects.Count == 0, status, string.Join(": ", reasons.Where(static r => r.Length > 0))));
        }
    }

    /// <summary>Reads a document; <paramref name="source"/> names it in reports, else its serial number does. Throws <see cref="FormatException"/> when it is none.</summary>
    public static CycloneDxVex Parse(ReadOnlyMemory<byte> content, string source = "")
    {
        try
        {
            using var document = JsonDocument.Parse(content, JsonText.Options);
            return document.RootElement.Text("bomFormat") == "CycloneDX"
                ? new CycloneDxVex(document.RootElement, source)
                : throw new FormatException("this is no CycloneDX document");
        }
        catch (JsonException e)
        {
            throw new FormatException("the VEX document is no JSON", e);
        }
    }

    public Suppression? Find(Finding finding, ExceptionSubject subject)
    {
        foreach (var entry in _entries)
        {
            if (entry.Flaws.Any(f => f.Length > 0 && finding.AllIds.Contains(f, StringComparer.Ordinal))
                && (entry.NamesAll || entry.Purls.Any(p => PackagePattern.Names(p, finding.Package, subject.Distribution))))
                return new Suppression(_source, entry.Status, entry.Reason);
        }
        return null;
    }

    private static SuppressionStatus? Status(string state) => state switch
    {
        "resolved" or "resolved_with_pedigree" => SuppressionStatus.Fixed,
        "not_affected" or "false_positive" => SuppressionStatus.NotAffected,
        _ => null,
    };

    private static string Purl(string reference, Dictionary<string, string> components)
    {
        var name = reference.StartsWith("urn:cdx:", StringComparison.Ordinal) && reference.IndexOf('#') is var hash && hash > 0
            ? Uri.UnescapeDataString(reference[(hash + 1)..])
            : reference;
        if (components.TryGetValue(name, out var purl) && purl.Length > 0)
            return purl;
        return PackageUrls.Parse(name) is null ? "" : name;
    }
}
