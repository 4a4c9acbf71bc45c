using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;
using Berth.Server.Registry;
using Berth.Server.Scanning.Sboms;

namespace Berth.Server.Scanning;

/// <summary>Asks for a scan of what is pushed, and for its bill of materials, in the transaction of the push: where the project's <c>auto_scan</c> and <c>auto_sbom_generation</c> say so.</summary>
internal sealed class ScanOnPush(ScanRequests requests, SbomRequests sboms) : IRegistryEventWriter
{
    private const string Scan = "auto_scan";
    private const string Sbom = "auto_sbom_generation";

    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => action == RegistryEventAction.Push;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        if (registryEvent.IsBlob || registryEvent.Action != RegistryEventAction.Push || registryEvent.Digest is null) return;
        var (manifest, wanted) = await WantedAsync(session, registryEvent.Repository, registryEvent.Digest, ct).ConfigureAwait(false);
        if (wanted.Contains(Scan)) await requests.AddAsync(session, manifest, JobTrigger.Event, null, ct).ConfigureAwait(false);
        if (wanted.Contains(Sbom)) await sboms.AddAsync(session, manifest, JobTrigger.Event, ct).ConfigureAwait(false);
    }

    private static async ValueTask<(long Manifest, List<string> Wanted)> WantedAsync(DbSession session, string repository, string digest, CancellationToken ct)
    {
        var (manifest, wanted) = (0L, new List<string>(2));
        await using var rows = await session.Command(SelectWanted, ProjectName.Of(repository), repository, digest).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            manifest = rows.GetInt64(0);
            wanted.Add(rows.GetString(1));
        }
        return (manifest, wanted);
    }

    private static readonly Statement SelectWanted = new($"""
        SELECT m.id, s.name FROM projects p JOIN project_metadata s ON s.project_id = p.id AND s.name IN ('{Scan}', '{Sbom}') AND s.value = 'true'
        JOIN repositories r ON r.name = @1 JOIN manifests m ON m.repository_id = r.id AND m.digest = @2 WHERE p.name = @0
        """);
}
