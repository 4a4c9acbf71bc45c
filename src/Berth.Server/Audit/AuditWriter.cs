using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Settings;
using Berth.Server.Registry;

namespace Berth.Server.Audit;

/// <summary>
/// Writes an <see cref="AuditEntry"/> for what happens, in the transaction that makes it true: there is no change without its entry and no entry without its
/// change. Pulls and failed sign-ins change nothing and come by the hundred: <see cref="AuditBuffer"/> takes those.
/// </summary>
internal sealed class AuditWriter(RuntimeSettings settings, AuditForwarding forwarding, TimeProvider time) : IDomainEventWriter, IRegistryEventWriter
{
    /// <inheritdoc/>
    public bool Wants(RegistryEventAction action) => action is RegistryEventAction.Push or RegistryEventAction.Delete;

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, DomainEvent domainEvent, CancellationToken ct) =>
        await AddAsync(session, AuditWords.EntryOf(domainEvent, Now), ct).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask WriteAsync(DbSession session, RegistryEvent registryEvent, CancellationToken ct)
    {
        // Pushed blobs are told of by the manifest that names them.
        if (registryEvent is { IsBlob: true, Action: not RegistryEventAction.Delete }) return;
        var project = await session.ScalarAsync(SelectProject, [registryEvent.Repository], ct).ConfigureAwait(false);
        if (AuditWords.EntryOf(registryEvent, project, Now) is { } entry) await AddAsync(session, entry, ct).ConfigureAwait(false);
    }

    private long Now => time.GetUtcNow().ToUnixTimeMilliseconds();

    private async ValueTask AddAsync(DbSession session, AuditEntry entry, CancellationToken ct)
    {
        var values = await settings.ReadAsync(ct).ConfigureAwait(false);
        if (IsDisabled(values, entry)) return;
        var forward = forwarding.TargetOf(values).Length > 0;
        await AuditRows.AddAsync(session, entry, forward, ct).ConfigureAwait(false);
        if (forward) session.AfterCommit(forwarding.Wake);
    }

    internal static bool IsDisabled(SettingValues values, AuditEntry entry) =>
        values.Of(RuntimeSettingTable.DisabledAuditLogEventTypes) is { Length: > 0 } disabled
        && AuditWords.ParseTypes(disabled).Contains(AuditWords.TypeOf(entry.Operation, entry.ResourceType));

    private static readonly Statement SelectProject = new("SELECT project_id FROM repositories WHERE name = @0");
}
