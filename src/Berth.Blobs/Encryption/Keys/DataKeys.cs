using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace Berth.Blobs.Encryption.Keys;

/// <summary>
/// The data keys: makes them, unwraps them, and remembers them while the process lives, so that content is read and written while the service that holds the
/// master key is away. A key is wrapped together with its id, so that one cannot be put in another's row.
/// </summary>
public sealed class DataKeys : IDisposable
{
    private const int SecretBytes = 32;
    private const int IdBytes = 16;

    // Another replica's rotation is followed within this time; encryption with the former key until then is as good.
    private static readonly TimeSpan CurrentFor = TimeSpan.FromMinutes(1);

    private readonly IDataKeyTable _table;
    private readonly IReadOnlyList<IMasterKey> _masterKeys;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<Guid, DataKey> _known = new();
    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile CurrentKey? _current;

    /// <summary>Uses a table of wrapped keys.</summary>
    /// <param name="table">The table.</param>
    /// <param name="masterKeys">The master keys, disposed of with this: the first one wraps, all unwrap.</param>
    /// <param name="time">The clock.</param>
    public DataKeys(IDataKeyTable table, IReadOnlyList<IMasterKey> masterKeys, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfZero(masterKeys.Count);
        (_table, _masterKeys, _time) = (table, masterKeys, time);
    }

    /// <summary>Id of the master key that wraps new data keys.</summary>
    public string MasterKeyId => _masterKeys[0].Id;

    /// <summary>Another process has made a new current key: the next content asks for it.</summary>
    public void ForgetCurrent() => _current = null;

    /// <summary>The key for new content; made when there is none yet.</summary>
    public async ValueTask<DataKey> CurrentAsync(CancellationToken ct)
    {
        if (_current is { } current && _time.GetElapsedTime(current.ReadAt) < CurrentFor) return current.Key;
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_current is { } meanwhile && _time.GetElapsedTime(meanwhile.ReadAt) < CurrentFor) return meanwhile.Key;
            var readAt = _time.GetTimestamp();
            var row = await _table.CurrentAsync(ct).ConfigureAwait(false);
            var key = row is null ? await AddAsync(_table, null, ct).ConfigureAwait(false) : await UnwrapAsync(row, ct).ConfigureAwait(false);
            _current = new CurrentKey(key, readAt);
            return key;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The key that the header of an object names.</summary>
    /// <exception cref="DataKeyMissingException">There is no such key.</exception>
    public ValueTask<DataKey> FindAsync(Guid id, CancellationToken ct) =>
        _known.TryGetValue(id, out var key) ? ValueTask.FromResult(key) : ReadAsync(id, ct);

    /// <summary>Makes a new current key. What is there stays as it is and readable; the former keys stay, too.</summary>
    public ValueTask<DataKey> RotateAsync(CancellationToken ct) => RotateAsync(_table, ct);

    /// <summary>The same, written through another view of the table.</summary>
    public async ValueTask<DataKey> RotateAsync(IDataKeyTable table, CancellationToken ct)
    {
        await _gate.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var row = await table.CurrentAsync(ct).ConfigureAwait(false);
            var readAt = _time.GetTimestamp();
            var key = await AddAsync(table, row?.Id, ct).ConfigureAwait(false);
            _current = new CurrentKey(key, readAt);
            return key;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Wraps all data keys by the first master key, in its newest version; afterwards the other master keys are not needed any more. No content is touched.</summary>
    /// <returns>How many keys there are.</returns>
    public ValueTask<int> RewrapAsync(CancellationToken ct) => RewrapAsync(_table, ct);

    /// <summary>The same, written through another view of the table.</summary>
    public async ValueTask<int> RewrapAsync(IDataKeyTable table, CancellationToken ct)
    {
        var rows = await table.AllAsync(ct).ConfigureAwait(false);
        var rewrapped = await RewrapAsync(rows, _masterKeys, ct).ConfigureAwait(false);
        await table.ReplaceAsync(rewrapped, ct).ConfigureAwait(false);
        return rewrapped.Count;
    }

    /// <summary>Wraps data keys by the first of some master keys.</summary>
    /// <param name="rows">The data keys.</param>
    /// <param name="masterKeys">The new master key, then all that the rows are wrapped by.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="DataKeyMissingException">None of the master keys is the one of a row.</exception>
    public static async ValueTask<IReadOnlyList<WrappedDataKey>> RewrapAsync(
        IReadOnlyList<WrappedDataKey> rows, IReadOnlyList<IMasterKey> masterKeys, CancellationToken ct)
    {
        var to = masterKeys[0];
        var rewrapped = new List<WrappedDataKey>(rows.Count);
        foreach (var row in rows)
        {
            var payload = await OpenAsync(row, masterKeys, ct).ConfigureAwait(false);
            try
            {
                var wrapped = row.MasterKeyId == to.Id ? await to.RewrapAsync(row.Wrapped, ct).ConfigureAwait(false) : await to.WrapAsync(payload, ct).ConfigureAwait(false);
                rewrapped.Add(row with { MasterKeyId = to.Id, Wrapped = wrapped });
            }
            finally
            {
                CryptographicOperations.ZeroMemory(payload);
            }
        }
        return rewrapped;
    }

    public void Dispose()
    {
        foreach (var key in _masterKeys) key.Dispose();
        _gate.Dispose();
    }

    // Payload: id (16), secret (32).
    private static async ValueTask<byte[]> OpenAsync(WrappedDataKey row, IReadOnlyList<IMasterKey> masterKeys, CancellationToken ct)
    {
        var master = masterKeys.FirstOrDefault(key => key.Id == row.MasterKeyId) ?? throw new DataKeyMissingException(
            $"data key {row.Id} is wrapped by master key {row.MasterKeyId}, which is not configured: add it to the former master keys of the encryption settings");
        var payload = await master.UnwrapAsync(row.Wrapped, ct).ConfigureAwait(false);
        if (payload.Length != IdBytes + SecretBytes || new Guid(payload.AsSpan(0, IdBytes), bigEndian: true) != row.Id)
            throw new DataKeyMissingException($"the row of data key {row.Id} holds another key: restore the table of data keys from a backup");
        return payload;
    }

    private async ValueTask<DataKey> AddAsync(IDataKeyTable table, Guid? inPlaceOf, CancellationToken ct)
    {
        var payload = RandomNumberGenerator.GetBytes(IdBytes + SecretBytes);
        var key = new DataKey(new Guid(payload.AsSpan(0, IdBytes), bigEndian: true), payload.AsMemory(IdBytes));
        var wrapped = await _masterKeys[0].WrapAsync(payload, ct).ConfigureAwait(false);
        var row = new WrappedDataKey(key.Id, _masterKeys[0].Id, wrapped, _time.GetUtcNow());
        if (await table.TryMakeCurrentAsync(row, inPlaceOf, ct).ConfigureAwait(false))
        {
            _known[key.Id] = key;
            return key;
        }
        // Another replica was first: its key is as new.
        var current = await _table.CurrentAsync(ct).ConfigureAwait(false) ?? throw new DataKeyMissingException("the current data key has vanished: restore the table of data keys from a backup");
        return await UnwrapAsync(current, ct).ConfigureAwait(false);
    }

    private async ValueTask<DataKey> ReadAsync(Guid id, CancellationToken ct)
    {
        var row = await _table.FindAsync(id, ct).ConfigureAwait(false)
            ?? throw new DataKeyMissingException($"data key {id} is not in the database: restore the table of data keys from the backup that belongs to the store");
        return await UnwrapAsync(row, ct).ConfigureAwait(false);
    }

    private async ValueTask<DataKey> UnwrapAsync(WrappedDataKey row, CancellationToken ct)
    {
        if (_known.TryGetValue(row.Id, out var known)) return known;
        var payload = await OpenAsync(row, _masterKeys, ct).ConfigureAwait(false);
        return _known.GetOrAdd(row.Id, new DataKey(row.Id, payload.AsMemory(IdBytes)));
    }

    private sealed record CurrentKey(DataKey Key, long ReadAt);
}
