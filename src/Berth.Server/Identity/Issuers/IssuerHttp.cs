using System.Net.Http.Headers;
using System.Text.Json;

namespace Berth.Server.Identity.Issuers;

/// <summary>
/// Requests to issuers of tokens: answers are JSON of a bounded size and must come within a bounded time. Redirects are not followed; the
/// client comes from a factory, which decides about proxies, certificates and forbidden networks.
/// </summary>
/// <param name="client">Gives the client for a request; the caller does not dispose it.</param>
/// <param name="time">The clock.</param>
public sealed class IssuerHttp(Func<HttpClient> client, TimeProvider time)
{
    /// <summary>Largest answer.</summary>
    public const int MaxAnswerBytes = 512 * 1024;

    /// <summary>Longest time for one request with its answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(10);

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32 };

    /// <summary>A client that follows no redirects and keeps few connections.</summary>
    /// <param name="verifyCertificate">Whether servers must show trusted certificates.</param>
    /// <param name="caPath">Authorities to trust instead of the system's, or null.</param>
    /// <exception cref="IOException">The authorities cannot be read.</exception>
    public static HttpClient CreateClient(bool verifyCertificate, string? caPath)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            ConnectTimeout = Timeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            MaxConnectionsPerServer = 8,
            MaxResponseHeadersLength = 32,
        };
        if (!verifyCertificate)
        {
#pragma warning disable CA5359 // The operator has said so: verifyCertificate is false.
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
#pragma warning restore CA5359
        }
        else if (caPath is { Length: > 0 })
        {
            handler.SslOptions.CertificateChainPolicy = Platform.Http.CertificateAuthorities.PolicyOf(caPath);
        }
        return new HttpClient(handler, disposeHandler: true) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
    }

    /// <summary>Gets a document.</summary>
    /// <exception cref="IssuerUnavailableException">There is none in time, or it is no JSON.</exception>
    public async Task<JsonElement> GetAsync(Uri address, CancellationToken ct) => Parse(address, await GetBytesAsync(address, null, ct).ConfigureAwait(false));

    /// <summary>Gets a document with an access token (RFC 6750).</summary>
    /// <exception cref="IssuerUnavailableException">There is none in time, or it is no JSON.</exception>
    public async Task<JsonElement> GetAsync(Uri address, string accessToken, CancellationToken ct) =>
        Parse(address, await GetBytesAsync(address, accessToken, ct).ConfigureAwait(false));

    /// <summary>Gets a document as it is.</summary>
    /// <exception cref="IssuerUnavailableException">There is none in time.</exception>
    public async Task<byte[]> GetBytesAsync(Uri address, string? accessToken, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.Accept.ParseAdd("application/json, application/jwk-set+json");
        if (accessToken is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        var (status, body) = await SendAsync(request, ct).ConfigureAwait(false);
        return status is 200 ? body : throw new IssuerUnavailableException($"{Shown(address)} answered {status}");
    }

    /// <summary>Posts a form; the answer with its status, which may tell of an error in JSON (RFC 6749 section 5.2).</summary>
    /// <exception cref="IssuerUnavailableException">There is no answer in time, or it is no JSON.</exception>
    public async Task<(int Status, JsonElement Body)> PostAsync(
        Uri address, IReadOnlyList<KeyValuePair<string, string>> form, AuthenticationHeaderValue? authorization, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new FormUrlEncodedContent(form) };
        request.Headers.Accept.ParseAdd("application/json");
        request.Headers.Authorization = authorization;
        var (status, body) = await SendAsync(request, ct).ConfigureAwait(false);
        return (status, Parse(address, body));
    }

    private async Task<(int Status, byte[] Body)> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var address = request.RequestUri!;
        if (address.Scheme is not ("https" or "http")) throw new IssuerUnavailableException($"{Shown(address)} is no web address");
        using var limit = new CancellationTokenSource(Timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, ct);
        try
        {
            using var response = await client().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            var stream = await response.Content.ReadAsStreamAsync(both.Token).ConfigureAwait(false);
            await using var _ = stream.ConfigureAwait(false);
            return ((int)response.StatusCode, await ReadAsync(address, stream, both.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new IssuerUnavailableException($"{Shown(address)} did not answer within {Timeout.TotalSeconds:0} s");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            throw new IssuerUnavailableException($"{Shown(address)} cannot be reached: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    private static async Task<byte[]> ReadAsync(Uri address, Stream stream, CancellationToken ct)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, ct).ConfigureAwait(false)) > 0)
        {
            if (body.Length + read > MaxAnswerBytes) throw new IssuerUnavailableException($"{Shown(address)} answered with more than {MaxAnswerBytes} bytes");
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }

    private static JsonElement Parse(Uri address, byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new IssuerUnavailableException($"{Shown(address)} answered with something that is no JSON", e);
        }
        throw new IssuerUnavailableException($"{Shown(address)} answered with JSON that is no object");
    }

    // Without a query: it may hold secrets.
    private static string Shown(Uri address) => address.GetLeftPart(UriPartial.Path);
}

/// <summary>An issuer cannot be asked. Says nothing about a token or a person; the message is for the operator.</summary>
public sealed class IssuerUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
