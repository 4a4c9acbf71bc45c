namespace Berth.Server.Platform.Health;

/// <summary>Checks behind <c>/health/ready</c> beside database and storage (section <c>health</c>).</summary>
public sealed record HealthOptions
{
    /// <summary>How often the storage is probed.</summary>
    public TimeSpan StorageInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Failures in a row before the storage counts as unhealthy.</summary>
    public int StorageThreshold { get; init; } = 3;

    /// <summary>Files whose presence makes the server unready.</summary>
    public IReadOnlyList<FileCheckOptions> Files { get; init; } = [];

    /// <summary>Addresses that must answer.</summary>
    public IReadOnlyList<HttpCheckOptions> Http { get; init; } = [];

    /// <summary>TCP addresses that must accept a connection.</summary>
    public IReadOnlyList<TcpCheckOptions> Tcp { get; init; } = [];
}

/// <summary>Unready while a file exists.</summary>
public sealed record FileCheckOptions
{
    public string File { get; init; } = "";
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
    public int Threshold { get; init; } = 1;
}

/// <summary>Unready while an address does not answer with the status.</summary>
public sealed record HttpCheckOptions
{
    public string Uri { get; init; } = "";
    public int StatusCode { get; init; } = 200;
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
    public int Threshold { get; init; } = 1;
}

/// <summary>Unready while an address (<c>host:port</c>) refuses connections.</summary>
public sealed record TcpCheckOptions
{
    public string Addr { get; init; } = "";
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);
    public int Threshold { get; init; } = 1;
}
