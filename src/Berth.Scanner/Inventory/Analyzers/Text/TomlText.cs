using System.Text;

namespace Berth.Scanner.Inventory.Analyzers.Text;

/// <summary>Reads TOML 1.0. Numbers, dates and truth values keep their spelling.</summary>
internal sealed class TomlText
{
    private readonly string text;
    private readonly NodeBudget budget = new();
    private int at;

    private TomlText(string text) => this.text = text;

    /// <summary>The document.</summary>
    public static DataNode Read(ReadOnlySpan<byte> bytes)
    {
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        return new TomlText(text.StartsWith('\uFEFF') ? text[1..] : text).Document();
    }

    private DataNode Document()
    {
        var root = NewMap();
        var table = root;
        while (true)
        {
            SkipBlank(lines: true);
            if (at >= text.Length) return root;
            if (text[at] == '[')
            {
                var isArray = at + 1 < text.Length && text[at + 1] == '[';
                at += isArray ? 2 : 1;
                var keys = Keys();
                Expect(']');
                if (isArray) Expect(']');
                table = isArray ? ArrayTable(root, keys) : Table(root, keys);
            }
            else
            {
                Pair(table, 0);
            }
            SkipBlank(lines: false);
            if (at < text.Length && text[at] is not ('\n' or '\r')) throw Broken("rest of line");
        }
    }

    private void Pair(DataNode table, int depth)
    {
        var keys = Keys();
        Expect('=');
        SkipBlank(lines: false);
        var owner = Table(table, keys[..^1]);
        if (!owner.Map!.TryAdd(keys[^1], Value(depth + 1))) throw Broken("key is there twice");
    }

    private static DataNode Table(DataNode from, IReadOnlyList<string> keys)
    {
        foreach (var key in keys)
        {
            if (!from.Map!.TryGetValue(key, out var next)) from.Map[key] = next = NewMap();
            if (next.List is { Count: > 0 } list) next = list[^1];
            from = next.IsMap ? next : throw new InvalidDataException("TOML: key is no table");
        }
        return from;
    }

    private DataNode ArrayTable(DataNode root, List<string> keys)
    {
        budget.Take(0);
        var owner = Table(root, keys[..^1]);
        if (!owner.Map!.TryGetValue(keys[^1], out var list)) owner.Map[keys[^1]] = list = new DataNode(new List<DataNode>());
        var table = NewMap();
        (list.List ?? throw new InvalidDataException("TOML: key is no list of tables")).Add(table);
        return table;
    }

    private List<string> Keys()
    {
        var keys = new List<string>();
        while (true)
        {
            SkipBlank(lines: false);
            if (at >= text.Length) throw Broken("key");
            keys.Add(text[at] is '"' or '\'' ? Quoted() : Bare());
            if (keys.Count > NodeBudget.MaxDepth) throw Broken("key has too many parts");
            SkipBlank(lines: false);
            if (at >= text.Length || text[at] != '.') return keys;
            at++;
        }
    }

    private string Bare()
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] is '-' or '_')) at++;
        return at > start ? text[start..at] : throw Broken("key");
    }

    private DataNode Value(int depth)
    {
        budget.Take(depth);
        if (at >= text.Length) throw Broken("value");
        switch (text[at])
        {
            case '"' or '\'':
                return new DataNode(Quoted());
            case '[':
                at++;
                return Array(depth);
            case '{':
                at++;
                return Inline(depth);
        }
        var start = at;
        while (at < text.Length && text[at] is not (',' or ']' or '}' or '#' or '\n' or '\r')) at++;
        var plain = text[start..at].Trim();
        var isValue = plain is "true" or "false" or "inf" or "nan" || (plain.Length > 0 && (char.IsAsciiDigit(plain[0]) || plain[0] is '+' or '-'));
        return isValue ? new DataNode(plain) : throw Broken("value");
    }

    private DataNode Array(int depth)
    {
        var items = new List<DataNode>();
        while (true)
        {
            SkipBlank(lines: true);
            if (Take(']')) return new DataNode(items);
            items.Add(Value(depth + 1));
            SkipBlank(lines: true);
            if (Take(',')) continue;
            Expect(']');
            return new DataNode(items);
        }
    }

    private DataNode Inline(int depth)
    {
        var map = NewMap();
        while (true)
        {
            SkipBlank(lines: true);
            if (Take('}')) return map;
            Pair(map, depth);
            SkipBlank(lines: true);
            if (Take(',')) continue;
            Expect('}');
            return map;
        }
    }

    private string Quoted()
    {
        var quote = text[at];
        var isLong = string.CompareOrdinal(text, at, new string(quote, 3), 0, 3) == 0;
        at += isLong ? 3 : 1;
        if (isLong && at < text.Length && text[at] == '\r') at++;
        if (isLong && at < text.Length && text[at] == '\n') at++;
        var made = new StringBuilder();
        while (at < text.Length)
        {
            var c = text[at];
            if (c == quote && (!isLong || string.CompareOrdinal(text, at, new string(quote, 3), 0, 3) == 0))
            {
                at += isLong ? 3 : 1;
                while (isLong && at < text.Length && text[at] == quote)
                {
                    made.Append(quote);
                    at++;
                }
                return made.ToString();
            }
            if (c == '\n' && !isLong) break;
            at++;
            if (c == '\\' && quote == '"') Escape(made);
            else made.Append(c);
        }
        throw Broken("string has no end");
    }

    private void Escape(StringBuilder made)
    {
        if (at >= text.Length) throw Broken("escape");
        var c = text[at++];
        switch (c)
        {
            case 'b': made.Append('\b'); break;
            case 't': made.Append('\t'); break;
            case 'n': made.Append('\n'); break;
            case 'f': made.Append('\f'); break;
            case 'r': made.Append('\r'); break;
            case 'e': made.Append('\u001b'); break;
            case '"' or '\\': made.Append(c); break;
            case 'u' or 'U':
                var digits = c == 'u' ? 4 : 8;
                if (at + digits > text.Length || !int.TryParse(text.AsSpan(at, digits), System.Globalization.NumberStyles.HexNumber, null, out var code) || !Rune.IsValid(code))
                    throw Broken("escape");
                made.Append(new Rune(code).ToString());
                at += digits;
                break;
            case ' ' or '\t' or '\r' or '\n':
                while (at < text.Length && char.IsWhiteSpace(text[at])) at++;
                break;
            default:
                throw Broken("escape");
        }
    }

    private void SkipBlank(bool lines)
    {
        while (at < text.Length)
        {
            if (text[at] == '#') at = text.IndexOf('\n', at) is var end and >= 0 ? end : text.Length;
            else if (text[at] is ' ' or '\t' || (lines && text[at] is '\r' or '\n')) at++;
            else return;
        }
    }

    private bool Take(char c)
    {
        if (at >= text.Length || text[at] != c) return false;
        at++;
        return true;
    }

    private void Expect(char c)
    {
        SkipBlank(lines: false);
        if (!Take(c)) throw Broken($"'{c}' is missing");
    }

    private static DataNode NewMap() => new(new Dictionary<string, DataNode>(StringComparer.Ordinal));

    private static InvalidDataException Broken(string what) => new("TOML: " + what);
}
