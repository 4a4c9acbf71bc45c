using System.Collections.Frozen;
using Berth.Server.Platform.Jobs;
using Berth.Server.Registry;

namespace Berth.Server.Notifications;

/// <summary>The endpoints that are in use; shared by writer, sender and metrics.</summary>
public sealed class NotificationEndpoints
{
    private readonly bool[] _wanted = new bool[Enum.GetValues<RegistryEventAction>().Length];

    /// <summary>Takes the endpoints that are not disabled.</summary>
    /// <exception cref="ArgumentException">An address is not absolute or not http(s), a name is missing or used twice, or a header has a line break.</exception>
    public NotificationEndpoints(NotificationOptions options)
    {
        IncludeReferences = options.IncludeReferences;
        All = [.. options.Endpoints.Where(e => !e.Disabled).Select(e => new NotificationEndpoint(e))];
        if (All.GroupBy(e => e.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new ArgumentException($"two notification endpoints have the name {twice.Key}: deliveries are kept by name", nameof(options));
        foreach (var action in Enum.GetValues<RegistryEventAction>()) _wanted[(int)action] = All.Any(e => e.Wants(action));
    }

    /// <summary>In the order of the settings.</summary>
    public IReadOnlyList<NotificationEndpoint> All { get; }

    /// <summary>Whether events tell what a manifest refers to.</summary>
    internal bool IncludeReferences { get; }

    /// <summary>Whether any endpoint wants such events.</summary>
    internal bool Want(RegistryEventAction action) => _wanted[(int)action];
}

/// <summary>One receiver: what it wants, its counters, and the signal that wakes its loop.</summary>
public sealed class NotificationEndpoint
{
    private readonly FrozenSet<string> _ignoredActions;
    private readonly FrozenSet<string> _ignoredMediaTypes;

    internal NotificationEndpoint(NotificationEndpointOptions options)
    {
        if (options.Name.Length is 0 or > 255) throw new ArgumentException("a notification endpoint needs a name of 1 to 255 characters", nameof(options));
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https"))
            throw new ArgumentException($"the notification endpoint {options.Name} needs an address that begins with http:// or https://", nameof(options));
        if (options.Headers.FirstOrDefault(h => h.Value.Any(v => v.AsSpan().ContainsAny('\r', '\n', '\0'))).Key is { } header)
            throw new ArgumentException($"the header {header} of the notification endpoint {options.Name} has a line break in its value", nameof(options));
        Name = options.Name;
        Url = url;
        Headers = options.Headers;
        // Docker Registry takes zero and less as "not set".
        Timeout = options.Timeout > TimeSpan.Zero ? options.Timeout : TimeSpan.FromSeconds(1);
        Threshold = options.Threshold > 0 ? options.Threshold : 10;
        Backoff = options.Backoff > TimeSpan.Zero ? options.Backoff : TimeSpan.FromSeconds(1);
        _ignoredActions = options.IgnoredActions.ToFrozenSet(StringComparer.Ordinal);
        _ignoredMediaTypes = options.IgnoredMediaTypes.ToFrozenSet(StringComparer.Ordinal);
    }

    /// <summary>Name in the settings and in <c>notification_deliveries</c>.</summary>
    public string Name { get; }

    /// <summary>What happened so far.</summary>
    public NotificationCounters Counters { get; } = new();

    internal Uri Url { get; }

    internal IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; }

    internal TimeSpan Timeout { get; }

    internal int Threshold { get; }

    internal TimeSpan Backoff { get; }

    /// <summary>Set when a row for this endpoint was committed by this process.</summary>
    internal WakeSignal Wake { get; } = new();

    internal bool Wants(RegistryEventAction action) => !_ignoredActions.Contains(EventJson.NameOf(action));

    internal bool Wants(RegistryEventAction action, string mediaType) => Wants(action) && !_ignoredMediaTypes.Contains(mediaType);
}
