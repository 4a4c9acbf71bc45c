using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Berth.Blobs.Objects;

namespace Berth.Blobs.Tests.Objects;

/// <summary>An object service in memory: what <see cref="IObjectClient"/> says, nothing more. Counts what it is asked for and fails when it is told to.</summary>
internal sealed class MemoryObjects(PartLimits parts) : IObjectClient
{
    private readonly ConcurrentDictionary<string, (byte[] Bytes, DateTimeOffset At)> _objects = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<PartedObject, ConcurrentDictionary<int, (byte[] Bytes, string Tag)>> _parted = new();
    private int _number;

    public PartLimits Parts => parts;

    /// <summary>Called before each call with its name and key; throws to make it fail.</summary>
    public Action<string, string> Before { get; set; } = (_, _) => { };

    /// <summary>Called after each call, as before: the work is done and its answer lost.</summary>
    public Action<string, string> After { get; set; } = (_, _) => { };

    /// <summary>Cuts each stream after so many bytes.</summary>
    public int? CutStreamsAfter { get; set; }

    /// <summary>Names of the calls, in order.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>Keys of all objects, and of those that come in parts.</summary>
    public IReadOnlyCollection<string> Keys => [.. _objects.Keys, .. _parted.Keys.Select(p => p.Key)];

    public Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken ct) => CallAsync("put", key, () => Set(key, content.ToArray()));

    public Task<ObjectContent?> OpenAsync(string key, long offset, CancellationToken ct) => CallAsync<ObjectContent?>("open", key, () =>
    {
        if (!_objects.TryGetValue(key, out var found)) return null;
        var from = (int)Math.Min(offset, found.Bytes.Length);
        var length = Math.Min(found.Bytes.Length - from, CutStreamsAfter ?? int.MaxValue);
        return new ObjectContent(new MemoryStream(found.Bytes, from, length, writable: false), found.Bytes.Length);
    });

    public Task<long?> GetSizeAsync(string key, CancellationToken ct) =>
        CallAsync<long?>("size", key, () => _objects.TryGetValue(key, out var found) ? found.Bytes.Length : null);

    public Task DeleteAsync(string key, CancellationToken ct) => CallAsync("delete", key, () => _objects.TryRemove(key, out _));

    public async IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken ct)
    {
        await CallAsync("list", prefix, () => true);
        foreach (var (key, value) in _objects.ToArray().OrderBy(o => o.Key, StringComparer.Ordinal))
        {
            if (key.StartsWith(prefix, StringComparison.Ordinal)) yield return new ObjectEntry(key, value.Bytes.Length, value.At);
        }
    }

    public Task<string> BeginPartsAsync(string key, CancellationToken ct) => CallAsync("begin", key, () =>
    {
        var session = $"session-{Interlocked.Increment(ref _number)}";
        _parted[new PartedObject(key, session)] = new();
        return session;
    });

    public Task<string> PutPartAsync(PartedObject target, Part part, ReadOnlyMemory<byte> content, CancellationToken ct) => CallAsync("part", target.Key, () =>
    {
        Assert.Equal(part.Size, content.Length);
        Assert.Equal(0, part.Size % parts.Multiple);
        var tag = $"tag-{Interlocked.Increment(ref _number)}";
        SessionOf(target)[part.Number] = (content.ToArray(), tag);
        return tag;
    });

    public Task CompletePartsAsync(PartedObject target, IReadOnlyList<Part> all, ReadOnlyMemory<byte> last, CancellationToken ct) => CallAsync("complete", target.Key, () =>
    {
        if (!_parted.ContainsKey(target) && _objects.TryGetValue(target.Key, out var made) && made.Bytes.Length == all.Sum(p => (long)p.Size) + last.Length) return true;
        var session = SessionOf(target);
        var bytes = new List<byte>();
        foreach (var part in all)
        {
            var (content, tag) = session[part.Number];
            if (tag != part.Tag) throw new IOException("the part was replaced");
            Assert.Equal(part.Offset, bytes.Count);
            bytes.AddRange(content);
        }
        bytes.AddRange(last.Span);
        Set(target.Key, [.. bytes]);
        return _parted.TryRemove(target, out _);
    });

    public Task AbortPartsAsync(PartedObject target, CancellationToken ct) => CallAsync("abort", target.Key, () => _parted.TryRemove(target, out _));

    public async IAsyncEnumerable<PartedObject> ListPartedAsync(string prefix, DateTimeOffset begunBefore, [EnumeratorCancellation] CancellationToken ct)
    {
        await CallAsync("list parted", prefix, () => true);
        foreach (var parted in _parted.Keys.ToArray())
        {
            if (parted.Key.StartsWith(prefix, StringComparison.Ordinal) && TimeProvider.System.GetUtcNow() < begunBefore) yield return parted;
        }
    }

    public ValueTask<Uri?> SignReadAsync(string key, TimeSpan lifetime, CancellationToken ct) => ValueTask.FromResult<Uri?>(null);

    public void Dispose()
    {
    }

    private ConcurrentDictionary<int, (byte[] Bytes, string Tag)> SessionOf(PartedObject target) =>
        _parted.TryGetValue(target, out var session) ? session : throw new UploadBytesMissingException(target.Key);

    private bool Set(string key, byte[] bytes)
    {
        _objects[key] = (bytes, TimeProvider.System.GetUtcNow());
        return true;
    }

    private async Task<T> CallAsync<T>(string call, string key, Func<T> work)
    {
        Calls.Enqueue(call);
        await Task.Yield();
        Before(call, key);
        var result = work();
        After(call, key);
        return result;
    }
}
