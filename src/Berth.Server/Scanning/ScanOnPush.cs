using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Berth.Server.Projects;
using Berth.Server.Registry;

namespace Berth.Server.Scanning;

/// <summary>Asks for a scan of what is pushed, in the transaction of the push, where the project's <c>auto_scan</c> says so.</summary>
internal sealed class ScanOnPush(ScanRequests requests) : IRegistryEventWriter
{
    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => action == RegistryEventAction.Push;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        if (registryEvent.IsBlob || registryEvent.Action != RegistryEventAction.Push || registryEvent.Digest is null) return;
        if (await session.ScalarAsync(SelectManifest, [ProjectName.Of(registryEvent.Repository), registryEvent.Repository, registryEvent.Digest], ct).ConfigureAwait(false) is not { } manifest) return;
        await requests.AddAsync(session, manifest, JobTrigger.Event, null, ct).ConfigureAwait(false);
    }

    private static readonly Statement SelectManifest = new("""
        SELECT m.id FROM projects p JOIN project_metadata s ON s.project_id = p.id AND s.name = 'auto_scan' AND s.value = 'true'
        JOIN repositories r ON r.name = @1 JOIN manifests m ON m.repository_id = r.id AND m.digest = @2 WHERE p.name = @0
        """);
}
