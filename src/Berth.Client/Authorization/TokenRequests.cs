using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Berth.Client.Credentials;
using Berth.Client.Http;

namespace Berth.Client.Authorization;

/// <summary>A bearer token.</summary>
/// <param name="Value">The token.</param>
/// <param name="GoodUntil">When another one has to be fetched.</param>
internal sealed record RegistryToken(string Value, DateTimeOffset GoodUntil);

/// <summary>Fetches bearer tokens from the service that a registry names (Docker's token specification; with an identity token its OAuth 2.0 form).</summary>
internal sealed class TokenRequests(RegistryHttp http, RegistryClientOptions options, TimeProvider time)
{
    private const int MaxTokenBytes = 1024 * 1024;
    private const int DefaultSeconds = 60;
    private const int MaxSeconds = 24 * 60 * 60;

    /// <summary>A token.</summary>
    /// <param name="registry">The registry that asks, for messages.</param>
    /// <param name="address">Its address.</param>
    /// <param name="challenge">What it asks for: realm and service.</param>
    /// <param name="scope">What the token is for.</param>
    /// <param name="credential">Who asks; null for nobody.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">There is none.</exception>
    public async Task<RegistryToken> GetAsync(string registry, Uri address, AuthenticationChallenge challenge, string scope, RegistryCredential? credential, CancellationToken ct)
    {
        var realm = RealmOf(registry, address, challenge);
        using var answer = await http.SendAsync(() => Request(realm, challenge["service"], scope, credential), isRepeatable: true, ct);
        var body = await RegistryHttp.ReadAsync(answer, MaxTokenBytes, ct);
        if (!answer.IsSuccessStatusCode) throw RegistryHttp.Refusal(answer, body, $"{registry} gives no token for {scope}");
        return Read(body) ?? throw new RegistryException(RegistryFailure.WrongContent, $"the token service of {registry} answered without a token");
    }

    // What is secret goes over TLS, unless the registry itself does without.
    private Uri RealmOf(string registry, Uri address, AuthenticationChallenge challenge)
    {
        if (!Uri.TryCreate(address, challenge["realm"], out var realm) || challenge["realm"].Length == 0 || realm.Scheme is not ("http" or "https"))
            throw new RegistryException(RegistryFailure.Unauthorized, $"{registry} asks for a token without saying where to get it");
        if (realm.Scheme == "http" && address.Scheme == "https" && !options.IsInsecure)
            throw new RegistryException(RegistryFailure.Unauthorized, $"{registry} asks to send the sign-in without TLS to {realm.Host}");
        return realm;
    }

    private static HttpRequestMessage Request(Uri realm, string service, string scope, RegistryCredential? credential)
    {
        if (credential is { IdentityToken.Length: > 0 })
        {
            return new HttpRequestMessage(HttpMethod.Post, realm)
            {
                Content = new FormUrlEncodedContent(
                [
                    new("grant_type", "refresh_token"), new("service", service), new("scope", scope), new("client_id", "berth"), new("refresh_token", credential.IdentityToken),
                ]),
            };
        }
        var query = new StringBuilder(realm.Query.Length > 1 ? realm.Query + "&" : "?");
        if (service.Length > 0) query.Append("service=").Append(Uri.EscapeDataString(service)).Append('&');
        query.Append("scope=").Append(Uri.EscapeDataString(scope));
        if (credential is { HasPassword: true }) query.Append("&account=").Append(Uri.EscapeDataString(credential.UserName));
        var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = query.ToString() }.Uri);
        if (credential is { HasPassword: true })
            request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credential.UserName}:{credential.Password}")));
        return request;
    }

    private RegistryToken? Read(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            var token = Text(root, "token") is { Length: > 0 } own ? own : Text(root, "access_token");
            // It stands in a header: a line break in it would be another header.
            if (token.Length == 0 || !token.All(static c => c is > ' ' and < (char)127)) return null;
            var seconds = root.TryGetProperty("expires_in", out var expires) && expires.ValueKind == JsonValueKind.Number && expires.TryGetInt32(out var number) && number > 0 ? Math.Min(number, MaxSeconds) : DefaultSeconds;
            return new RegistryToken(token, time.GetUtcNow() + TimeSpan.FromSeconds(seconds * 0.8));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Text(JsonElement root, string name) => root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
