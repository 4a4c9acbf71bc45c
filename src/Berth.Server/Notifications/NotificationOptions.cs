using Berth.Server.Platform.Options;

namespace Berth.Server.Notifications;

/// <summary>Where registry events are posted to, in Docker Registry's envelope (section <c>notifications</c>).</summary>
public sealed record NotificationOptions
{
    /// <summary>The receivers.</summary>
    public IReadOnlyList<NotificationEndpointOptions> Endpoints { get; init; } = [];

    /// <summary>Put the descriptor's referenced layers of a manifest into push and pull events (Docker Registry's <c>events.includereferences</c>).</summary>
    public bool IncludeReferences { get; init; }
}

/// <summary>One receiver of events.</summary>
public sealed record NotificationEndpointOptions
{
    /// <summary>Name, unique in the list; deliveries are kept under it.</summary>
    public string Name { get; init; } = "";

    /// <summary>Leave this receiver out.</summary>
    public bool Disabled { get; init; }

    /// <summary>Address that envelopes are posted to.</summary>
    public string Url { get; init; } = "";

    /// <summary>Headers of the request. Secret.</summary>
    [Secret]
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Time limit of one request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Failures in a row before the sender backs off.</summary>
    public int Threshold { get; init; } = 10;

    /// <summary>Pause between tries once the threshold is reached.</summary>
    public TimeSpan Backoff { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Media types whose events are not sent.</summary>
    public IReadOnlyList<string> IgnoredMediaTypes { get; init; } = [];

    /// <summary>Actions (<c>push</c>, <c>pull</c>, <c>mount</c>, <c>delete</c>) whose events are not sent.</summary>
    public IReadOnlyList<string> IgnoredActions { get; init; } = [];
}
