using Berth.Oci;
using Berth.Server.Platform.Data;

namespace Berth.Server.Registry;

/// <summary>What happened to a manifest or blob.</summary>
public enum RegistryEventAction
{
    Push,
    Pull,
    Mount,
    Delete,
}

/// <summary>One thing that happened in a repository; those who care write it down in the transaction that makes it true.</summary>
public sealed record RegistryEvent
{
    public required RegistryEventAction Action { get; init; }

    public required string Repository { get; init; }

    /// <summary>Null when a tag alone was deleted.</summary>
    public string? Digest { get; init; }

    /// <summary>Tag of the request, if it named one.</summary>
    public string? Tag { get; init; }

    /// <summary>Media type of a manifest; <c>application/octet-stream</c> for a blob.</summary>
    public string MediaType { get; init; } = "";

    /// <summary>Size in bytes.</summary>
    public long Size { get; init; }

    /// <summary>True for a blob, false for a manifest or tag.</summary>
    public bool IsBlob { get; init; }

    /// <summary>Repository that a blob was mounted from.</summary>
    public string? FromRepository { get; init; }

    /// <summary>What a manifest refers to, for listeners that ask for it.</summary>
    public IReadOnlyList<Descriptor> References { get; init; } = [];

    /// <summary>Who did it.</summary>
    public required string Actor { get; init; }

    /// <summary>The request that caused it.</summary>
    public required EventRequest Request { get; init; }
}

/// <summary>The request behind an event.</summary>
public sealed record EventRequest(string Id, string RemoteAddress, string Host, string Method, string UserAgent, string BaseUrl);

/// <summary>Takes part in the transaction of every registry event. Implemented by those who tell others, such as notifications.</summary>
public interface IRegistryEventWriter
{
    /// <summary>Whether this writer would write anything for such an event; asked before one is built.</summary>
    bool Wants(RegistryEventAction action);

    /// <summary>Writes what it needs into the transaction.</summary>
    ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct);
}

/// <summary>
/// Hears of pulled manifests without a transaction, for those who gather them. Called on the path of every pull: it takes no more than a short lock, and
/// never throws.
/// </summary>
internal interface IPullListener
{
    /// <summary>A manifest was sent.</summary>
    /// <param name="request">Who asked, for which repository.</param>
    /// <param name="tag">Tag that it was asked for by; empty for a digest.</param>
    /// <param name="digest">The manifest.</param>
    void Pulled(RegistryRequest request, string tag, string digest);
}
