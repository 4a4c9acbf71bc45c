using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Berth.Client.Authorization;

namespace Berth.Client.Http;

/// <summary>
/// Sends requests: 1. signed in as the registry asks, 2. again after a pause where that may help, 3. along redirects, which get the sign-in only on the same server. An answer's body has not been
/// read; the caller disposes of it.
/// </summary>
internal sealed class RegistryHttp : IDisposable
{
    private const int MaxRedirects = 5;
    private const int MaxMessageChars = 500;
    private const int MaxProblemBytes = 64 * 1024;
    private const long SlowestBytesPerSecond = 64 * 1024;

    private readonly HttpClient client;
    private readonly RegistryClientOptions options;
    private readonly RetryRules retries;
    private readonly TimeProvider time;

    public RegistryHttp(RegistryClientOptions options, TimeProvider time, Random random)
    {
        (this.options, this.time) = (options, time);
        retries = new RetryRules(options, time, random);
        client = new HttpClient(RegistryHandler.New(options)) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd(options.UserAgent);
    }

    /// <summary>Sends a request to a registry, signed in.</summary>
    /// <param name="session">The registry.</param>
    /// <param name="scope">What the request needs.</param>
    /// <param name="make">Makes the request, anew for each try.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">There is no answer.</exception>
    public Task<HttpResponseMessage> SendAsync(RegistrySession session, string scope, Func<HttpRequestMessage> make, CancellationToken ct) => SendAsync(session, scope, make, isRepeatable: true, ct);

    /// <summary>Sends a request to a registry, signed in.</summary>
    /// <param name="session">The registry.</param>
    /// <param name="scope">What the request needs.</param>
    /// <param name="make">Makes the request, anew for each try.</param>
    /// <param name="isRepeatable">False when a try that failed may have been heard: it is not tried again but for a sign-in.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="RegistryException">There is no answer.</exception>
    public async Task<HttpResponseMessage> SendAsync(RegistrySession session, string scope, Func<HttpRequestMessage> make, bool isRepeatable, CancellationToken ct)
    {
        for (var tries = 0; ; tries++)
        {
            // 1.
            var header = await session.HeaderAsync(scope, ct);
            var answer = await SendAsync(() =>
            {
                var request = make();
                request.Headers.Authorization = header;
                return request;
            }, isRepeatable, ct);
            if (answer.StatusCode != HttpStatusCode.Unauthorized || tries >= 2) return answer;
            var challenges = AuthenticationChallenge.Parse(answer.Headers.NonValidated.TryGetValues("WWW-Authenticate", out var values) ? [.. values] : []);
            try
            {
                if (!await session.ChallengedAsync(challenges, scope, header, ct)) return answer;
            }
            catch
            {
                answer.Dispose();
                throw;
            }
            answer.Dispose();
        }
    }

    /// <summary>Sends a request without a sign-in of its own.</summary>
    /// <inheritdoc cref="SendAsync(RegistrySession, string, Func{HttpRequestMessage}, bool, CancellationToken)"/>
    public async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> make, bool isRepeatable, CancellationToken ct)
    {
        // 2.
        for (var attempt = 1; ; attempt++)
        {
            HttpResponseMessage? answer = null;
            Uri? address = null;
            try
            {
                using var request = make();
                address = request.RequestUri!;
                answer = await FollowAsync(request, ct);
                if (!RetryRules.IsPassing(answer.StatusCode) || !isRepeatable) return answer;
                if (retries.PauseAfter(attempt, answer) is not { } pause) return answer;
                answer.Dispose();
                await retries.WaitAsync(pause, ct);
            }
            catch (Exception e) when (IsBroken(e, ct))
            {
                answer?.Dispose();
                if (!isRepeatable || IsFinal(e) || retries.PauseAfter(attempt, null) is not { } pause) throw Unreachable(address!, e);
                await retries.WaitAsync(pause, ct);
            }
        }
    }

    /// <summary>Sends a request once, with neither redirect nor sign-in: to find out how a server wants to be spoken to.</summary>
    public Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken ct) => SendWithinTimeAsync(request, ct);

    /// <summary>Whether an error means that the connection failed, and not that the caller has cancelled.</summary>
    public static bool IsBroken(Exception e, CancellationToken ct) =>
        (e is HttpRequestException or OperationCanceledException || (e is IOException && e is not RegistryException)) && !ct.IsCancellationRequested;

    /// <summary>A body as a whole.</summary>
    /// <exception cref="RegistryException">It is larger, or breaks off.</exception>
    public static async Task<byte[]> ReadAsync(HttpResponseMessage answer, int maxBytes, CancellationToken ct)
    {
        var address = answer.RequestMessage!.RequestUri!;
        if (answer.Content.Headers.ContentLength > maxBytes) throw TooLarge(address, maxBytes);
        try
        {
            await using var stream = await answer.Content.ReadAsStreamAsync(ct);
            var memory = new MemoryStream();
            var buffer = new byte[16 * 1024];
            for (int read; (read = await stream.ReadAsync(buffer, ct)) > 0;)
            {
                if (memory.Length + read > maxBytes) throw TooLarge(address, maxBytes);
                memory.Write(buffer, 0, read);
            }
            return memory.ToArray();
        }
        catch (Exception e) when (IsBroken(e, ct))
        {
            throw Unreachable(address, e);
        }
    }

    /// <summary>The exception for an answer that is no success, with the registry's own words.</summary>
    public static async Task<RegistryException> RefusalAsync(HttpResponseMessage answer, string what, CancellationToken ct)
    {
        byte[] body = [];
        try
        {
            body = await ReadAsync(answer, MaxProblemBytes, ct);
        }
        catch (RegistryException)
        {
            // The status alone has to tell.
        }
        return Refusal(answer, body, what);
    }

    /// <inheritdoc cref="RefusalAsync"/>
    public static RegistryException Refusal(HttpResponseMessage answer, byte[] body, string what)
    {
        var failure = (int)answer.StatusCode switch
        {
            401 => RegistryFailure.Unauthorized,
            403 => RegistryFailure.Denied,
            404 => RegistryFailure.NotFound,
            429 => RegistryFailure.TooManyRequests,
            >= 500 => RegistryFailure.ServerError,
            _ => RegistryFailure.Refused,
        };
        var words = MessageOf(body);
        return new RegistryException(failure, $"{what}: {answer.RequestMessage!.RequestUri!.Authority} answered {(int)answer.StatusCode}{(words.Length > 0 ? $" ({words})" : "")}");
    }

    /// <summary>The exception for a connection that failed.</summary>
    public static RegistryException Unreachable(Uri address, Exception e) => e is RegistryException known ? known
        : new(RegistryFailure.Unreachable, $"{address.Authority} cannot be reached: {(e is OperationCanceledException ? "no answer in time" : e.InnerException?.Message ?? e.Message)}", e);

    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage first, CancellationToken ct)
    {
        // 3.
        var answer = await SendWithinTimeAsync(first, ct);
        if (first.Method != HttpMethod.Get && first.Method != HttpMethod.Head) return answer;
        var from = first.RequestUri!;
        for (var hops = 0; (int)answer.StatusCode is 301 or 302 or 303 or 307 or 308 && answer.Headers.Location is { } location; hops++)
        {
            answer.Dispose();
            var to = new Uri(from, location);
            if (hops >= MaxRedirects) throw new RegistryException(RegistryFailure.Refused, $"{from.Authority} redirects too often");
            if (to.Scheme is not ("http" or "https") || (to.Scheme == "http" && from.Scheme == "https" && !options.IsInsecure))
                throw new RegistryException(RegistryFailure.Refused, $"{from.Authority} redirects to {to.Scheme}://{to.Host}, which is not followed");
            using var request = new HttpRequestMessage(first.Method, to);
            foreach (var (name, values) in first.Headers)
                if (name != "Authorization" || (to.Scheme == from.Scheme && to.Authority == from.Authority)) request.Headers.TryAddWithoutValidation(name, values);
            // Once the sign-in has been left behind it does not come back.
            if (to.Authority != from.Authority || to.Scheme != from.Scheme) first.Headers.Authorization = null;
            answer = await SendWithinTimeAsync(request, ct);
            from = to;
        }
        return answer;
    }

    private async Task<HttpResponseMessage> SendWithinTimeAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var sending = TimeSpan.FromSeconds((request.Content?.Headers.ContentLength ?? 0) / SlowestBytesPerSecond);
        using var timer = new CancellationTokenSource(options.AnswerTimeout + sending, time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        return await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
    }

    // What will be the same the next time: a certificate that is not trusted, a name that does not exist, an address that the handler refuses to connect to.
    private static bool IsFinal(Exception e) => e is HttpRequestException
    {
        InnerException: AuthenticationException or SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData },
    } or HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError, InnerException: IOException };

    private static RegistryException TooLarge(Uri address, int maxBytes) => new(RegistryFailure.TooLarge, $"{address.Authority} answered with more than {maxBytes} bytes");

    // {"errors":[{"code":"…","message":"…"}]} (OCI distribution spec, "Error Codes"); token services say "details" or "error_description".
    private static string MessageOf(byte[] body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return "";
            if (root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array && errors.GetArrayLength() > 0) root = errors[0];
            foreach (var name in (string[])["message", "details", "error_description", "detail", "code"])
                if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String && text.GetString() is { Length: > 0 } words) return Printable(words);
            return "";
        }
        catch (JsonException)
        {
            return "";
        }
    }

    // A stranger's words go to a terminal and into logs.
    private static string Printable(string words) => new([.. words.Take(MaxMessageChars).Select(static c => char.IsControl(c) ? ' ' : c)]);
}
