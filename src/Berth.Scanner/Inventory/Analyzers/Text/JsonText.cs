using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Berth.Scanner.Inventory.Analyzers.Text;

/// <summary>Reads JSON with the liberties lock files take: comments, trailing commas, a byte order mark. Of two members with one name the later counts.</summary>
internal static class JsonText
{
    /// <summary>The document.</summary>
    public static DataNode Read(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith("\uFEFF"u8)) text = text[3..];
        // Bytes that are no text become replacement characters, as Go's reader has it.
        if (!Utf8.IsValid(text)) text = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));
        var reader = new Utf8JsonReader(text, new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = NodeBudget.MaxDepth });
        if (!reader.Read()) throw new InvalidDataException("document is empty");
        var node = Value(ref reader, new NodeBudget(), 0);
        return reader.Read() ? throw new InvalidDataException("document has a rest") : node;
    }

    /// <summary>The document, which must be a map.</summary>
    public static DataNode Map(ReadOnlySpan<byte> text) => Read(text) is { IsMap: true } map ? map : throw new InvalidDataException("document is no object");

    private static DataNode Value(ref Utf8JsonReader reader, NodeBudget budget, int depth)
    {
        budget.Take(depth);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new Dictionary<string, DataNode>(StringComparer.Ordinal);
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = String(ref reader);
                    reader.Read();
                    map[name] = Value(ref reader, budget, depth + 1);
                }
                return new DataNode(map);
            case JsonTokenType.StartArray:
                var list = new List<DataNode>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray) list.Add(Value(ref reader, budget, depth + 1));
                return new DataNode(list);
            case JsonTokenType.String:
                return new DataNode(String(ref reader));
            case JsonTokenType.Null:
                return DataNode.Missing;
            default:
                return new DataNode(Encoding.UTF8.GetString(reader.ValueSpan));
        }
    }

    private static string String(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // Half of a pair of surrogates, written as an escape.
            throw new InvalidDataException("document has a text that is none", e);
        }
    }
}
