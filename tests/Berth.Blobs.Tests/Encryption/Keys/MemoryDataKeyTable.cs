using Berth.Blobs.Encryption.Keys;

namespace Berth.Blobs.Tests.Encryption.Keys;

/// <summary>The table of data keys that a database keeps otherwise.</summary>
internal sealed class MemoryDataKeyTable : IDataKeyTable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, WrappedDataKey> _rows = [];
    private Guid? _current;

    public ValueTask<WrappedDataKey?> CurrentAsync(CancellationToken ct)
    {
        lock (_lock) return ValueTask.FromResult(_current is { } id ? _rows[id] : null);
    }

    public ValueTask<WrappedDataKey?> FindAsync(Guid id, CancellationToken ct)
    {
        lock (_lock) return ValueTask.FromResult(_rows.GetValueOrDefault(id));
    }

    public ValueTask<IReadOnlyList<WrappedDataKey>> AllAsync(CancellationToken ct)
    {
        lock (_lock) return ValueTask.FromResult<IReadOnlyList<WrappedDataKey>>([.. _rows.Values]);
    }

    public ValueTask<bool> TryMakeCurrentAsync(WrappedDataKey key, Guid? inPlaceOf, CancellationToken ct)
    {
        lock (_lock)
        {
            if (_current != inPlaceOf) return ValueTask.FromResult(false);
            _rows.Add(key.Id, key);
            _current = key.Id;
            return ValueTask.FromResult(true);
        }
    }

    public ValueTask ReplaceAsync(IReadOnlyList<WrappedDataKey> keys, CancellationToken ct)
    {
        lock (_lock)
        {
            foreach (var key in keys) _rows[key.Id] = key;
        }
        return ValueTask.CompletedTask;
    }
}
