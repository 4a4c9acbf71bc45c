using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Berth.Server.Platform.Http;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.Adapters;

/// <summary>Where a scanner is and how it is asked, in clear.</summary>
/// <param name="Kind"><see cref="ScannerRules.HarborKind"/> or <see cref="ScannerRules.ClairKind"/>.</param>
/// <param name="Url">Base address without a slash at the end.</param>
/// <param name="Auth">One of <see cref="ScannerAuth"/>.</param>
/// <param name="Credential">What that needs; empty for none.</param>
/// <param name="SkipCertVerify">Any certificate will do.</param>
internal sealed record ScannerEndpoint(string Kind, string Url, string Auth, string Credential, bool SkipCertVerify);

/// <summary>One answer of a scanner, whole.</summary>
/// <param name="Status">HTTP status; 0 when there was no answer.</param>
/// <param name="Body">At most as many bytes as were asked for.</param>
/// <param name="ContentType">Its media type with parameters; empty when it has none.</param>
/// <param name="RetryAfter">When to ask again, as <c>Refresh-After</c> or <c>Retry-After</c> says.</param>
/// <param name="Problem">Why there is no answer; null when there is one.</param>
internal sealed record ScannerAnswer(int Status, byte[] Body, string ContentType, TimeSpan? RetryAfter, string? Problem)
{
    private const int MaxShown = 300;

    /// <summary>What the scanner says of an error, or the beginning of what it sent, for people.</summary>
    public string Said
    {
        get
        {
            if (Problem is not null) return Problem;
            var text = MessageOf(Body) ?? Encoding.UTF8.GetString(Body, 0, Math.Min(Body.Length, MaxShown));
            text = new string([.. text.Select(static c => char.IsControl(c) ? ' ' : c)]).Trim();
            return text.Length == 0 ? $"status {Status}" : $"status {Status}: {(text.Length > MaxShown ? text[..MaxShown] : text)}";
        }
    }

    // {"error":{"message":…}} of the pluggable API, {"message":…} of Clair.
    private static string? MessageOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = 16 });
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object) root = error;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String ? message.GetString() : null;
        }
        // A text with half a character is JSON, and no text.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }
}

/// <summary>
/// Asks scanners: to allowed addresses only (<see cref="OutgoingGuard"/>), without following redirects, each answer bounded in time and size. That there is no answer is a value.
/// </summary>
internal sealed class ScannerHttp(OutgoingGuard guard, ScannersOptions options, TimeProvider time) : IDisposable
{
    /// <summary>Largest answer that is no report.</summary>
    public const int MaxDocumentBytes = 1024 * 1024;

    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(15);
    private static readonly string s_userAgent = "berth/" + BuiltInScanner.Version;

    private readonly HttpClient _strict = NewClient(guard, verifyCertificates: true, options.Timeout);
    private readonly HttpClient _lax = NewClient(guard, verifyCertificates: false, options.Timeout);

    /// <summary>Says which addresses are out of reach.</summary>
    public OutgoingGuard Guard => guard;

    /// <summary>Largest report that is taken.</summary>
    public int MaxReportBytes => options.MaxReportBytes;

    /// <summary>Time limit of a request that takes as long as the scan itself.</summary>
    public TimeSpan LongTimeout => options.MaxDuration < s_longest ? options.MaxDuration : s_longest;

    /// <summary>Asks for something. The time limit is that of the settings unless another one is given.</summary>
    public Task<ScannerAnswer> GetAsync(ScannerEndpoint scanner, string path, string? accept, int maxBytes, CancellationToken ct, TimeSpan? timeout = null) =>
        SendAsync(scanner, HttpMethod.Get, path, accept, null, null, maxBytes, timeout, ct);

    /// <summary>Sends a document.</summary>
    public Task<ScannerAnswer> PostAsync(
        ScannerEndpoint scanner, string path, string contentType, byte[] body, string? accept, int maxBytes, CancellationToken ct, TimeSpan? timeout = null) =>
        SendAsync(scanner, HttpMethod.Post, path, accept, contentType, body, maxBytes, timeout, ct);

    public void Dispose()
    {
        _strict.Dispose();
        _lax.Dispose();
    }

    private static HttpClient NewClient(OutgoingGuard guard, bool verifyCertificates, TimeSpan timeout) =>
        new(guard.NewHandler(verifyCertificates, timeout)) { Timeout = Timeout.InfiniteTimeSpan };

    private async Task<ScannerAnswer> SendAsync(
        ScannerEndpoint scanner, HttpMethod method, string path, string? accept, string? contentType, byte[]? body, int maxBytes, TimeSpan? timeout, CancellationToken ct)
    {
        if (!Uri.TryCreate(scanner.Url + path, UriKind.Absolute, out var address)) return Failed($"{scanner.Url} is no address");
        if (guard.ProblemOf(address) is { } refusal) return Failed(refusal);
        var longest = timeout ?? options.Timeout;
        using var timer = new CancellationTokenSource(longest, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        using var request = new HttpRequestMessage(method, address);
        request.Headers.TryAddWithoutValidation("User-Agent", s_userAgent);
        if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
        ScannerAuth.Apply(request, scanner.Auth, scanner.Credential, time.GetUtcNow());
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType!);
        }
        try
        {
            using var response = await (scanner.SkipCertVerify ? _lax : _strict).SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            var (bytes, isWhole) = await ReadAsync(response, maxBytes, limit.Token).ConfigureAwait(false);
            if (!isWhole && response.StatusCode == HttpStatusCode.OK) return Failed($"the answer has more than {maxBytes} bytes");
            return new ScannerAnswer((int)response.StatusCode, bytes, response.Content.Headers.ContentType?.ToString() ?? "", RetryAfterOf(response), null);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return Failed($"no answer within {longest}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return Failed(e.InnerException is null ? e.Message : $"{e.Message}: {e.InnerException.Message}");
        }
    }

    private static async Task<(byte[] Bytes, bool IsWhole)> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken ct)
    {
        if (response.Content.Headers.ContentLength > maxBytes) return ([], false);
        await using var stream = await response.Content.ReadAsStreamAsync(ct).ConfigureAwait(false);
        using var whole = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = await stream.ReadAsync(buffer, ct).ConfigureAwait(false)) > 0;)
        {
            if (whole.Length + read > maxBytes) return (whole.ToArray(), false);
            whole.Write(buffer, 0, read);
        }
        return (whole.ToArray(), true);
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage response)
    {
        if (response.Headers.TryGetValues("Refresh-After", out var refresh) && int.TryParse(refresh.First(), out var seconds) && seconds >= 0) return TimeSpan.FromSeconds(seconds);
        return response.Headers.RetryAfter is not { } retry ? null : retry.Delta ?? (retry.Date is { } at && at > time.GetUtcNow() ? at - time.GetUtcNow() : null);
    }

    private static ScannerAnswer Failed(string problem) => new(0, [], "", null, problem);
}
