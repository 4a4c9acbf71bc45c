using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Berth.Server.Platform.Jobs;

/// <summary>A job to be enqueued.</summary>
public sealed record NewJob
{
    /// <summary>Longest kind in characters.</summary>
    public const int MaxKindLength = 64;

    /// <summary>Longest vendor, group or dedupe key in characters.</summary>
    public const int MaxKeyLength = 512;

    /// <summary>Longest payload in characters.</summary>
    public const int MaxPayloadLength = 4 * 1024 * 1024;

    /// <summary>Names the handler.</summary>
    public required string Kind { get; init; }

    /// <summary>What the handler needs to know, as JSON.</summary>
    public string Payload { get; init; } = "{}";

    /// <summary>Not to be run before; null: at once.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>Failures after which it is given up. A try that was cut off with its process is not one.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>The project that it works for.</summary>
    public long? ProjectId { get; init; }

    /// <summary>What it belongs to, such as <c>policy:7</c>: lists of jobs are asked by it.</summary>
    public string? VendorKey { get; init; }

    /// <summary>At most one unfinished job has this key: enqueuing a second one names the first.</summary>
    public string? DedupeKey { get; init; }

    /// <summary>Jobs of one group run one after the other in the order of their ids; the next starts when its predecessor has ended for good.</summary>
    public string? GroupKey { get; init; }

    /// <summary>What made it.</summary>
    public JobTrigger Trigger { get; init; } = JobTrigger.Manual;

    /// <summary>The schedule that made it.</summary>
    public long? ScheduleId { get; init; }

    /// <summary>A job with a typed payload.</summary>
    public static NewJob Of<T>(string kind, T payload, JsonTypeInfo<T> type) => new() { Kind = kind, Payload = JsonSerializer.Serialize(payload, type) };

    /// <summary>Says what is wrong with it, a bug of the caller.</summary>
    internal void Check()
    {
        if (!IsKind(Kind)) throw new ArgumentException($"\"{Kind}\" is no kind of job: small letters, digits and _, at most {MaxKindLength}");
        if (Payload.Length > MaxPayloadLength) throw new ArgumentException($"the payload of a job of kind {Kind} is longer than {MaxPayloadLength} characters");
        if (MaxAttempts < 1) throw new ArgumentException($"a job of kind {Kind} needs at least one attempt");
        if (VendorKey?.Length > MaxKeyLength || DedupeKey?.Length > MaxKeyLength || GroupKey?.Length > MaxKeyLength)
            throw new ArgumentException($"a key of a job of kind {Kind} is longer than {MaxKeyLength} characters");
    }

    internal static bool IsKind(string kind) =>
        kind.Length is > 0 and <= MaxKindLength && kind.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_');
}

/// <summary>What became of a <see cref="NewJob"/>.</summary>
/// <param name="Id">The job, or the unfinished one with the same dedupe key.</param>
/// <param name="IsNew">False when there was one already.</param>
public readonly record struct EnqueuedJob(long Id, bool IsNew);
