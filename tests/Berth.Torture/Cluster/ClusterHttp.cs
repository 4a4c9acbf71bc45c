using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Berth.EndToEnd.Harness;

namespace Berth.Torture.Cluster;

/// <summary>What came back.</summary>
/// <param name="Status">0 when nothing did.</param>
/// <param name="Body">Its bytes.</param>
/// <param name="Digest">Docker-Content-Digest.</param>
/// <param name="Location">Where to go on.</param>
/// <param name="Range">The Range of an upload.</param>
/// <param name="WasRetried">nginx has asked more than one replica: an earlier one may still be at it.</param>
public sealed record Answer(int Status, byte[] Body, string? Digest, Uri? Location, string? Range, bool WasRetried)
{
    /// <summary>Nobody knows whether the request was carried out, or will be.</summary>
    public bool IsUnclear => Status is 0 or >= 500 || (WasRetried && Status >= 400);

    public string Text => Encoding.UTF8.GetString(Body);
}

/// <summary>Speaks to the registry through nginx, or to one replica.</summary>
public sealed class ClusterHttp(string address) : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(25);

    private static readonly AuthenticationHeaderValue s_administrator = new(
        "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{RegistryUnderTest.User}:{RegistryUnderTest.Password}")));

    private readonly HttpClient _http = new(new SocketsHttpHandler { AllowAutoRedirect = true, MaxConnectionsPerServer = 64, UseCookies = false })
    {
        BaseAddress = new Uri($"http://{address}"),
        Timeout = s_patience,
        DefaultRequestHeaders = { Authorization = s_administrator },
    };

    public async Task<Answer> SendAsync(HttpMethod method, string path, CancellationToken ct, byte[]? body = null, string? mediaType = null, string? contentRange = null)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.RelativeOrAbsolute));
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue(mediaType ?? "application/octet-stream");
            if (contentRange is not null) request.Content.Headers.TryAddWithoutValidation("Content-Range", contentRange);
        }
        try
        {
            using var response = await _http.SendAsync(request, ct);
            var bytes = await response.Content.ReadAsByteArrayAsync(ct);
            var tries = Header(response, "X-Tries") ?? "";
            return new Answer((int)response.StatusCode, bytes, Header(response, "Docker-Content-Digest"), response.Headers.Location, Header(response, "Range"), tries.Contains(',', StringComparison.Ordinal));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException || (e is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // What a kill, a reset or a timeout looks like from here.
            return new Answer(0, [], null, null, null, false);
        }
    }

    public Task<Answer> GetAsync(string path, CancellationToken ct) => SendAsync(HttpMethod.Get, path, ct);

    public void Dispose() => _http.Dispose();

    private static string? Header(HttpResponseMessage response, string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;
}
