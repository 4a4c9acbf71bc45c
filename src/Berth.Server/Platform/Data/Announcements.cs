using System.Collections.Immutable;

namespace Berth.Server.Platform.Data;

/// <summary>
/// How replicas hear that something they remember has changed. An announcement is made inside a write (<see cref="DbSession.AnnounceAsync"/>)
/// and heard in every process once the write is committed. It carries no state: whoever hears it forgets, and reads again.
/// On SQLite there is one process; on PostgreSQL this is NOTIFY and LISTEN.
/// </summary>
public sealed class Announcements(DatabaseOutage? outage = null)
{
    private ImmutableDictionary<string, ImmutableArray<Action<string?>>> _heard = ImmutableDictionary<string, ImmutableArray<Action<string?>>>.Empty;
    private volatile bool _isListening = true;

    /// <summary>
    /// Whether announcements of other processes are heard right now. While this is false nothing remembered may be believed. What was remembered
    /// before is forgotten when it becomes true again.
    /// </summary>
    public bool IsListening => _isListening;

    /// <summary>Whether what is remembered may be believed: changes are heard of, or the database is away and they were heard of a short time ago.</summary>
    public bool MayBelieve => _isListening || Outage.IsBelieving;

    /// <summary>Whether the database can be reached.</summary>
    public DatabaseOutage Outage { get; } = outage ?? new DatabaseOutage(TimeSpan.Zero, TimeProvider.System);

    /// <summary>Raised at the first subscription: the database begins to listen.</summary>
    internal Action? Started { get; set; }

    /// <summary>
    /// Calls back with the key of every announcement of a topic, and with null when any may have been missed. Callbacks are short and do
    /// not throw.
    /// </summary>
    public void Subscribe(string topic, Action<string?> heard)
    {
        ImmutableInterlocked.AddOrUpdate(ref _heard, topic, [heard], (_, all) => all.Add(heard));
        Started?.Invoke();
    }

    internal void Publish(string topic, string? key)
    {
        if (!_heard.TryGetValue(topic, out var all)) return;
        foreach (var heard in all) heard(key);
    }

    internal void Lost()
    {
        if (_isListening) Outage.Lost();
        _isListening = false;
    }

    internal void Regained()
    {
        Outage.End();
        // Forget first: what is remembered after this is heard about.
        foreach (var topic in _heard.Keys) Publish(topic, null);
        _isListening = true;
    }
}

/// <summary>Names of what is announced.</summary>
public static class Topics
{
    /// <summary>Projects, members, roles, groups, robots or rules have changed: what callers may do. No key.</summary>
    public const string Access = "access";

    /// <summary>Credentials have changed; the key is the id of the caller whose they are.</summary>
    public const string Credentials = "credentials";

    /// <summary>Repositories have other names, or are gone: what is remembered under their names is not true any more. No key.</summary>
    public const string Repositories = "repositories";

    /// <summary>A key that signs tokens was made or removed. No key.</summary>
    public const string SigningKeys = "signing-keys";

    /// <summary>Content is encrypted with a new key. No key.</summary>
    public const string DataKeys = "data-keys";

    /// <summary>Settings have changed. No key.</summary>
    public const string Settings = "settings";

    /// <summary>A job is due. No key.</summary>
    public const string Jobs = "jobs";

    /// <summary>What says which findings of scans do not count has changed. No key.</summary>
    public const string Exceptions = "exceptions";

    /// <summary>Webhook policies have changed. No key.</summary>
    public const string Webhooks = "webhooks";
}
