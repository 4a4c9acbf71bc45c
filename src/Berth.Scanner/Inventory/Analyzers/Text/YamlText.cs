using System.Text;

namespace Berth.Scanner.Inventory.Analyzers.Text;

/// <summary>
/// Reads the YAML that lock files are written in: block and flow collections, plain and quoted scalars, block scalars, explicit keys. Anchors are dropped and
/// aliases stay text, so that no document grows beyond its size.
/// </summary>
internal sealed class YamlText
{
    // What goes on over lines is looked at again with each of them.
    private const int MaxContinued = 256;
    private const int MaxScalar = 1 << 18;
    private readonly List<(int Indent, string Text)> lines = [];
    private readonly NodeBudget budget = new();
    private int row;

    private YamlText(string text)
    {
        var hasText = false;
        foreach (var raw in text.Split('\n'))
        {
            if (raw.Length > MaxScalar) throw Broken("line is too long");
            var line = raw.TrimEnd('\r', ' ', '\t');
            if (line.StartsWith("--- ", StringComparison.Ordinal) || line is "---" or "...")
            {
                if (hasText) break;
                continue;
            }
            if (line.StartsWith('%') && lines.Count == 0) continue;
            var indent = line.Length - line.AsSpan().TrimStart(' ').Length;
            hasText |= indent < line.Length;
            lines.Add((indent, line[indent..]));
        }
    }

    /// <summary>The first document; <see cref="DataNode.Missing"/> when the text is empty.</summary>
    public static DataNode Read(ReadOnlySpan<byte> bytes)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        var reader = new YamlText(text.StartsWith('\uFEFF') ? text[1..] : text);
        if (!reader.SkipBlank()) return DataNode.Missing;
        var node = reader.Block(reader.lines[reader.row].Indent, 0);
        return reader.SkipBlank() ? throw Broken("text after the document") : node;
    }

    private DataNode Block(int indent, int depth)
    {
        budget.Take(depth);
        var text = lines[row].Text;
        if (IsItem(text)) return Sequence(indent, depth);
        if (text.StartsWith("? ", StringComparison.Ordinal) || KeyEnd(text) >= 0) return Map(indent, depth);
        return Inline(text, indent - 1, depth, takesRow: true);
    }

    private DataNode Sequence(int indent, int depth)
    {
        var items = new List<DataNode>();
        while (SkipBlank() && lines[row].Indent == indent && IsItem(lines[row].Text))
        {
            var rest = lines[row].Text[1..];
            var inner = rest.TrimStart(' ');
            if (inner.Length == 0 || inner[0] == '#')
            {
                row++;
                items.Add(SkipBlank() && lines[row].Indent > indent ? Block(lines[row].Indent, depth + 1) : DataNode.Missing);
                continue;
            }
            // What follows the dash is a line of its own, as deep as it stands.
            var column = indent + 1 + rest.Length - inner.Length;
            lines[row] = (column, inner);
            items.Add(Block(column, depth + 1));
        }
        if (row < lines.Count && SkipBlank() && lines[row].Indent > indent) throw Broken("indentation");
        return new DataNode(items);
    }

    private DataNode Map(int indent, int depth)
    {
        var map = new Dictionary<string, DataNode>(StringComparer.Ordinal);
        while (SkipBlank() && lines[row].Indent == indent)
        {
            var text = lines[row].Text;
            string key;
            string rest;
            if (text.StartsWith("? ", StringComparison.Ordinal))
            {
                key = Scalar(text[2..].Trim());
                row++;
                if (!SkipBlank() || lines[row].Indent != indent || lines[row].Text[0] != ':') throw Broken("key without value");
                rest = lines[row].Text[1..].TrimStart();
            }
            else
            {
                if (IsItem(text)) break;
                var end = KeyEnd(text);
                if (end < 0) throw Broken("line is no key");
                key = Scalar(text[..end].TrimEnd());
                rest = text[(end + 1)..].TrimStart();
            }
            map[key] = MapValue(rest, indent, depth);
        }
        if (SkipBlank() && lines[row].Indent > indent) throw Broken("indentation");
        return new DataNode(map);
    }

    private DataNode MapValue(string rest, int indent, int depth)
    {
        rest = WithoutProperties(rest);
        if (rest.Length > 0 && rest[0] != '#') return Inline(rest, indent, depth + 1, takesRow: true);
        row++;
        if (!SkipBlank()) return DataNode.Missing;
        var next = lines[row];
        // A sequence may stand as deep as its key.
        var isChild = next.Indent > indent || (next.Indent == indent && IsItem(next.Text));
        return isChild ? Block(next.Indent, depth + 1) : DataNode.Missing;
    }

    private DataNode Inline(string text, int parent, int depth, bool takesRow)
    {
        budget.Take(depth);
        if (takesRow) row++;
        if (text[0] is '|' or '>') return BlockScalar(text[0] == '>', parent);
        if (text[0] is '{' or '[') return Flow(text, depth);
        if (text[0] is '"' or '\'')
        {
            var quoted = new StringBuilder(text);
            for (var first = row; QuoteEnd(quoted.ToString(), 0) < 0;)
            {
                if (row >= lines.Count || row - first > MaxContinued || quoted.Length > MaxScalar) throw Broken("string has no end");
                quoted.Append(' ').Append(lines[row++].Text);
            }
            var whole = quoted.ToString();
            var end = QuoteEnd(whole, 0);
            var after = whole[(end + 1)..].TrimStart();
            return after.Length == 0 || after[0] == '#' ? new DataNode(Scalar(whole[..(end + 1)])) : throw Broken("text after a string");
        }
        var plain = new StringBuilder(WithoutComment(text));
        while (row < lines.Count && lines[row].Text.Length > 0 && lines[row].Indent > parent && lines[row].Text[0] != '#' && KeyEnd(lines[row].Text) < 0)
            plain.Append(' ').Append(WithoutComment(lines[row++].Text));
        var value = plain.ToString();
        return value is "~" or "null" ? DataNode.Missing : new DataNode(value);
    }

    private DataNode BlockScalar(bool folded, int parent)
    {
        var made = new StringBuilder();
        var indent = -1;
        while (row < lines.Count && (lines[row].Text.Length == 0 || lines[row].Indent > parent))
        {
            var (depth, text) = lines[row++];
            if (indent < 0 && text.Length > 0) indent = depth;
            if (made.Length > 0) made.Append(folded ? ' ' : '\n');
            if (text.Length > 0) made.Append(' ', Math.Max(0, depth - indent)).Append(text);
        }
        return new DataNode(made.ToString());
    }

    private DataNode Flow(string text, int depth)
    {
        var whole = new StringBuilder(text);
        for (var first = row; !FlowReader.IsComplete(whole.ToString());)
        {
            if (row >= lines.Count || row - first > MaxContinued || whole.Length > MaxScalar) throw Broken("list or map has no end");
            whole.Append(' ').Append(lines[row++].Text);
        }
        return new FlowReader(whole.ToString(), budget).Read(depth);
    }

    private bool SkipBlank()
    {
        while (row < lines.Count && (lines[row].Text.Length == 0 || lines[row].Text[0] == '#')) row++;
        return row < lines.Count;
    }

    private static bool IsItem(string text) => text[0] == '-' && (text.Length == 1 || text[1] == ' ');

    private static string WithoutComment(string text) => text.IndexOf(" #", StringComparison.Ordinal) is var at and >= 0 ? text[..at].TrimEnd() : text;

    private static string WithoutProperties(string text)
    {
        while (text.Length > 0 && text[0] is '&' or '!')
        {
            var space = text.IndexOf(' ');
            text = space < 0 ? "" : text[space..].TrimStart();
        }
        return text;
    }

    /// <summary>Place of the colon that ends a key; -1 when the line is none.</summary>
    private static int KeyEnd(string text)
    {
        if (text[0] is '{' or '[') return -1;
        var from = 0;
        if (text[0] is '"' or '\'')
        {
            var end = QuoteEnd(text, 0);
            if (end < 0) return -1;
            from = end + 1;
            while (from < text.Length && text[from] == ' ') from++;
            return from < text.Length && text[from] == ':' && (from + 1 == text.Length || text[from + 1] == ' ') ? from : -1;
        }
        for (var i = from; i < text.Length; i++)
        {
            if (text[i] == ':' && (i + 1 == text.Length || text[i + 1] == ' ')) return i;
            if (text[i] == '#' && i > 0 && text[i - 1] == ' ') return -1;
        }
        return -1;
    }

    internal static int QuoteEnd(string text, int start)
    {
        var quote = text[start];
        for (var i = start + 1; i < text.Length; i++)
        {
            if (quote == '"' && text[i] == '\\') i++;
            else if (text[i] == quote)
            {
                if (quote == '\'' && i + 1 < text.Length && text[i + 1] == '\'') i++;
                else return i;
            }
        }
        return -1;
    }

    internal static string Scalar(string text)
    {
        if (text.Length < 2 || text[0] != text[^1] || text[0] is not ('"' or '\'')) return text;
        var inner = text[1..^1];
        if (text[0] == '\'') return inner.Replace("''", "'");
        if (!inner.Contains('\\')) return inner;
        var made = new StringBuilder(inner.Length);
        for (var i = 0; i < inner.Length; i++)
        {
            if (inner[i] != '\\' || i + 1 == inner.Length)
            {
                made.Append(inner[i]);
                continue;
            }
            i++;
            if (inner[i] is not ('x' or 'u' or 'U')) made.Append(inner[i] switch { 'n' => '\n', 't' => '\t', 'r' => '\r', '0' => '\0', 'e' => '\u001b', var c => c });
            else i += Coded(inner, i, made);
        }
        return made.ToString();
    }

    // \xHH, \uHHHH, \UHHHHHHHH; the digits that were taken.
    private static int Coded(string text, int at, StringBuilder made)
    {
        var digits = text[at] switch { 'x' => 2, 'u' => 4, _ => 8 };
        if (at + digits >= text.Length || !int.TryParse(text.AsSpan(at + 1, digits), System.Globalization.NumberStyles.HexNumber, null, out var code) || !Rune.IsValid(code)) throw Broken("escape");
        made.Append(new Rune(code).ToString());
        return digits;
    }

    internal static InvalidDataException Broken(string what) => new("YAML: " + what);
}

/// <summary>Reads one flow collection (<c>{a: 1}</c>, <c>[a, b]</c>).</summary>
internal sealed class FlowReader(string text, NodeBudget budget)
{
    private int at;

    /// <summary>Whether all brackets are closed.</summary>
    public static bool IsComplete(string text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] is '"' or '\'' && (i == 0 || text[i - 1] is ' ' or ',' or '{' or '[' or ':'))
            {
                i = YamlText.QuoteEnd(text, i);
                if (i < 0) return false;
            }
            else if (text[i] is '{' or '[') depth++;
            else if (text[i] is '}' or ']' && --depth == 0) return true;
        }
        return false;
    }

    /// <summary>The collection.</summary>
    public DataNode Read(int depth)
    {
        budget.Take(depth);
        Skip();
        if (Take('{'))
        {
            var map = new Dictionary<string, DataNode>(StringComparer.Ordinal);
            while (!Take('}'))
            {
                var key = Scalar(isKey: true);
                Skip();
                map[key] = Take(':') ? Read(depth + 1) : DataNode.Missing;
                Skip();
                if (!Take(',') && !(at < text.Length && text[at] == '}')) throw YamlText.Broken("map");
                Skip();
            }
            return new DataNode(map);
        }
        if (Take('['))
        {
            var list = new List<DataNode>();
            while (!Take(']'))
            {
                list.Add(Read(depth + 1));
                Skip();
                if (!Take(',') && !(at < text.Length && text[at] == ']')) throw YamlText.Broken("list");
                Skip();
            }
            return new DataNode(list);
        }
        var plain = Scalar(isKey: false);
        return plain is "" or "~" or "null" ? DataNode.Missing : new DataNode(plain);
    }

    private string Scalar(bool isKey)
    {
        Skip();
        if (at >= text.Length) throw YamlText.Broken("collection ends early");
        if (text[at] is '"' or '\'')
        {
            var end = YamlText.QuoteEnd(text, at);
            if (end < 0) throw YamlText.Broken("string has no end");
            var quoted = YamlText.Scalar(text[at..(end + 1)]);
            at = end + 1;
            return quoted;
        }
        var start = at;
        while (at < text.Length && text[at] is not (',' or '}' or ']') && !(isKey && text[at] == ':' && (at + 1 == text.Length || text[at + 1] is ' ' or ','))) at++;
        if (at == start && isKey) throw YamlText.Broken("key");
        return text[start..at].Trim();
    }

    private void Skip()
    {
        while (at < text.Length && text[at] is ' ' or '\t')
        {
            at++;
            if (at == text.Length) return;
        }
    }

    private bool Take(char c)
    {
        Skip();
        if (at >= text.Length || text[at] != c) return false;
        at++;
        return true;
    }
}
