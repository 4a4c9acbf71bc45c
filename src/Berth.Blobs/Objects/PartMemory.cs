using System.Buffers;

namespace Berth.Blobs.Objects;

/// <summary>
/// The memory in which uploads collect their parts, bounded for the whole process. An upload always gets the buffer that it fills; further ones, which let it
/// send while it receives, only while there is room. It waits for nobody but its own parts, so uploads cannot lock each other out: at worst the memory is the
/// bound and one part for each upload under way.
/// </summary>
/// <param name="maxBytes">Most bytes of all uploads, the buffer that each fills excepted.</param>
public sealed class PartMemory(long maxBytes = PartMemory.DefaultMaxBytes)
{
    /// <summary>256 MiB.</summary>
    public const long DefaultMaxBytes = 256L << 20;

    private const int FirstBytes = 64 << 10;

    // From here on arrays are kept here: the shared pool keeps some for every thread that ever returned one, which for parts is hundreds of megabytes.
    private const int OwnBytes = 1 << 20;

    private readonly Lock _gate = new();
    private readonly List<WeakReference<byte[]>> _free = [];
    private long _used;

    /// <summary>Bytes in use.</summary>
    public long UsedBytes => Interlocked.Read(ref _used);

    /// <summary>A whole buffer if there is room.</summary>
    internal PartBuffer? TryRent(int size)
    {
        long used;
        do
        {
            used = Interlocked.Read(ref _used);
            if (used + size > maxBytes) return null;
        }
        while (Interlocked.CompareExchange(ref _used, used + size, used) != used);
        return new PartBuffer(this, TakeArray(size), size, size);
    }

    /// <summary>A buffer that begins small and grows as it fills, whatever the bound.</summary>
    internal PartBuffer Rent(int size)
    {
        var first = Math.Min(FirstBytes, size);
        Interlocked.Add(ref _used, first);
        return new PartBuffer(this, ArrayPool<byte>.Shared.Rent(first), first, size);
    }

    internal void Account(long bytes) => Interlocked.Add(ref _used, bytes);

    internal byte[] TakeArray(int size)
    {
        if (size < OwnBytes) return ArrayPool<byte>.Shared.Rent(size);
        lock (_gate)
        {
            for (var i = _free.Count - 1; i >= 0; i--)
            {
                var isThere = _free[i].TryGetTarget(out var array);
                if (isThere && array!.Length != size) continue;
                _free.RemoveAt(i);
                if (isThere) return array!;
            }
        }
        return GC.AllocateUninitializedArray<byte>(size);
    }

    // Until the next full garbage collection: a process that has nothing more to upload gives the memory back.
    internal void GiveBack(byte[] array)
    {
        if (array.Length < OwnBytes)
        {
            ArrayPool<byte>.Shared.Return(array);
            return;
        }
        lock (_gate) _free.Add(new WeakReference<byte[]>(array));
    }
}

/// <summary>Collects the bytes of one part.</summary>
internal sealed class PartBuffer(PartMemory memory, byte[] array, int taken, int size) : IDisposable
{
    private byte[]? _array = array;
    private int _taken = taken;

    /// <summary>Size of the part.</summary>
    public int Size => size;

    /// <summary>Bytes in it.</summary>
    public int Length { get; private set; }

    public bool IsFull => Length == size;

    public ReadOnlyMemory<byte> Bytes => _array.AsMemory(0, Length);

    /// <summary>Takes as much as fits.</summary>
    /// <returns>What does not.</returns>
    public ReadOnlySequence<byte> Take(ReadOnlySequence<byte> data)
    {
        var n = (int)Math.Min(size - Length, data.Length);
        Reserve(Length + n);
        data.Slice(0, n).CopyTo(_array.AsSpan(Length));
        Length += n;
        return data.Slice(n);
    }

    /// <summary>Room for bytes that are read into it, to be counted by <see cref="Advance"/>.</summary>
    public Memory<byte> Room(int bytes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, size - Length);
        Reserve(Length + bytes);
        return _array.AsMemory(Length, bytes);
    }

    public void Advance(int bytes) => Length += bytes;

    /// <summary>Forgets the first bytes.</summary>
    public void DropFirst(int bytes)
    {
        _array.AsSpan(bytes, Length - bytes).CopyTo(_array);
        Length -= bytes;
    }

    public void Dispose()
    {
        if (_array is null) return;
        memory.GiveBack(_array);
        _array = null;
        memory.Account(-_taken);
    }

    private void Reserve(int bytes)
    {
        ObjectDisposedException.ThrowIf(_array is null, this);
        if (bytes <= _array.Length) return;
        // Fourfold, so that a large part is copied a third of once.
        var wanted = (int)Math.Min(size, Math.Max(bytes, _array.Length * 4L));
        var larger = memory.TakeArray(wanted);
        _array.AsSpan(0, Length).CopyTo(larger);
        memory.GiveBack(_array);
        _array = larger;
        memory.Account(wanted - _taken);
        _taken = wanted;
    }
}
