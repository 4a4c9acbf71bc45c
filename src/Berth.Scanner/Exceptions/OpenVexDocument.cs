using System.Text.Json;
using Berth.Scanner.Advisories;
using Berth.Scanner.Inventory;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Exceptions;

/// <summary>
/// An OpenVEX document (specification 0.2): statements about products and the flaws in them. The newest statement about a flaw and product counts; those that say
/// <c>not_affected</c> or <c>fixed</c> take the finding out.
/// </summary>
public sealed class OpenVexDocument : IExceptionSource
{
    private readonly string _source;
    private readonly List<Statement> _statements = [];

    private sealed record Statement(string[] Flaws, List<Product> Products, string Status, string Reason, DateTimeOffset Time);

    private sealed record Product(string[] Ids, string[][] Subcomponents);

    private OpenVexDocument(JsonElement json, string source)
    {
        _source = source.Length > 0 ? source : json.Text("@id");
        var time = json.Time("timestamp") ?? DateTimeOffset.MinValue;
        foreach (var statement in json.Items("statements"))
        {
            string[] reasons = [statement.Text("justification"), statement.Text("impact_statement"), statement.Text("status_notes")];
            _statements.Add(new Statement(
                Flaws(statement), [.. statement.Items("products").Select(ToProduct)], statement.Text("status"),
                string.Join(": ", reasons.Where(static r => r.Length > 0)), statement.Time("timestamp") ?? time));
        }
    }

    /// <summary>Reads a document; <paramref name="source"/> names it in reports, else its own id does. Throws <see cref="FormatException"/> when it is none.</summary>
    public static OpenVexDocument Parse(ReadOnlyMemory<byte> content, string source = "")
    {
        try
        {
            using var document = JsonDocument.Parse(content, JsonText.Options);
            var root = document.RootElement;
            // An attestation carries the document as its predicate.
            if (root.Object("predicate") is { } predicate)
                root = predicate;
            return root.Text("@context").Contains("openvex", StringComparison.OrdinalIgnoreCase) || root.Items("statements").Any()
                ? new OpenVexDocument(root, source)
                : throw new FormatException("this is no OpenVEX document");
        }
        catch (JsonException e)
        {
            throw new FormatException("the VEX document is no JSON", e);
        }
    }

    public Suppression? Find(Finding finding, ExceptionSubject subject)
    {
        Statement? newest = null;
        foreach (var statement in _statements)
        {
            if ((newest is null || statement.Time >= newest.Time) && statement.Flaws.Any(f => finding.AllIds.Contains(f, StringComparer.Ordinal))
                && statement.Products.Any(p => IsAbout(p, finding.Package, subject)))
                newest = statement;
        }
        return newest?.Status switch
        {
            "not_affected" => new Suppression(_source, SuppressionStatus.NotAffected, newest.Reason),
            "fixed" => new Suppression(_source, SuppressionStatus.Fixed, newest.Reason),
            _ => null,
        };
    }

    /// <summary>Either the product is the package, or it is the image and its subcomponents (if any are named) include the package.</summary>
    private static bool IsAbout(Product product, Package package, ExceptionSubject subject)
    {
        if (product.Ids.Any(id => PackagePattern.Names(id, package, subject.Distribution)))
            return product.Subcomponents.Length == 0;
        if (!product.Ids.Any(id => subject.ProductIds.Any(actual => IsSameProduct(id, actual))))
            return false;
        return product.Subcomponents.Length == 0 || product.Subcomponents.Any(s => s.Any(id => PackagePattern.Names(id, package, subject.Distribution)));
    }

    private static bool IsSameProduct(string wanted, string actual) => wanted == actual
        || (PackageUrls.Parse(wanted) is { } left && PackageUrls.Parse(actual) is { } right && PackagePattern.Names(left, right));

    private static string[] Flaws(JsonElement statement)
    {
        if (statement.Object("vulnerability") is not { } flaw)
            return [statement.Text("vulnerability")];
        return [.. flaw.Texts("aliases").Append(flaw.Text("name")).Append(flaw.Text("@id")).Where(static f => f.Length > 0)];
    }

    private static Product ToProduct(JsonElement json) => new(Ids(json), [.. json.Items("subcomponents").Select(Ids)]);

    private static string[] Ids(JsonElement json)
    {
        if (json.ValueKind == JsonValueKind.String)
            return [JsonText.SafeString(json)];
        IEnumerable<string> ids = [json.Text("@id"), (json.Object("identifiers") ?? default).Text("purl"), .. json.Properties("hashes").Select(static h => $"sha256:{h.Value}")];
        return [.. ids.Where(static i => i.Length > 0)];
    }
}
