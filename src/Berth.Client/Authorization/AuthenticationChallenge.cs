namespace Berth.Client.Authorization;

/// <summary>A way to sign in that a server offers (RFC 9110, section 11.6.1, <c>WWW-Authenticate</c>).</summary>
/// <param name="Scheme">In small letters: <c>bearer</c>, <c>basic</c>.</param>
/// <param name="Parameters">By name in small letters, without quotes.</param>
public sealed record AuthenticationChallenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    private const int MaxHeaderLength = 16 * 1024;
    private const string TokenPunctuation = "!#$%&'*+-.^_`|~";

    /// <summary>A parameter; empty when it is not there.</summary>
    public string this[string name] => Parameters.GetValueOrDefault(name, "");

    /// <summary>
    /// Reads the values of the header. One value may hold several challenges, commas separate both them and their parameters. Reading ends at the first thing that is none; what was
    /// read before counts.
    /// </summary>
    public static IReadOnlyList<AuthenticationChallenge> Parse(IEnumerable<string> values)
    {
        var found = new List<AuthenticationChallenge>();
        foreach (var value in values.Where(static value => value.Length <= MaxHeaderLength)) Read(value, found);
        return found;
    }

    // challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]
    private static void Read(string text, List<AuthenticationChallenge> found)
    {
        var at = 0;
        while (true)
        {
            at = SkipCommas(text, at);
            if (Token(text, ref at) is not { } scheme) return;
            var parameters = new Dictionary<string, string>(StringComparer.Ordinal);
            found.Add(new AuthenticationChallenge(scheme.ToLowerInvariant(), parameters));
            if (!SkipToken68(text, ref at)) ReadParameters(text, ref at, parameters);
        }
    }

    private static void ReadParameters(string text, ref int at, Dictionary<string, string> parameters)
    {
        while (true)
        {
            var next = at;
            next = SkipCommas(text, next);
            if (Token(text, ref next) is not { } name) return;
            SkipSpace(text, ref next);
            // A word without an equals sign is the scheme of the next challenge.
            if (next >= text.Length || text[next] != '=') return;
            next++;
            SkipSpace(text, ref next);
            if (Value(text, ref next) is not { } value)
            {
                at = text.Length;
                return;
            }
            // A parameter stands once; the first counts.
            parameters.TryAdd(name.ToLowerInvariant(), value);
            at = next;
        }
    }

    // token68 = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="; only schemes that nobody here speaks use it.
    private static bool SkipToken68(string text, ref int at)
    {
        var next = at;
        SkipSpace(text, ref next);
        var start = next;
        while (next < text.Length && (char.IsAsciiLetterOrDigit(text[next]) || text[next] is '-' or '.' or '_' or '~' or '+' or '/')) next++;
        if (next == start) return false;
        while (next < text.Length && text[next] == '=') next++;
        SkipSpace(text, ref next);
        if (next < text.Length && text[next] != ',') return false;
        at = next;
        return true;
    }

    private static string? Token(string text, ref int at)
    {
        var start = at;
        while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || TokenPunctuation.Contains(text[at], StringComparison.Ordinal))) at++;
        return at > start ? text[start..at] : null;
    }

    private static string? Value(string text, ref int at)
    {
        if (at >= text.Length || text[at] != '"') return Token(text, ref at);
        var value = new System.Text.StringBuilder();
        for (at++; at < text.Length; at++)
        {
            if (text[at] == '"')
            {
                at++;
                return value.ToString();
            }
            // quoted-pair: the next character stands for itself.
            if (text[at] == '\\' && ++at >= text.Length) return null;
            value.Append(text[at]);
        }
        return null;
    }

    private static void SkipSpace(string text, ref int at)
    {
        while (at < text.Length && text[at] is ' ' or '\t') at++;
    }

    private static int SkipCommas(string text, int at)
    {
        while (at < text.Length && text[at] is ',' or ' ' or '\t') at++;
        return at;
    }
}
