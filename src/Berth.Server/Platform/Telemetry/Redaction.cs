using System.Buffers;
using System.Text.RegularExpressions;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Takes secrets out of texts before they are logged: <c>Authorization</c> values, passwords and tokens in queries, settings and JSON,
/// and passwords in URLs. What is taken out becomes <c>***</c>. A net under the callers, who should not log secrets in the first place.
/// </summary>
public static partial class Redaction
{
    private const string Mask = "***";

    /// <summary>A text without any of these has nothing to take out; nearly all texts end here.</summary>
    private static readonly SearchValues<string> s_hints = SearchValues.Create(
        ["authorization", "cookie", "bearer ", "basic ", "passw", "pwd", "secret", "token", "api_key", "apikey", "api-key", "signature", "sig=",
         "credential", "code=", "_state=", "@"],
        StringComparison.OrdinalIgnoreCase);

    /// <summary>The text without secrets; the same string when there are none.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAny(s_hints)) return text;
        text = Headers().Replace(text, "$1" + Mask);
        text = Schemes().Replace(text, "$1 " + Mask);
        text = Pairs().Replace(text, "$1" + Mask);
        return UserInfo().Replace(text, "$1" + Mask + "@");
    }

    /// <summary>Whether a field of this name holds a secret, whatever its value looks like.</summary>
    public static bool IsSecretName(string name) => SecretName().IsMatch(name);

    // "Authorization: Basic dXNl…", "authorization=Bearer …", "\"Cookie\": \"…\"": the rest of the value goes, scheme included.
    [GeneratedRegex("""((?:proxy-)?authorization["']?\s*[:=]\s*["']?|(?:set-)?cookie["']?\s*[:=]\s*["']?)[^\r\n"']+""", RegexOptions.IgnoreCase)]
    private static partial Regex Headers();

    // A credential that stands alone behind its scheme; a word of prose behind it has no digit, capital or padding.
    [GeneratedRegex("""\b([Bb]earer|[Bb]asic|BEARER|BASIC)\s+(?=\S*[0-9A-Z=.])[A-Za-z0-9._~+/=-]{4,}""")]
    private static partial Regex Schemes();

    // name=value of a query, a setting or a connection string, and "name":"value" of JSON.
    [GeneratedRegex(
        """((?<![A-Za-z0-9])[A-Za-z0-9_.-]*(?:password|passwd|pwd|secret|token|api[_-]?key|signature|credential|\bsig|\bcode|_state)(?:\s*=\s*["']?|["']\s*:\s*["']))[^\s"'&,;}]+""",
        RegexOptions.IgnoreCase)]
    private static partial Regex Pairs();

    // scheme://user:password@host
    [GeneratedRegex("""(://[^\s/@:"']*:)[^\s/@"']+@""")]
    private static partial Regex UserInfo();

    [GeneratedRegex("^(authorization|cookie|set-cookie)$|password|passwd|secret|(access|refresh|identity|bearer|id)_?token$|^token$|api_?key|privatekey",
        RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();
}
