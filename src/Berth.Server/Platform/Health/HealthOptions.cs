using Berth.Server.Platform.Options;

namespace Berth.Server.Platform.Health;

/// <summary>Checks behind <c>/health/ready</c> beside database and storage (section <c>health</c>).</summary>
public sealed record HealthOptions
{
    /// <summary>Probe the storage; off, only the database decides about readiness.</summary>
    public bool StorageEnabled { get; init; } = true;

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
    /// <summary>Path of the file.</summary>
    public string File { get; init; } = "";

    /// <summary>Pause between two looks.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Looks in a row that find the file before the server is unready.</summary>
    public int Threshold { get; init; } = 1;
}

/// <summary>Unready while an address does not answer with the status.</summary>
public sealed record HttpCheckOptions
{
    /// <summary>Address that is asked with HEAD.</summary>
    public string Uri { get; init; } = "";

    /// <summary>Status that counts as healthy.</summary>
    public int StatusCode { get; init; } = 200;

    /// <summary>Headers of the request. Secret.</summary>
    [Secret]
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Headers { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Time limit of one request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Pause between two requests.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Failures in a row before the server is unready.</summary>
    public int Threshold { get; init; } = 1;
}

/// <summary>Unready while an address (<c>host:port</c>) refuses connections.</summary>
public sealed record TcpCheckOptions
{
    /// <summary>The address, <c>host:port</c>.</summary>
    public string Addr { get; init; } = "";

    /// <summary>Time limit of one connection.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Pause between two connections.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Failures in a row before the server is unready.</summary>
    public int Threshold { get; init; } = 1;
}
