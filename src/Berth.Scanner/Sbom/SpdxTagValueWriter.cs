using System.Text;
using System.Text.Json;
using Berth.Scanner.Reports;

namespace Berth.Scanner.Sbom;

/// <summary>
/// Writes SPDX 2.3 as lines of tag and value (specification, chapters 6 to 12): the facts of <see cref="SpdxWriter"/> in the other form.
/// </summary>
public static class SpdxTagValueWriter
{
    // Tag of a package's members that have one value, in the order in which they stand.
    private static readonly (string Tag, string Member)[] PackageTags =
    [
        ("PackageName", "name"), ("SPDXID", "SPDXID"), ("PackageVersion", "versionInfo"), ("PackageSupplier", "supplier"), ("PackageDownloadLocation", "downloadLocation"),
        ("FilesAnalyzed", "filesAnalyzed"), ("PackageSourceInfo", "sourceInfo"), ("PackageLicenseConcluded", "licenseConcluded"), ("PackageLicenseDeclared", "licenseDeclared"),
        ("PackageCopyrightText", "copyrightText"), ("PrimaryPackagePurpose", "primaryPackagePurpose"),
    ];

    // Values that are texts between marks: what stands in them may have several lines.
    private static readonly HashSet<string> Texts = ["PackageSourceInfo", "AnnotationComment", "ExtractedText"];

    public static void Write(Stream output, ScanReport report)
    {
        using var json = new MemoryStream();
        SpdxWriter.Write(json, report);
        using var document = JsonDocument.Parse(json.GetBuffer().AsMemory(0, (int)json.Length));
        var (text, root) = (new StringBuilder(), document.RootElement);
        Line(text, "SPDXVersion", root, "spdxVersion");
        Line(text, "DataLicense", root, "dataLicense");
        Line(text, "SPDXID", root, "SPDXID");
        Line(text, "DocumentName", root, "name");
        Line(text, "DocumentNamespace", root, "documentNamespace");
        var creation = root.GetProperty("creationInfo");
        foreach (var creator in Items(creation, "creators")) Line(text, "Creator", creator.GetString()!);
        Line(text, "Created", creation, "created");
        foreach (var package in Items(root, "packages")) WritePackage(text, package);
        foreach (var licence in Items(root, "hasExtractedLicensingInfos"))
        {
            text.Append('\n');
            Line(text, "LicenseID", licence, "licenseId");
            Line(text, "ExtractedText", licence, "extractedText");
            Line(text, "LicenseName", licence, "name");
        }
        text.Append('\n');
        foreach (var relationship in Items(root, "relationships"))
            Line(text, "Relationship", $"{Text(relationship, "spdxElementId")} {Text(relationship, "relationshipType")} {Text(relationship, "relatedSpdxElement")}");
        output.Write(Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static void WritePackage(StringBuilder text, JsonElement package)
    {
        text.Append('\n');
        foreach (var (tag, member) in PackageTags) Line(text, tag, package, member);
        foreach (var reference in Items(package, "externalRefs"))
            Line(text, "ExternalRef", $"{Text(reference, "referenceCategory")} {Text(reference, "referenceType")} {Text(reference, "referenceLocator")}");
        foreach (var annotation in Items(package, "annotations"))
        {
            Line(text, "Annotator", annotation, "annotator");
            Line(text, "AnnotationDate", annotation, "annotationDate");
            Line(text, "AnnotationType", annotation, "annotationType");
            Line(text, "SPDXREF", package, "SPDXID");
            Line(text, "AnnotationComment", annotation, "comment");
        }
    }

    private static void Line(StringBuilder text, string tag, JsonElement element, string member)
    {
        if (Text(element, member) is { Length: > 0 } value) Line(text, tag, value);
    }

    // Names come from images: none may begin a line of its own, or end the text that it stands in.
    private static void Line(StringBuilder text, string tag, string value) => text.Append(tag).Append(": ")
        .Append(Texts.Contains(tag) ? $"<text>{value.Replace("</text>", "</ text>", StringComparison.OrdinalIgnoreCase)}</text>" : string.Concat(value.Select(static c => char.IsControl(c) || c is '\u2028' or '\u2029' ? ' ' : c)))
        .Append('\n');

    private static IEnumerable<JsonElement> Items(JsonElement element, string member) => element.TryGetProperty(member, out var list) ? list.EnumerateArray() : Enumerable.Empty<JsonElement>();

    private static string Text(JsonElement element, string member) => !element.TryGetProperty(member, out var value) ? "" : value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => "",
    };
}
