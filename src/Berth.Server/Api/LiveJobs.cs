using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace Berth.Server.Api;

/// <summary>
/// How far running jobs are, as server-sent events: one event with all that changed, about once a second, and the event <c>end</c> when the last has ended. Each feature offers
/// the stream of its own jobs, under its own permission. A stream ends by itself after ten minutes; browsers ask again.
/// </summary>
internal sealed class LiveJobs(Database database, IHostApplicationLifetime lifetime, TimeProvider time)
{
    /// <summary>Most jobs in one stream.</summary>
    private const int MaxJobs = 50;

    /// <summary>Most streams of this process at once: each asks the database once a second.</summary>
    private const int MaxStreams = 100;

    private const int MaxTextLength = 200;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_heartbeat = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(10);

    private int _open;

    /// <summary>The operation of a feature.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="id">Its id.</param>
    /// <param name="tag">Its group.</param>
    /// <param name="need">What a caller needs.</param>
    /// <param name="filter">Whose jobs, for a call.</param>
    public ApiOperation OperationFor(string path, string id, string tag, ApiNeed need, Func<ApiCall, JobFilter> filter) =>
        new(HttpMethods.Get, path, id, tag, need, (call, _) => Task.FromResult(Answer(filter(call))))
        {
            Surface = ApiSurface.Berth,
            Summary = "How far running jobs are, as server-sent events (text/event-stream); ends with the event end when none runs any more.",
            Answer = typeof(LiveJobsJson),
        };

    private ApiResult Answer(JobFilter filter) => ApiResult.Stream("text/event-stream; charset=utf-8", async (context, ct) =>
    {
        context.Response.Headers.CacheControl = "no-store";
        // Proxies such as nginx would keep the events until they are many.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(ct, lifetime.ApplicationStopping);
        try
        {
            // One too many is told to come back later.
            if (Interlocked.Increment(ref _open) > MaxStreams) await SendAsync(context.Response, "retry: 60000\n: too many streams are open", ends.Token).ConfigureAwait(false);
            else await WriteAsync(context.Response, filter, ends.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The server stops: the browser asks again, and another replica answers.
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    });

    private async Task WriteAsync(HttpResponse response, JobFilter filter, CancellationToken ct)
    {
        var unfinished = filter with { States = [JobState.Pending, JobState.Waiting, JobState.Running] };
        var (known, began, wrote) = (new Dictionary<long, LiveJobJson>(), time.GetTimestamp(), time.GetTimestamp());
        while (time.GetElapsedTime(began) < s_limit)
        {
            var jobs = await database.ReadAsync((unfinished, known), static (session, q, token) => ReadAsync(session, q.unfinished, q.known, token), ct).ConfigureAwait(false);
            var now = time.GetUtcNow();
            var changed = jobs.Select(j => JsonOf(j, now)).Where(j => !known.TryGetValue(j.Id, out var before) || before != j).ToList();
            foreach (var job in changed) known[job.Id] = job;
            if (changed.Count > 0)
            {
                await SendAsync(response, "data: " + JsonSerializer.Serialize(new LiveJobsJson { Jobs = changed }, LiveJson.Default.LiveJobsJson), ct).ConfigureAwait(false);
                wrote = time.GetTimestamp();
            }
            if (known.Values.All(j => j.IsEnded))
            {
                await SendAsync(response, "event: end\ndata: {}", ct).ConfigureAwait(false);
                return;
            }
            if (time.GetElapsedTime(wrote) > s_heartbeat)
            {
                await SendAsync(response, ": still here", ct).ConfigureAwait(false);
                wrote = time.GetTimestamp();
            }
            await Task.Delay(s_interval, time, ct).ConfigureAwait(false);
        }
    }

    // Those that run, and those that ran when they were asked for last.
    private static async ValueTask<List<Job>> ReadAsync(DbSession session, JobFilter unfinished, Dictionary<long, LiveJobJson> known, CancellationToken ct)
    {
        var jobs = await JobViews.ListAsync(session, unfinished, 0, MaxJobs, ct).ConfigureAwait(false);
        foreach (var job in known.Values.Where(j => !j.IsEnded && jobs.TrueForAll(o => o.Id != j.Id)).ToList())
        {
            if (await JobViews.FindAsync(session, job.Id, ct).ConfigureAwait(false) is { } ended) jobs.Add(ended);
            else known[job.Id] = job with { Status = "Stopped", IsEnded = true };
        }
        return jobs;
    }

    private static LiveJobJson JsonOf(Job job, DateTimeOffset now) => new()
    {
        Id = job.Id,
        Kind = job.Kind,
        Status = JobWords.StatusOf(job, now),
        Percent = job.ProgressPercent,
        Text = job.ProgressText is { Length: > MaxTextLength } text ? text[..MaxTextLength] : job.ProgressText,
        IsEnded = job.State is JobState.Succeeded or JobState.Failed or JobState.Cancelled,
    };

    private static async Task SendAsync(HttpResponse response, string lines, CancellationToken ct)
    {
        await response.Body.WriteAsync(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{lines}\n\n")), ct).ConfigureAwait(false);
        await response.Body.FlushAsync(ct).ConfigureAwait(false);
    }
}

/// <summary>One event: jobs of which something has changed.</summary>
public sealed record LiveJobsJson
{
    public IReadOnlyList<LiveJobJson> Jobs { get; init; } = [];
}

/// <summary>How far a job is.</summary>
public sealed record LiveJobJson
{
    public long Id { get; init; }

    public string Kind { get; init; } = "";

    /// <summary><c>Pending</c>, <c>Scheduled</c>, <c>Running</c>, <c>Success</c>, <c>Error</c> or <c>Stopped</c>.</summary>
    public string Status { get; init; } = "";

    /// <summary>0 to 100; null when nobody knows.</summary>
    public int? Percent { get; init; }

    /// <summary>What is being done.</summary>
    public string? Text { get; init; }

    /// <summary>Whether it has ended.</summary>
    public bool IsEnded { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LiveJobsJson))]
internal sealed partial class LiveJson : JsonSerializerContext;
