using Berth.Blobs;
using Berth.Server.Access;
using Berth.Server.Identity;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Registry;

namespace Berth.Server.Doctor;

/// <summary>The settings that an examination looks at.</summary>
internal sealed record DoctorSettings
{
    public required HttpOptions Http { get; init; }

    public required DatabaseOptions Database { get; init; }

    public required BlobStoreOptions Storage { get; init; }

    public required AccessOptions Access { get; init; }

    public required IdentityOptions Identity { get; init; }

    public required RegistryOptions Registry { get; init; }

    public required GarbageOptions Gc { get; init; }

    /// <summary>Whether content is read again in the background (section <c>scrub</c>).</summary>
    public required bool IsScrubbed { get; init; }

    public required LogOptions Log { get; init; }

    public required MetricsOptions Metrics { get; init; }

    public required TracingOptions Tracing { get; init; }
}
