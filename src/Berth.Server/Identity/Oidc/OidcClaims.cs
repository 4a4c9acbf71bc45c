using System.Text.Json;
using System.Text.RegularExpressions;
using Berth.Server.Identity.Issuers;
using Berth.Server.Platform.Jose;

namespace Berth.Server.Identity.Oidc;

/// <summary>Turns verified claims into a person. Each question is asked of the id token first, and of the userinfo answer where it is silent.</summary>
internal sealed class OidcClaims(OidcOptions options)
{
    private static readonly string[] NameClaims = ["preferred_username", "name", "email"];
    private readonly Regex? _filter = options.GroupFilter.Length > 0 ? OidcRules.TryPattern(options.GroupFilter) : null;

    /// <summary>Whether the id token leaves a question open that the userinfo endpoint may answer.</summary>
    public bool NeedsMore(JsonElement idToken) =>
        NameOf(idToken) is null
        || ClaimPath.Find(idToken, "email") is null
        || (options.GroupsClaim.Length > 0 && ClaimPath.Find(idToken, options.GroupsClaim) is null);

    /// <summary>The person of an id token and of the userinfo answer, if there is one.</summary>
    public OidcPerson PersonOf(string issuer, string token, JsonElement idToken, JsonElement? userInfo)
    {
        JsonElement[] sources = userInfo is { } more ? [idToken, more] : [idToken];
        var told = options.GroupsClaim.Length == 0 ? null : First(sources, s => ClaimPath.Texts(s, options.GroupsClaim));
        return new OidcPerson(
            options.Name,
            issuer,
            Jwt.TextOf(idToken, "sub")!,
            First(sources, NameOf)?.Replace(' ', '_'),
            First(sources, EmailOf),
            First(sources, s => ClaimPath.Text(s, "name")),
            told is null ? null : [.. told.Where(g => g.Length > 0 && (_filter is null || _filter.IsMatch(g))).Distinct(StringComparer.Ordinal)],
            // By the groups as they were told: a filter hides groups from the list, not administrators.
            options.AdminGroup.Length == 0 || told is null ? null : told.Contains(options.AdminGroup, StringComparer.Ordinal),
            token);
    }

    private string? NameOf(JsonElement claims) => options.UserClaim.Length > 0
        ? ClaimPath.Text(claims, options.UserClaim)
        : NameClaims.Select(name => ClaimPath.Text(claims, name)).FirstOrDefault(name => name is not null);

    private static string? EmailOf(JsonElement claims) =>
        claims.TryGetProperty("email_verified", out var verified) && verified.ValueKind == JsonValueKind.False ? null : ClaimPath.Text(claims, "email");

    private static T? First<T>(JsonElement[] sources, Func<JsonElement, T?> ask)
        where T : class => sources.Select(ask).FirstOrDefault(answer => answer is not null);
}
