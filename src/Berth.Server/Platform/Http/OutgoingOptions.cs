namespace Berth.Server.Platform.Http;

/// <summary>Where Berth may connect to when users name the address: webhooks and the like (section <c>outgoing</c>).</summary>
public sealed record OutgoingOptions
{
    /// <summary>
    /// Addresses that are allowed though they are not public: host names (<c>hooks.example.com</c>, <c>*.example.com</c>), addresses and networks
    /// (<c>10.1.0.0/16</c>). Loopback, private and link-local addresses are refused otherwise.
    /// </summary>
    public IReadOnlyList<string> Allow { get; init; } = [];
}
