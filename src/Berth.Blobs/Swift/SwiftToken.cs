using System.Text.Json.Serialization;

namespace Berth.Blobs.Swift;

/// <summary>What the identity service gave: a token, and where the object store is.</summary>
/// <param name="Token">Goes into <c>X-Auth-Token</c>.</param>
/// <param name="StorageUrl">The account's URL, without a slash at its end.</param>
/// <param name="ExpiresAt">When it ends, as far as is known.</param>
internal sealed record SwiftToken(string Token, string StorageUrl, DateTimeOffset ExpiresAt);

/// <summary>Keystone's words, in and out (Identity API v3).</summary>
internal static class Keystone
{
    public sealed record Request([property: JsonPropertyName("auth")] Auth Auth);

    public sealed record Auth([property: JsonPropertyName("identity")] Identity Identity, [property: JsonPropertyName("scope")] Scope? Scope);

    public sealed record Identity(
        [property: JsonPropertyName("methods")] IReadOnlyList<string> Methods,
        [property: JsonPropertyName("password")] Password? Password,
        [property: JsonPropertyName("application_credential")] ApplicationCredential? ApplicationCredential);

    public sealed record Password([property: JsonPropertyName("user")] User User);

    public sealed record ApplicationCredential(
        [property: JsonPropertyName("id")] string? Id,
        [property: JsonPropertyName("name")] string? Name,
        [property: JsonPropertyName("secret")] string Secret,
        [property: JsonPropertyName("user")] User? User);

    public sealed record User(
        [property: JsonPropertyName("id")] string? Id,
        [property: JsonPropertyName("name")] string? Name,
        [property: JsonPropertyName("domain")] Named? Domain,
        [property: JsonPropertyName("password")] string? Password);

    public sealed record Named([property: JsonPropertyName("id")] string? Id, [property: JsonPropertyName("name")] string? Name);

    public sealed record Scope([property: JsonPropertyName("project")] Project? Project, [property: JsonPropertyName("OS-TRUST:trust")] Named? Trust);

    public sealed record Project(
        [property: JsonPropertyName("id")] string? Id,
        [property: JsonPropertyName("name")] string? Name,
        [property: JsonPropertyName("domain")] Named? Domain);

    public sealed record Answer([property: JsonPropertyName("token")] Token? Token);

    public sealed record Token(
        [property: JsonPropertyName("expires_at")] DateTimeOffset? ExpiresAt,
        [property: JsonPropertyName("catalog")] IReadOnlyList<CatalogEntry>? Catalog);

    public sealed record CatalogEntry([property: JsonPropertyName("type")] string? Type, [property: JsonPropertyName("endpoints")] IReadOnlyList<Endpoint>? Endpoints);

    public sealed record Endpoint(
        [property: JsonPropertyName("interface")] string? Interface,
        [property: JsonPropertyName("region")] string? Region,
        [property: JsonPropertyName("region_id")] string? RegionId,
        [property: JsonPropertyName("url")] string? Url);
}

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Keystone.Request))]
[JsonSerializable(typeof(Keystone.Answer))]
internal sealed partial class KeystoneJson : JsonSerializerContext;
