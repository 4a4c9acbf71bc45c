using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>What an overview is about.</summary>
internal enum ArtifactOverview
{
    /// <summary>What is known about the contents (Harbor's <c>scan_overview</c>).</summary>
    Scan,

    /// <summary>The bill of materials (Harbor's <c>sbom_overview</c>).</summary>
    Sbom,
}

/// <summary>What another feature has to say about artifacts in lists. Declared here and implemented by who knows: artifacts know nothing of scans.</summary>
internal interface IArtifactOverviews
{
    /// <summary>What it is about.</summary>
    ArtifactOverview About { get; }

    /// <summary>The overview of each artifact that has one, as JSON, by its row.</summary>
    ValueTask<IReadOnlyDictionary<long, RawJson>> ReadAsync(DbSession session, IReadOnlyList<long> manifests, CancellationToken ct);
}
