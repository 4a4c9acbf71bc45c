using System.Text;

namespace Berth.Scanner.Inventory.Analyzers.Text;

/// <summary>Lines of a text, without their ends; bytes that are no UTF-8 become replacement characters.</summary>
internal static class Lines
{
    /// <summary>Walks over the lines without holding them all.</summary>
    public static IEnumerable<string> Of(ReadOnlyMemory<byte> text)
    {
        if (text.Span.StartsWith("\uFEFF"u8)) text = text[3..];
        while (!text.IsEmpty)
        {
            var end = text.Span.IndexOf((byte)'\n');
            var line = end < 0 ? text.Span : text.Span[..end];
            yield return Encoding.UTF8.GetString(line.TrimEnd((byte)'\r'));
            text = end < 0 ? default : text[(end + 1)..];
        }
    }

    /// <summary>The whole text.</summary>
    public static string Text(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text.StartsWith("\uFEFF"u8) ? text[3..] : text);
}

/// <summary>Reads paragraphs of <c>Field: value</c> lines (deb822, RFC 822 headers of Python and Java): continued lines are joined by a line break.</summary>
internal static class Paragraphs
{
    /// <summary>The paragraphs; field names in small letters. Of two fields with one name the first counts.</summary>
    public static IEnumerable<Dictionary<string, string>> Of(ReadOnlyMemory<byte> text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        string? last = null;
        StringBuilder? more = null;
        foreach (var line in Lines.Of(text))
        {
            if (line.AsSpan().Trim().IsEmpty)
            {
                Close();
                if (fields.Count > 0) yield return fields;
                fields = new Dictionary<string, string>(StringComparer.Ordinal);
                last = null;
                continue;
            }
            if (line[0] is ' ' or '\t')
            {
                if (last is not null) (more ??= new StringBuilder(fields[last])).Append('\n').Append(line.AsSpan().Trim());
                continue;
            }
            Close();
            var colon = line.IndexOf(':');
            if (colon <= 0)
            {
                last = null;
                continue;
            }
            var name = line[..colon].Trim().ToLowerInvariant();
            last = fields.TryAdd(name, line[(colon + 1)..].Trim()) ? name : null;
        }
        Close();
        if (fields.Count > 0) yield return fields;

        void Close()
        {
            if (more is not null && last is not null) fields[last] = more.ToString();
            more = null;
        }
    }
}
