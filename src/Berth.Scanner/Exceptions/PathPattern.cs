using System.Text;
using System.Text.RegularExpressions;

namespace Berth.Scanner.Exceptions;

/// <summary>Patterns for paths: <c>*</c> and <c>?</c> within a part, <c>**</c> over parts, <c>[abc]</c>, <c>{a,b}</c>. Matching takes linear time.</summary>
public sealed class PathPattern
{
    private const int MaxLength = 1024;

    private readonly string _text;
    private readonly Regex? _regex;

    /// <summary>Throws <see cref="FormatException"/> when the pattern is broken.</summary>
    public PathPattern(string pattern)
    {
        if (pattern.Length > MaxLength)
            throw new FormatException("the pattern is too long");
        _text = pattern;
        if (pattern.AsSpan().IndexOfAny("*?[{") < 0) return;
        try
        {
            _regex = new Regex(Translate(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw new FormatException($"the pattern '{pattern}' cannot be read", e);
        }
    }

    /// <summary>Whether it stands for one path only; others cost some hundred kilobytes each.</summary>
    public bool IsLiteral => _regex is null;

    public bool Matches(string path) => _regex?.IsMatch(path) ?? path == _text;

    private static string Translate(string pattern)
    {
        var text = new StringBuilder("^");
        var braces = 0;
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '*' when i + 1 < pattern.Length && pattern[i + 1] == '*':
                    i++;
                    if (i + 1 < pattern.Length && pattern[i + 1] == '/')
                    {
                        text.Append("(?:.*/)?");
                        i++;
                    }
                    else
                    {
                        text.Append(".*");
                    }
                    break;
                case '*':
                    text.Append("[^/]*");
                    break;
                case '?':
                    text.Append("[^/]");
                    break;
                case '{':
                    braces++;
                    text.Append("(?:");
                    break;
                case '}' when braces > 0:
                    braces--;
                    text.Append(')');
                    break;
                case ',' when braces > 0:
                    text.Append('|');
                    break;
                case '[' when pattern.IndexOf(']', i + 1) is var end && end > i + 1:
                    var set = pattern[(i + 1)..end].Replace("\\", "\\\\", StringComparison.Ordinal);
                    text.Append('[').Append(set[0] is '!' or '^' ? "^" + set[1..] : set).Append(']');
                    i = end;
                    break;
                default:
                    text.Append(Regex.Escape(pattern[i].ToString()));
                    break;
            }
        }
        return text.Append('$').ToString();
    }
}
