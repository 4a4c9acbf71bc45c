using System.Net;
using System.Net.Security;
using System.Security.Authentication;

namespace Berth.Blobs.Http;

/// <summary>Makes the request of one try; called anew for each.</summary>
internal delegate ValueTask<HttpRequestMessage> MakeRequest(CancellationToken ct);

/// <summary>Looks at an answer that is no success and is not tried again by itself (401, say); true when another try may help, at once. Asked once a request.</summary>
internal delegate ValueTask<bool> MayHelp(StoreAnswer answer, CancellationToken ct);

/// <summary>
/// Calls a store over HTTP: a time limit on each try, and further tries after connection failures, time-outs and the statuses by which a service says
/// that the same may work later (408, 429, 500, 502, 503, 504), with pauses that double and vary; Retry-After is kept to, within bounds.
/// Redirects are not followed. In the end there is an answer, or a <see cref="StoreUnavailableException"/> that says what to look at.
/// </summary>
internal sealed class StoreHttp : IDisposable
{
    // More than any page of a list.
    private const int MaxBodyBytes = 32 << 20;

    private readonly StoreHttpOptions _options;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly HttpClient _client;

    public StoreHttp(StoreHttpOptions options, TimeProvider time, Random? random = null)
    {
        _options = options;
        _time = time;
        _random = random ?? Random.Shared;
        _client = new HttpClient(Handler(options)) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>What messages call the store.</summary>
    public string Name => _options.Name;

    /// <summary>Sends a request and reads the answer, whatever its status, unless the status is one of those that are tried again.</summary>
    /// <exception cref="StoreUnavailableException">No try had an answer, or the last one still said "later".</exception>
    public async Task<StoreAnswer> SendAsync(MakeRequest make, MayHelp? mayHelp, CancellationToken ct) =>
        (await LoopAsync(make, mayHelp, streams: false, ct).ConfigureAwait(false)).Answer!;

    /// <inheritdoc cref="SendAsync(MakeRequest, MayHelp?, CancellationToken)"/>
    public Task<StoreAnswer> SendAsync(MakeRequest make, CancellationToken ct) => SendAsync(make, null, ct);

    /// <summary>The same, but the body of a success is left to be read as a stream (<see cref="AnswerStream"/>).</summary>
    public Task<OpenedAnswer> OpenAsync(MakeRequest make, MayHelp? mayHelp, CancellationToken ct) => LoopAsync(make, mayHelp, streams: true, ct);

    /// <summary>An exception for an answer that no further try will change.</summary>
    public IOException Refused(StoreAnswer answer, string what)
    {
        var advice = answer.Status switch
        {
            HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "check the credentials of the store, what they may do, and this machine's clock",
            HttpStatusCode.NotFound => "check that the bucket or container exists and that the endpoint is right",
            HttpStatusCode.RequestEntityTooLarge or HttpStatusCode.InsufficientStorage => "free space in the store or raise its quota",
            >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest => $"the endpoint redirects to {answer.Header("Location") ?? "elsewhere"}: set it as the endpoint",
            _ => "see the documentation of the store for this answer",
        };
        var message = $"{Name} refused {what} ({answer.Summary}): {advice}";
        return answer.Status == HttpStatusCode.InsufficientStorage ? new StoreFullException(message) : new IOException(message);
    }

    public void Dispose() => _client.Dispose();

    private static SocketsHttpHandler Handler(StoreHttpOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(55),
            MaxConnectionsPerServer = options.MaxConnections,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
        };
        if (options.SkipVerify)
        {
#pragma warning disable CA5359 // The operator asked for it by name (skipVerify).
            handler.SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true };
#pragma warning restore CA5359
        }
        return handler;
    }

    private async Task<OpenedAnswer> LoopAsync(MakeRequest make, MayHelp? mayHelp, bool streams, CancellationToken ct)
    {
        var began = _time.GetTimestamp();
        for (var tries = 1; ; tries++)
        {
            var (opened, failure) = await TryAsync(make, streams, ct).ConfigureAwait(false);
            if (opened is not null && (opened.Stream is not null || !SaysLater(opened.Status)))
            {
                if (mayHelp is null || opened.Answer is not { IsSuccess: false } answer) return opened;
                var helps = await mayHelp(answer, ct).ConfigureAwait(false);
                mayHelp = null;
                if (!helps) return opened;
                continue;
            }
            var what = failure?.Message ?? opened!.Answer!.Summary;
            if (tries >= _options.MaxTries || _time.GetElapsedTime(began) >= _options.GiveUpAfter)
                throw new StoreUnavailableException($"{Name} does not serve ({what}; {tries} tries): check that it is up and can be reached from here", failure);
            await Task.Delay(Pause(tries, opened?.RetryAfter), _time, ct).ConfigureAwait(false);
        }
    }

    private async Task<(OpenedAnswer? Opened, Exception? Failure)> TryAsync(MakeRequest make, bool streams, CancellationToken ct)
    {
        using var request = await make(ct).ConfigureAwait(false);
        var bytes = request.Content?.Headers.ContentLength ?? 0;
        using var limit = new CancellationTokenSource(_options.TryTimeout + TimeSpan.FromSeconds((double)bytes / _options.MinBytesPerSecond), _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, limit.Token);
        HttpResponseMessage? response = null;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, both.Token).ConfigureAwait(false);
            if (streams && response.IsSuccessStatusCode)
            {
                var stream = await response.Content.ReadAsStreamAsync(both.Token).ConfigureAwait(false);
                return (new OpenedAnswer(response, null, new AnswerStream(response, stream, _options.StallTimeout, _time)), null);
            }
            var body = await ReadBodyAsync(response, both.Token).ConfigureAwait(false);
            return (new OpenedAnswer(response, new StoreAnswer(response, body), null), null);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            response?.Dispose();
            return (null, new TimeoutException("no answer within the time limit"));
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            response?.Dispose();
            if (e.InnerException is AuthenticationException tls)
                throw new IOException($"{Name} has a certificate that is not trusted here ({tls.Message}): add its authority to the system's, or set skipverify", e);
            return (null, e);
        }
    }

    private static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, CancellationToken ct)
    {
        using (response)
        {
            await response.Content.LoadIntoBufferAsync(MaxBodyBytes, ct).ConfigureAwait(false);
            return await response.Content.ReadAsByteArrayAsync(ct).ConfigureAwait(false);
        }
    }

    private static bool SaysLater(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout
        // OpenStack Swift's word for "too many requests".
        or (HttpStatusCode)498;

    private TimeSpan Pause(int failures, System.Net.Http.Headers.RetryConditionHeaderValue? retryAfter)
    {
        var pause = _options.FirstPause * Math.Pow(2, failures - 1) * (0.5 + _random.NextDouble());
        var asked = retryAfter?.Delta ?? (retryAfter?.Date is { } date ? date - _time.GetUtcNow() : TimeSpan.Zero);
        if (asked > pause) pause = asked;
        return pause < _options.MaxPause ? pause : _options.MaxPause;
    }
}

/// <summary>An answer: either read (<see cref="Answer"/>) or open for reading (<see cref="Stream"/>, whose disposal ends it).</summary>
internal sealed class OpenedAnswer(HttpResponseMessage response, StoreAnswer? answer, AnswerStream? stream)
{
    public HttpStatusCode Status => response.StatusCode;

    public StoreAnswer? Answer => answer;

    public AnswerStream? Stream => stream;

    /// <summary>Length of the body, as its header says.</summary>
    public long? ContentLength => response.Content.Headers.ContentLength;

    /// <summary>Length of the whole object, as a partial answer says it; null where the answer is none.</summary>
    public long? RangeTotal => response.Content.Headers.ContentRange?.Length;

    /// <summary>Length of the whole object: of a partial answer what its Content-Range says.</summary>
    public long? TotalLength => RangeTotal ?? ContentLength;

    public System.Net.Http.Headers.RetryConditionHeaderValue? RetryAfter => response.Headers.RetryAfter;
}
