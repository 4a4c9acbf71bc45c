using System.Xml;
using System.Xml.Linq;

namespace Berth.Scanner.Inventory.Analyzers.Text;

/// <summary>Reads small XML files: no document type, no entities, nothing fetched.</summary>
internal static class XmlText
{
    private const int MaxDepth = 200;

    private static readonly XmlReaderSettings Settings = new()
    {
        DtdProcessing = DtdProcessing.Ignore,
        XmlResolver = null,
        MaxCharactersInDocument = 16 << 20,
        MaxCharactersFromEntities = 1024,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
    };

    /// <summary>The root element.</summary>
    public static XElement Read(ReadOnlyMemory<byte> text)
    {
        var bytes = text.ToArray();
        using (var check = XmlReader.Create(new MemoryStream(bytes, writable: false), Settings))
        {
            // The tree is walked by recursion later on.
            while (check.Read())
                if (check.Depth > MaxDepth) throw new InvalidDataException("XML: elements are nested too deeply");
        }
        using var reader = XmlReader.Create(new MemoryStream(bytes, writable: false), Settings);
        var root = XDocument.Load(reader).Root ?? throw new InvalidDataException("XML: no element");
        return root;
    }

    /// <summary>Text of a child, whatever its name space; empty when there is none.</summary>
    public static string Child(XElement element, string name) => element.Elements().FirstOrDefault(one => one.Name.LocalName == name)?.Value.Trim() ?? "";

    /// <summary>Children of a name, whatever their name space.</summary>
    public static IEnumerable<XElement> Children(XElement element, string name) => element.Elements().Where(one => one.Name.LocalName == name);
}
