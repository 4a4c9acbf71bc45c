using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Berth.Scanner.Inventory.Analyzers.Text;

namespace Berth.Scanner.Inventory.Analyzers.Sboms;

/// <summary>
/// A bill of materials taken out of what it is wrapped in and brought into the shape of its JSON form: a sigstore bundle holds an envelope (DSSE), that an in-toto statement, that the document.
/// CycloneDX may be XML and SPDX lines of tags and values.
/// </summary>
internal static class SbomDocument
{
    private const int MaxWrappings = 4;

    /// <summary>The document as a map, of whatever kind it is.</summary>
    public static DataNode Open(ReadOnlyMemory<byte> text)
    {
        var head = Head(text.Span);
        if (SpdxTags.IsDocument(text)) return SpdxTags.Read(text);
        if (head.StartsWith("<"u8)) return OfXml(text);
        try
        {
            return Unwrap(JsonText.Map(text.Span), 0);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"sbom: {e.Message}", e);
        }
    }

    private static ReadOnlySpan<byte> Head(ReadOnlySpan<byte> text) => (text.StartsWith("\uFEFF"u8) ? text[3..] : text).TrimStart(" \t\r\n"u8);

    private static DataNode Unwrap(DataNode root, int depth)
    {
        if (depth == MaxWrappings) return root;
        if (root["dsseEnvelope"].IsMap) return Unwrap(root["dsseEnvelope"], depth + 1);
        if (root.Of("payload").Length > 0 && root.Of("payloadType").Length > 0) return Unwrap(JsonText.Map(Payload(root.Of("payload"))), depth + 1);
        var predicate = root["predicate"];
        // Older tools put the document into a field of the predicate, as an object or as text.
        if (predicate["Data"].Exists) predicate = predicate["Data"];
        if (predicate.Text is { Length: > 0 } inside) return Unwrap(JsonText.Map(Encoding.UTF8.GetBytes(inside)), depth + 1);
        return predicate.IsMap ? Unwrap(predicate, depth + 1) : root;
    }

    private static byte[] Payload(string text)
    {
        var bytes = new byte[(text.Length / 4 + 1) * 3];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : throw new InvalidDataException("sbom: envelope is not base64");
    }

    private static DataNode OfXml(ReadOnlyMemory<byte> text)
    {
        XElement root;
        try
        {
            root = XmlText.Read(text);
        }
        catch (System.Xml.XmlException e)
        {
            throw new InvalidDataException("sbom: broken XML", e);
        }
        var isCycloneDx = root.Name.LocalName == "bom" && root.Name.NamespaceName.StartsWith("http://cyclonedx.org/schema/bom", StringComparison.Ordinal);
        var members = new Dictionary<string, DataNode>(StringComparer.Ordinal) { ["bomFormat"] = new(isCycloneDx ? "CycloneDX" : ""), ["components"] = Components(root) };
        if (XmlText.Children(root, "metadata").SelectMany(one => XmlText.Children(one, "component")).FirstOrDefault() is { } subject)
            members["metadata"] = new DataNode(new Dictionary<string, DataNode>(StringComparer.Ordinal) { ["component"] = Component(subject) });
        return new DataNode(members);
    }

    private static DataNode Components(XElement parent) =>
        new(XmlText.Children(parent, "components").SelectMany(one => XmlText.Children(one, "component")).Select(Component).ToList());

    private static DataNode Component(XElement element)
    {
        var members = new Dictionary<string, DataNode>(StringComparer.Ordinal) { ["components"] = Components(element) };
        foreach (var name in (string[])["type", "bom-ref"]) members[name] = new DataNode(element.Attribute(name)?.Value ?? "");
        foreach (var name in (string[])["name", "version", "purl"]) members[name] = new DataNode(XmlText.Child(element, name));
        members["properties"] = new DataNode(XmlText.Children(element, "properties").SelectMany(one => XmlText.Children(one, "property"))
            .Select(one => Map(("name", one.Attribute("name")?.Value ?? ""), ("value", one.Value.Trim()))).ToList());
        members["licenses"] = new DataNode(XmlText.Children(element, "licenses").Elements().Select(License).ToList());
        return new DataNode(members);
    }

    private static DataNode License(XElement element) => element.Name.LocalName == "expression"
        ? Map(("expression", element.Value.Trim()))
        : new DataNode(new Dictionary<string, DataNode>(StringComparer.Ordinal) { ["license"] = Map(("id", XmlText.Child(element, "id")), ("name", XmlText.Child(element, "name"))) });

    private static DataNode Map(params (string Name, string Value)[] members) =>
        new(members.ToDictionary(one => one.Name, one => new DataNode(one.Value), StringComparer.Ordinal));
}
