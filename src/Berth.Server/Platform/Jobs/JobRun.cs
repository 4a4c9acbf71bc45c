using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Server.Platform.Jobs;

/// <summary>One try of a job, as its handler sees it. Log and progress are kept in memory and written about once a second; any thread may use them.</summary>
public sealed class JobRun
{
    /// <summary>Most log lines of one try; what comes after is dropped, and a last line says so.</summary>
    public const int MaxLogLines = 10_000;

    /// <summary>Longest log line in characters; the rest of it is cut off.</summary>
    public const int MaxLogLineLength = 2_000;

    // A try has fewer lines, so the lines of the next one sort behind.
    private const long SeqOfAttempt = 1_000_000;

    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private readonly Queue<JobLogLine> _lines = new();
    private long _logged;
    private (int? Percent, string? Text) _progress;
    private bool _hasProgress;
    private string? _result;

    internal JobRun(LeasedJob job, TimeProvider time)
    {
        Job = job;
        _time = time;
    }

    /// <summary>The job.</summary>
    public long Id => Job.Id;

    /// <summary>What the handler needs to know, JSON.</summary>
    public string Payload => Job.Payload;

    /// <summary>Number of this try, from 1; tries that were cut off count.</summary>
    public int Attempt => Job.Attempts;

    /// <summary>Whether the job is given up when this try fails.</summary>
    public bool IsLastAttempt => Job.Failures + 1 >= Job.MaxAttempts;

    internal LeasedJob Job { get; }

    /// <summary>The payload as a value.</summary>
    /// <exception cref="JsonException">It is not one: the job fails.</exception>
    public T ReadPayload<T>(JsonTypeInfo<T> type) => JsonSerializer.Deserialize(Payload, type) ?? throw new JsonException("the payload is null");

    /// <summary>Adds a line to the job's log.</summary>
    public void Log(string text)
    {
        lock (_gate)
        {
            if (_logged >= MaxLogLines) return;
            var line = ++_logged < MaxLogLines ? text : "more lines are not kept";
            if (line.Length > MaxLogLineLength) line = line[..MaxLogLineLength];
            _lines.Enqueue(new JobLogLine
            {
                JobId = Id,
                Seq = (Attempt * SeqOfAttempt) + _logged,
                At = _time.GetUtcNow().ToUnixTimeMilliseconds(),
                // PostgreSQL has no texts with a zero.
                Text = line.Replace('\0', ' '),
            });
        }
    }

    /// <summary>Says how far it is.</summary>
    /// <param name="percent">0 to 100; null when nobody knows.</param>
    /// <param name="text">What is being done.</param>
    public void Report(int? percent, string? text)
    {
        lock (_gate)
        {
            _progress = (percent is { } p ? Math.Clamp(p, 0, 100) : null, text?[..Math.Min(text.Length, MaxLogLineLength)]);
            _hasProgress = true;
        }
    }

    /// <summary>Sets what came out; kept however the try ends.</summary>
    public void SetResult<T>(T result, JsonTypeInfo<T> type)
    {
        var json = JsonSerializer.Serialize(result, type);
        lock (_gate) _result = json;
    }

    /// <summary>What is not written yet; null when there is nothing.</summary>
    internal JobNotes? Unwritten()
    {
        lock (_gate)
        {
            if (_lines.Count == 0 && !_hasProgress && _result is null) return null;
            return new JobNotes([.. _lines], _hasProgress, _progress.Percent, _progress.Text, _result);
        }
    }

    /// <summary>Forgets what was written.</summary>
    internal void Written(JobNotes notes)
    {
        lock (_gate)
        {
            for (var i = 0; i < notes.Lines.Count; i++) _lines.Dequeue();
            if (_progress == (notes.Percent, notes.Text)) _hasProgress = false;
            if (ReferenceEquals(_result, notes.Result)) _result = null;
        }
    }
}

/// <summary>What a handler noted and the database does not have yet.</summary>
internal sealed record JobNotes(IReadOnlyList<JobLogLine> Lines, bool HasProgress, int? Percent, string? Text, string? Result);
