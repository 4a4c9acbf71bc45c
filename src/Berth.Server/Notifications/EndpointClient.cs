using System.Net;
using System.Net.Http.Headers;

namespace Berth.Server.Notifications;

/// <summary>What came of one try.</summary>
/// <param name="Status">HTTP status; null without an answer.</param>
/// <param name="Problem">What went wrong; null when the event was accepted.</param>
internal readonly record struct PostOutcome(int? Status, string? Problem)
{
    public bool IsAccepted => Problem is null;
}

/// <summary>
/// Posts envelopes to one endpoint. The address is the operator's, so any is allowed, but a redirect is not followed: it would lose the body
/// or lead elsewhere. The whole request has one time limit; of an answer only the status is read.
/// </summary>
internal sealed class EndpointClient : IDisposable
{
    private const int MaxAnswerHeaderKilobytes = 16;
    private const int MaxAnswerBytesDrained = 64 * 1024;

    private static readonly MediaTypeHeaderValue EnvelopeType = new(EventJson.MediaType);
    private static readonly string UserAgent = "berth/" + typeof(EndpointClient).Assembly.GetName().Version?.ToString(3);

    private readonly NotificationEndpoint _endpoint;
    private readonly TimeProvider _time;
    private readonly HttpClient _client;

    public EndpointClient(NotificationEndpoint endpoint, TimeProvider time)
    {
        _endpoint = endpoint;
        _time = time;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            MaxConnectionsPerServer = 1,
            MaxResponseHeadersLength = MaxAnswerHeaderKilobytes,
            // What is left of an answer is read this far to keep the connection; beyond, the connection is closed.
            MaxResponseDrainSize = MaxAnswerBytesDrained,
            ResponseDrainTimeout = TimeSpan.FromSeconds(1),
            // A changed DNS entry is seen.
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        };
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>One try. Only <paramref name="ct"/> makes it throw <see cref="OperationCanceledException"/>.</summary>
    public async Task<PostOutcome> PostAsync(string eventJson, CancellationToken ct)
    {
        using var timer = new CancellationTokenSource(_endpoint.Timeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct, timer.Token);
        using var request = NewRequest(eventJson);
        try
        {
            using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
            var status = (int)answer.StatusCode;
            return new PostOutcome(status, ProblemOf(answer.StatusCode));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new PostOutcome(null, $"no answer within {_endpoint.Timeout}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new PostOutcome(null, e.InnerException is null ? e.Message : $"{e.Message}: {e.InnerException.Message}");
        }
    }

    public void Dispose() => _client.Dispose();

    private static string? ProblemOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
            => $"answered {(int)status}, a redirect, which is not followed: set the final address",
        >= HttpStatusCode.OK and < HttpStatusCode.BadRequest => null,
        _ => $"answered {(int)status}",
    };

    private HttpRequestMessage NewRequest(string eventJson)
    {
        var content = new ByteArrayContent(EventJson.Envelope(eventJson));
        content.Headers.ContentType = EnvelopeType;
        var request = new HttpRequestMessage(HttpMethod.Post, _endpoint.Url) { Content = content };
        foreach (var (name, values) in _endpoint.Headers)
        {
            // Names of content headers (Content-Language …) are refused by the first collection.
            if (!request.Headers.TryAddWithoutValidation(name, values)) content.Headers.TryAddWithoutValidation(name, values);
        }
        if (!request.Headers.NonValidated.Contains("User-Agent")) request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        return request;
    }
}
