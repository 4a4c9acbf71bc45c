namespace Berth.Blobs.Http;

/// <summary>How a store that speaks HTTP is called.</summary>
internal sealed record StoreHttpOptions
{
    /// <summary>What messages call the store, as in "Azure Blob at https://…".</summary>
    public required string Name { get; init; }

    /// <summary>Longest wait for a connection.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time of one try until its answer is there, the time for its body not counted.</summary>
    public TimeSpan TryTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A body may take as long as it takes at this rate.</summary>
    public int MinBytesPerSecond { get; init; } = 128 << 10;

    /// <summary>Longest silence while an answer's body is read.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Most tries of one request.</summary>
    public int MaxTries { get; init; } = 6;

    /// <summary>No further try begins after this time.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Pause after the first failure; it doubles with each, and varies by half.</summary>
    public TimeSpan FirstPause { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest pause, whatever the store asks for.</summary>
    public TimeSpan MaxPause { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Takes any certificate: for tests with a certificate of one's own.</summary>
    public bool SkipVerify { get; init; }

    /// <summary>Most connections at a time.</summary>
    public int MaxConnections { get; init; } = 256;
}
