using System.Globalization;
using System.Text.Json;

namespace Berth.Server.Identity.Issuers;

/// <summary>
/// Finds a claim by name or by path: <c>groups</c>, <c>realm_access.roles</c>, <c>kubernetes.io.namespace</c>. Names may hold dots
/// themselves, so the longest name that exists wins: <c>kubernetes.io</c> before <c>kubernetes</c>.
/// </summary>
internal static class ClaimPath
{
    private const int MaxLength = 512;
    private const int MaxValues = 5000;

    /// <summary>The claim, or null.</summary>
    public static JsonElement? Find(JsonElement claims, string path)
    {
        if (path.Length is 0 or > MaxLength || claims.ValueKind != JsonValueKind.Object) return null;
        if (claims.TryGetProperty(path, out var value)) return value;
        for (var dot = path.LastIndexOf('.'); dot > 0; dot = path.LastIndexOf('.', dot - 1))
        {
            if (claims.TryGetProperty(path[..dot], out var inner) && Find(inner, path[(dot + 1)..]) is { } found) return found;
        }
        return null;
    }

    /// <summary>The texts of a claim: one for a plain value, each plain element of a list. Null when there is no such claim.</summary>
    public static IReadOnlyList<string>? Texts(JsonElement claims, string path) => Find(claims, path) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(TextOf).OfType<string>().Take(MaxValues)],
        { } one => TextOf(one) is { } text ? [text] : [],
    };

    /// <summary>The one text of a claim, or null when it is missing, empty or several.</summary>
    public static string? Text(JsonElement claims, string path) => Texts(claims, path) is [{ Length: > 0 } text] ? text : null;

    private static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => value.TryGetInt64(out var number) ? number.ToString(CultureInfo.InvariantCulture) : value.GetRawText(),
        _ => null,
    };
}
