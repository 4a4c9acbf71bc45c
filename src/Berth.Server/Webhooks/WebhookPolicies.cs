using System.Text.Json;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Text;

namespace Berth.Server.Webhooks;

/// <summary>A policy that is switched on, ready to be asked.</summary>
internal sealed record ActivePolicy(long Id, long? ProjectId, IReadOnlySet<string> EventTypes, Glob? Repositories, Glob? Tags, IReadOnlyList<WebhookTarget> Targets)
{
    public bool IsAbout(WebhookEvent e) =>
        EventTypes.Contains(e.Body.Type) && (ProjectId is null || ProjectId == e.ProjectId)
        && WebhookRules.IsAbout(Repositories, Tags, ProjectId is not null, e.Repository, e.Tag);
}

/// <summary>
/// The policies that are switched on, remembered until one changes in any replica; none while the setting <c>notification_enable</c> is off. Whether anybody wants an event costs a look at a field;
/// while that is not known, everything is wanted until the writer of the event has looked.
/// </summary>
internal sealed class WebhookPolicies
{
    private readonly Announcements _announcements;
    private readonly WebhookTargets _targets;
    private readonly RuntimeSettings _settings;
    private volatile Known? _known;
    private int _version;

    public WebhookPolicies(Announcements announcements, WebhookTargets targets, RuntimeSettings settings)
    {
        (_announcements, _targets, _settings) = (announcements, targets, settings);
        announcements.Subscribe(Topics.Webhooks, _ => Forget());
        announcements.Subscribe(Topics.Settings, _ => Forget());
        // A project that goes takes its policies with it.
        announcements.Subscribe(Topics.Access, _ => Forget());
    }

    /// <summary>Whether a policy may want events of a type.</summary>
    public bool MayWant(string eventType) => _known is not { } known || !_announcements.IsListening || known.EventTypes.Contains(eventType);

    /// <summary>The policies, read in the caller's transaction when they are not known.</summary>
    public async ValueTask<IReadOnlyList<ActivePolicy>> AllAsync(DbSession session, CancellationToken ct)
    {
        if (_known is { } known && _announcements.IsListening) return known.Policies;
        // What changes while this is read is announced after it is committed: then what was read is not kept.
        var version = Volatile.Read(ref _version);
        // As the transaction sees the setting: what the process remembers of it may be about to change.
        var isOn = (await _settings.ReadAsync(session, ct).ConfigureAwait(false)).Of(RuntimeSettingTable.NotificationEnable);
        var rows = isOn ? await WebhookRows.EnabledAsync(session, ct).ConfigureAwait(false) : [];
        var read = new Known([.. rows.Select(ReadPolicy)]);
        if (version == Volatile.Read(ref _version))
        {
            _known = read;
            if (version != Volatile.Read(ref _version)) _known = null;
        }
        return read.Policies;
    }

    private void Forget()
    {
        Interlocked.Increment(ref _version);
        _known = null;
    }

    private ActivePolicy ReadPolicy(WebhookPolicy row) => new(
        row.Id, row.ProjectId, (JsonSerializer.Deserialize(row.EventTypes, WebhookJson.Default.StringArray) ?? []).ToHashSet(),
        GlobOf(row.Repositories), GlobOf(row.Tags), _targets.Read(row.Targets));

    private static Glob? GlobOf(string? pattern) => string.IsNullOrEmpty(pattern) ? null : Glob.Parse(pattern);

    private sealed class Known(IReadOnlyList<ActivePolicy> policies)
    {
        public IReadOnlyList<ActivePolicy> Policies { get; } = policies;

        public HashSet<string> EventTypes { get; } = [.. policies.SelectMany(p => p.EventTypes)];
    }
}
