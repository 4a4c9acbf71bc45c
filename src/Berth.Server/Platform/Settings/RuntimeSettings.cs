using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Settings;

/// <summary>
/// The settings in force. Of what the configuration file fixes, the file's value; else what an administrator has set (table <c>settings</c>); else the
/// default. All replicas follow a change at once (<see cref="Topics.Settings"/>); reading costs nothing in between.
/// </summary>
public sealed class RuntimeSettings
{
    private readonly Database? _database;
    private readonly SettingCipher _cipher;
    private readonly string?[] _fixed;
    private SettingValues? _known;
    private int _epoch;

    /// <summary>Settings of a database.</summary>
    /// <param name="database">Where they are kept.</param>
    /// <param name="cipher">Encrypts the secrets among them.</param>
    /// <param name="fixedTexts">What the configuration file fixes, by name.</param>
    public RuntimeSettings(Database database, SettingCipher cipher, IReadOnlyDictionary<string, string> fixedTexts)
        : this(cipher, fixedTexts)
    {
        _database = database;
        database.Announcements.Subscribe(Topics.Settings, _ => Forget());
    }

    private RuntimeSettings(SettingCipher cipher, IReadOnlyDictionary<string, string> fixedTexts)
    {
        _cipher = cipher;
        _fixed = [.. RuntimeSettingTable.All.Select(s => fixedTexts.GetValueOrDefault(s.Name))];
    }

    /// <summary>Settings that nobody can change: for the modes without a management API.</summary>
    public static RuntimeSettings Constant(IReadOnlyDictionary<string, string> fixedTexts)
    {
        var settings = new RuntimeSettings(SettingCipher.None, fixedTexts);
        settings._known = settings.Build(new Dictionary<string, string>());
        return settings;
    }

    /// <summary>The values now. Completes at once unless something has changed.</summary>
    public ValueTask<SettingValues> ReadAsync(CancellationToken ct) =>
        Volatile.Read(ref _known) is { } known && _database is not { Announcements.MayBelieve: false } ? new ValueTask<SettingValues>(known) : LoadAsync(ct);

    /// <summary>The value of one setting now.</summary>
    public async ValueTask<T> ReadAsync<T>(RuntimeSetting<T> setting, CancellationToken ct) => (await ReadAsync(ct).ConfigureAwait(false)).Of(setting);

    /// <summary>The values inside a transaction, as it sees them.</summary>
    public async ValueTask<SettingValues> ReadAsync(DbSession session, CancellationToken ct) => Build(await RowsAsync(session, ct).ConfigureAwait(false));

    /// <summary>Sets values in the transaction and lets all replicas know. They must have been checked (<see cref="RuntimeSetting.Check"/>).</summary>
    /// <exception cref="ArgumentException">One is fixed by the file, or is none of its setting: a bug of the caller.</exception>
    public async ValueTask SetAsync(DbSession session, IReadOnlyDictionary<RuntimeSetting, string> values, long now, CancellationToken ct)
    {
        foreach (var (setting, text) in values)
        {
            if (IsFixed(setting)) throw new ArgumentException($"{setting.Name} is fixed by the configuration file", nameof(values));
            if (setting.Check(text) is { } problem) throw new ArgumentException(problem, nameof(values));
            var stored = setting.IsSecret && text.Length > 0 ? _cipher.Seal(text) : text;
            await session.ExecuteAsync(Put, [setting.Name, stored, now], ct).ConfigureAwait(false);
        }
        await session.AnnounceAsync(Topics.Settings, "", ct).ConfigureAwait(false);
    }

    /// <summary>Whether the configuration file fixes a setting.</summary>
    public bool IsFixed(RuntimeSetting setting) => _fixed[setting.Index] is not null;

    private async ValueTask<SettingValues> LoadAsync(CancellationToken ct)
    {
        var epoch = Volatile.Read(ref _epoch);
        var rows = await _database!.ReadAsync(0, static (session, _, token) => RowsAsync(session, token), ct).ConfigureAwait(false);
        var values = Build(rows);
        Volatile.Write(ref _known, values);
        Interlocked.MemoryBarrier();
        // What changed while it was read may not be remembered.
        if (epoch != Volatile.Read(ref _epoch)) Volatile.Write(ref _known, null);
        return values;
    }

    private void Forget()
    {
        Interlocked.Increment(ref _epoch);
        Volatile.Write(ref _known, null);
    }

    private SettingValues Build(IReadOnlyDictionary<string, string> rows)
    {
        var texts = new string[_fixed.Length];
        foreach (var setting in RuntimeSettingTable.All)
        {
            var stored = rows.GetValueOrDefault(setting.Name);
            if (stored is { Length: > 0 } && setting.IsSecret && !IsFixed(setting)) stored = _cipher.Open(stored);
            texts[setting.Index] = _fixed[setting.Index] ?? stored ?? setting.DefaultText;
        }
        return new SettingValues(texts, [.. _fixed.Select(f => f is not null)]);
    }

    private static async ValueTask<Dictionary<string, string>> RowsAsync(DbSession session, CancellationToken ct)
    {
        var rows = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var reader = await session.Command(SelectAll).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) rows[reader.GetString(0)] = reader.GetString(1);
        return rows;
    }

    private static readonly Statement SelectAll = new("SELECT name, value FROM settings");

    private static readonly Statement Put = new("""
        INSERT INTO settings (name, value, updated_at) VALUES (@0, @1, @2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
        """);
}
