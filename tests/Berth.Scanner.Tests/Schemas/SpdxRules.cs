using System.Text.Json;
using System.Text.RegularExpressions;
using Berth.Scanner.Inventory;

namespace Berth.Scanner.Tests.Schemas;

/// <summary>Holds SPDX 2.3 documents in JSON to the clauses of the specification (numbers in brackets), which ask for more than its JSON schema.</summary>
internal static partial class SpdxRules
{
    private static readonly HashSet<string> DocumentMembers = Set("spdxVersion dataLicense SPDXID name documentNamespace creationInfo packages hasExtractedLicensingInfos relationships annotations comment documentDescribes externalDocumentRefs files snippets");

    private static readonly HashSet<string> PackageMembers = Set(
        "SPDXID name versionInfo packageFileName supplier originator downloadLocation filesAnalyzed packageVerificationCode checksums homepage sourceInfo licenseConcluded licenseInfoFromFiles licenseDeclared "
        + "licenseComments copyrightText summary description comment externalRefs attributionTexts primaryPackagePurpose releaseDate builtDate validUntilDate annotations hasFiles");

    private static readonly HashSet<string> Purposes = Set("OTHER INSTALL ARCHIVE FIRMWARE APPLICATION FRAMEWORK LIBRARY CONTAINER SOURCE DEVICE OPERATING_SYSTEM FILE");

    private static readonly HashSet<string> Relationships = Set("DESCRIBES CONTAINS DEPENDS_ON");

    private static readonly HashSet<string> Licences =
        [.. JsonDocument.Parse(File.ReadAllBytes(TestFiles.Of("schemas", "spdx.SNAPSHOT.schema.json"))).RootElement.GetProperty("enum").EnumerateArray().Select(one => one.GetString()!)];

    /// <summary>What is wrong; empty when nothing is.</summary>
    public static IReadOnlyList<string> Problems(JsonElement document)
    {
        var problems = new List<string>();
        void Want(bool holds, string what)
        {
            if (!holds && problems.Count < 20) problems.Add(what);
        }
        Document(document, Want);
        var extracted = Items(document, "hasExtractedLicensingInfos").Select(one => Text(one, "licenseId")).ToList();
        foreach (var one in Items(document, "hasExtractedLicensingInfos"))
        {
            Want(LicenseReference().IsMatch(Text(one, "licenseId")), $"[10.1] {Text(one, "licenseId")}");
            Want(Text(one, "extractedText").Length > 0, $"[10.2] {Text(one, "licenseId")} has no text");
        }
        Want(extracted.Count == extracted.Distinct(StringComparer.Ordinal).Count(), "[10.1] a reference to a licence is explained twice");
        var ids = new HashSet<string>(StringComparer.Ordinal) { "SPDXRef-DOCUMENT" };
        foreach (var package in Items(document, "packages"))
        {
            Want(ids.Add(Text(package, "SPDXID")), $"[7.2] {Text(package, "SPDXID")} is there twice");
            Package(package, [.. extracted], Want);
        }
        foreach (var one in Items(document, "relationships"))
        {
            Want(Relationships.Contains(Text(one, "relationshipType")), $"[11.1] {Text(one, "relationshipType")}");
            Want(ids.Contains(Text(one, "spdxElementId")) && ids.Contains(Text(one, "relatedSpdxElement")), $"[11.1] {one} names what is not there");
        }
        Want(Items(document, "relationships").Any(one => Text(one, "relationshipType") == "DESCRIBES" && Text(one, "spdxElementId") == "SPDXRef-DOCUMENT"), "[11.1] the document describes nothing");
        return problems;
    }

    private static void Document(JsonElement document, Action<bool, string> want)
    {
        foreach (var member in document.EnumerateObject()) want(DocumentMembers.Contains(member.Name), $"the document has the member {member.Name}");
        want(Text(document, "spdxVersion") == "SPDX-2.3", "[6.1] version");
        want(Text(document, "dataLicense") == "CC0-1.0", "[6.2] licence of the data");
        want(Text(document, "SPDXID") == "SPDXRef-DOCUMENT", "[6.3] identifier");
        want(IsLine(Text(document, "name")), "[6.4] name");
        want(Uri.IsWellFormedUriString(Text(document, "documentNamespace"), UriKind.Absolute) && !Text(document, "documentNamespace").Contains('#'), "[6.5] name space");
        var creation = document.GetProperty("creationInfo");
        want(Items(creation, "creators").Any() && Items(creation, "creators").All(one => Actor().IsMatch(one.GetString()!)), "[6.8] creators");
        want(Date().IsMatch(Text(creation, "created")), "[6.9] time");
    }

    private static void Package(JsonElement package, HashSet<string> extracted, Action<bool, string> want)
    {
        var id = Text(package, "SPDXID");
        foreach (var member in package.EnumerateObject()) want(PackageMembers.Contains(member.Name), $"{id} has the member {member.Name}");
        want(Text(package, "name").Length > 0, $"[7.1] {id} has no name");
        want(Identifier().IsMatch(id), $"[7.2] {id}");
        want(Text(package, "supplier") == "NOASSERTION" || Actor().IsMatch(Text(package, "supplier")), $"[7.5] supplier of {id}");
        want(Text(package, "downloadLocation") is "NONE" or "NOASSERTION", $"[7.7] location of {id}");
        want(package.TryGetProperty("filesAnalyzed", out var analyzed) && analyzed.ValueKind == JsonValueKind.False, $"[7.8] files of {id}");
        want(IsLicence(Text(package, "licenseConcluded"), extracted), $"[7.13] {Text(package, "licenseConcluded")}");
        want(IsLicence(Text(package, "licenseDeclared"), extracted), $"[7.15] {Text(package, "licenseDeclared")}");
        want(Text(package, "copyrightText").Length > 0, $"[7.17] copyright of {id}");
        want(Purposes.Contains(Text(package, "primaryPackagePurpose")), $"[7.24] {Text(package, "primaryPackagePurpose")}");
        foreach (var reference in Items(package, "externalRefs"))
        {
            want(Text(reference, "referenceCategory") == "PACKAGE-MANAGER" && Text(reference, "referenceType") == "purl", $"[7.21] {reference}");
            want(Text(reference, "referenceLocator") is var url && !url.Contains(' ') && PackageUrls.Parse(url) is not null, $"[7.21] {reference}");
        }
        foreach (var one in Items(package, "annotations"))
        {
            want(Actor().IsMatch(Text(one, "annotator")) && Date().IsMatch(Text(one, "annotationDate")), $"[12.1] {one}");
            want(Text(one, "annotationType") == "OTHER" && Text(one, "comment").Length > 0, $"[12.3] {one}");
        }
    }

    // Annex D: identifiers, references that are explained, AND, OR, WITH.
    private static bool IsLicence(string text, HashSet<string> extracted)
    {
        if (text is "NOASSERTION" or "NONE") return true;
        var words = text.Replace("(", " ( ").Replace(")", " ) ").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Length > 0 && words.Select((word, i) => (word, after: i > 0 ? words[i - 1] : "")).All(one =>
            one.word is "AND" or "OR" or "WITH" or "(" or ")" || Licences.Contains(one.word) || extracted.Contains(one.word) || one.after == "WITH") && words[^1] is not ("AND" or "OR" or "WITH");
    }

    private static bool IsLine(string text) => text.Length > 0 && !text.Contains('\n');

    private static IEnumerable<JsonElement> Items(JsonElement from, string name) => from.TryGetProperty(name, out var list) ? list.EnumerateArray() : [];

    private static string Text(JsonElement from, string name) => from.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static HashSet<string> Set(string words) => [.. words.Split(' ')];

    [GeneratedRegex(@"^SPDXRef-[A-Za-z0-9.-]+$")]
    private static partial Regex Identifier();

    [GeneratedRegex(@"^LicenseRef-[A-Za-z0-9.-]+$")]
    private static partial Regex LicenseReference();

    [GeneratedRegex(@"^(Tool: [^ ]+|Organization: .+|Person: .+)$")]
    private static partial Regex Actor();

    [GeneratedRegex(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")]
    private static partial Regex Date();
}
