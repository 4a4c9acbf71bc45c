namespace Berth.Server.Platform.Text;

/// <summary>
/// A pattern over names with segments, in doublestar's grammar as Harbor uses it: <c>*</c> and <c>?</c> stay inside a segment, <c>**</c> crosses
/// segments, <c>{a,b}</c> are alternatives, <c>[a-z]</c> and <c>[!a-z]</c> classes, a backslash takes the next character as it is.
/// Matching takes at most (length of pattern x length of name) steps.
/// </summary>
public sealed class Glob
{
    /// <summary>Longest pattern in characters.</summary>
    public const int MaxLength = 255;

    private const int MaxAlternatives = 64;
    private const int MaxNameLength = 1024;

    private readonly string[] _alternatives;

    private Glob(string pattern, string[] alternatives) => (Pattern, _alternatives) = (pattern, alternatives);

    /// <summary>The pattern as it was written.</summary>
    public string Pattern { get; }

    /// <summary>Whether it matches every name.</summary>
    public bool IsEverything => Pattern is "**";

    /// <summary>Characters before the first one that stands for others: how specific the pattern is.</summary>
    public int LiteralLength => Pattern.AsSpan().IndexOfAny("*?[{\\") is var i and >= 0 ? i : Pattern.Length;

    /// <summary>Whether it names exactly one name.</summary>
    public bool IsLiteral => LiteralLength == Pattern.Length;

    /// <summary>Reads a pattern.</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static Glob Parse(string pattern) => TryParse(pattern, out var glob, out var problem) ? glob : throw new FormatException(problem);

    /// <summary>Reads a pattern.</summary>
    /// <param name="pattern">The text.</param>
    /// <param name="glob">The pattern when the answer is true.</param>
    /// <param name="problem">What is wrong when it is false.</param>
    public static bool TryParse(string pattern, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out Glob? glob, out string problem)
    {
        glob = null;
        problem = "";
        if (pattern.Length is 0 or > MaxLength) problem = $"a pattern has 1 to {MaxLength} characters";
        else if (Expand(pattern) is not { } alternatives) problem = $"the braces of the pattern {pattern} are not closed, nested or too many";
        else if (alternatives.Any(a => !IsWellFormed(a))) problem = $"the pattern {pattern} has an open bracket or ends in a backslash";
        else glob = new Glob(pattern, alternatives);
        return glob is not null;
    }

    /// <summary>Whether a name matches. Names longer than 1024 characters match nothing but <c>**</c>.</summary>
    public bool IsMatch(string name)
    {
        if (IsEverything) return true;
        if (name.Length > MaxNameLength) return false;
        foreach (var alternative in _alternatives)
        {
            if (IsMatch(alternative, name)) return true;
        }
        return false;
    }

    public override string ToString() => Pattern;

    // The alternatives of all braces; null when the braces are malformed.
    private static string[]? Expand(string pattern)
    {
        var done = new List<string>();
        var open = new Stack<string>();
        open.Push(pattern);
        while (open.TryPop(out var text))
        {
            var start = IndexOfBrace(text);
            if (start == -2) return null;
            if (start < 0)
            {
                done.Add(text);
                if (done.Count > MaxAlternatives) return null;
                continue;
            }
            var end = text.IndexOf('}', start);
            var inner = end < 0 ? "{" : text[(start + 1)..end];
            if (inner.Contains('{', StringComparison.Ordinal)) return null;
            foreach (var choice in inner.Split(',')) open.Push(string.Concat(text.AsSpan(0, start), choice, text.AsSpan(end + 1)));
            if (open.Count > MaxAlternatives) return null;
        }
        return [.. done];
    }

    // -1: none; -2: a closing one without an opening one.
    private static int IndexOfBrace(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '\\': i++; break;
                case '{': return i;
                case '}': return -2;
            }
        }
        return -1;
    }

    private static bool IsWellFormed(string pattern)
    {
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\' && ++i == pattern.Length) return false;
            else if (pattern[i] == '[' && (i = EndOfClass(pattern, i)) < 0) return false;
        }
        return true;
    }

    private static int EndOfClass(string pattern, int start)
    {
        // A bracket right after the start is a member.
        var i = start + 1;
        if (i < pattern.Length && pattern[i] is '!' or '^') i++;
        return i < pattern.Length ? pattern.IndexOf(']', i + 1) : -1;
    }

    // Positions of the pattern that the name read so far can have led to: one bit each.
    private static bool IsMatch(string pattern, string name)
    {
        Span<bool> now = stackalloc bool[MaxLength + 2];
        Span<bool> next = stackalloc bool[MaxLength + 2];
        now.Clear();
        Reach(pattern, 0, atSegmentStart: true, now);
        for (var i = 0; i < name.Length; i++)
        {
            next.Clear();
            var any = false;
            var startsSegment = name[i] == '/';
            for (var p = 0; p < pattern.Length; p++)
            {
                if (now[p]) any |= Step(pattern, p, name[i], startsSegment, next);
            }
            if (!any) return false;
            var swap = now;
            now = next;
            next = swap;
        }
        return now[pattern.Length] || EndsWithAnySegments(pattern, now);
    }

    // Takes one character at a position; marks where that leads.
    private static bool Step(string pattern, int p, char c, bool startsSegment, Span<bool> next)
    {
        if (IsDoubleStar(pattern, p))
        {
            Reach(pattern, p, startsSegment, next);
            return true;
        }
        switch (pattern[p])
        {
            case '*':
                if (c == '/') return false;
                Reach(pattern, p, false, next);
                return true;
            case '?':
                if (c == '/') return false;
                Reach(pattern, p + 1, false, next);
                return true;
            case '[':
                var end = EndOfClass(pattern, p);
                if (c == '/' || !IsInClass(pattern.AsSpan(p + 1, end - p - 1), c)) return false;
                Reach(pattern, end + 1, false, next);
                return true;
            default:
                var literal = pattern[p] == '\\' ? p + 1 : p;
                if (pattern[literal] != c) return false;
                Reach(pattern, literal + 1, startsSegment, next);
                return true;
        }
    }

    // Marks a position and those that need no character to get to.
    private static void Reach(string pattern, int p, bool atSegmentStart, Span<bool> positions)
    {
        while (true)
        {
            positions[p] = true;
            if (p >= pattern.Length || pattern[p] != '*') return;
            if (IsDoubleStar(pattern, p))
            {
                // Zero segments: the slash after it goes too, at the start of a segment.
                positions[p + 2] = true;
                if (p + 2 < pattern.Length && pattern[p + 2] == '/' && atSegmentStart) p += 3;
                else p += 2;
                continue;
            }
            p++;
        }
    }

    private static bool IsDoubleStar(string pattern, int p) => pattern[p] == '*' && p + 1 < pattern.Length && pattern[p + 1] == '*';

    // "a/**" matches "a" too: any number of segments, none among them.
    private static bool EndsWithAnySegments(string pattern, Span<bool> now) =>
        pattern.EndsWith("/**", StringComparison.Ordinal) && now[pattern.Length - 3];

    private static bool IsInClass(ReadOnlySpan<char> members, char c)
    {
        var isNegated = members[0] is '!' or '^';
        if (isNegated) members = members[1..];
        var isIn = false;
        for (var i = 0; i < members.Length; i++)
        {
            if (i + 2 < members.Length && members[i + 1] == '-')
            {
                isIn |= c >= members[i] && c <= members[i + 2];
                i += 2;
            }
            else
            {
                isIn |= c == members[i];
            }
        }
        return isIn != isNegated;
    }
}
