namespace Berth.Server.Registry;

/// <summary>
/// Decides whether a manifest may be pulled, beyond rights and locks. Asked on the path of every pull of a manifest, by tag and by digest, HEAD and GET: where it has nothing to say it answers at once,
/// without a query and without allocation.
/// </summary>
internal interface IPullGate
{
    /// <summary>Judges a pull.</summary>
    /// <param name="request">Who pulls from where.</param>
    /// <param name="tag">The tag that was asked for; empty for a digest.</param>
    /// <param name="manifest">What would be sent.</param>
    /// <returns>The error to answer with; null when it may be pulled.</returns>
    ValueTask<OciError?> CheckAsync(RegistryRequest request, string tag, CachedContent manifest);
}
