using System.Net;

namespace Berth.Client.Http;

/// <summary>Whether a request is tried again, and after which pause.</summary>
internal sealed class RetryRules(RegistryClientOptions options, TimeProvider time, Random random)
{
    /// <summary>Whether an answer may be another one next time.</summary>
    public static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    /// <summary>Pause before the next try; null when there is none.</summary>
    /// <param name="attempt">Tries so far, 1 and up.</param>
    /// <param name="answer">What was answered; null when there was no answer.</param>
    public TimeSpan? PauseAfter(int attempt, HttpResponseMessage? answer)
    {
        if (attempt >= options.MaxAttempts) return null;
        if (answer?.Headers.RetryAfter is { } asked)
        {
            var wait = asked.Delta ?? (asked.Date is { } date ? date - time.GetUtcNow() : TimeSpan.Zero);
            return wait > options.MaxPause ? null : wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
        }
        var full = options.FirstPause * Math.Pow(2, Math.Min(attempt - 1, 16));
        // Between half and all of it: many clients of one registry must not come back together.
        return (full < options.MaxPause ? full : options.MaxPause) * (0.5 + random.NextDouble() / 2);
    }

    /// <summary>Waits.</summary>
    public Task WaitAsync(TimeSpan pause, CancellationToken ct) => Task.Delay(pause, time, ct);
}
