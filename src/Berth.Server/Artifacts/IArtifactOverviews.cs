using Berth.Server.Platform.Data;

namespace Berth.Server.Artifacts;

/// <summary>What another feature has to say about artifacts in lists (Harbor's <c>scan_overview</c>). Declared here and implemented by who knows: artifacts know nothing of scans.</summary>
internal interface IArtifactOverviews
{
    /// <summary>The overview of each artifact that has one, as JSON, by its row.</summary>
    ValueTask<IReadOnlyDictionary<long, RawJson>> ReadAsync(DbSession session, IReadOnlyList<long> manifests, CancellationToken ct);
}
