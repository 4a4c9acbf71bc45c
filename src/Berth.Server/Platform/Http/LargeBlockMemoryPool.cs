using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Connections;

namespace Berth.Server.Platform.Http;

/// <summary>
/// Memory for Kestrel's sockets in blocks of 64 KiB instead of 4 KiB, so that a socket call moves that much: receiving a large body takes about
/// a third of the CPU. Kestrel finds it as the service <see cref="IMemoryPoolFactory{T}"/>. Blocks are pinned,
/// kept in a stack for each processor (the last one used is still in its cache), and at most 32 MiB of them are kept when they are not in use; what
/// comes back beyond that is left to the garbage collector. An idle connection holds no block.
/// </summary>
public sealed class LargeBlockMemoryPool : MemoryPool<byte>, IMemoryPoolFactory<byte>
{
    /// <summary>Size of a block that Kestrel gets unless told otherwise.</summary>
    public const int DefaultBlockBytes = 64 * 1024;

    /// <summary>Most bytes that are kept while nobody uses them.</summary>
    public const int DefaultKeepBytes = 32 * 1024 * 1024;

    private readonly int _blockBytes;
    private readonly Stack[] _stacks;
    private long _made;
    private long _dropped;

    /// <param name="blockBytes">Size of a block.</param>
    /// <param name="keepBytes">Most bytes that are kept while nobody uses them.</param>
    public LargeBlockMemoryPool(int blockBytes = DefaultBlockBytes, int keepBytes = DefaultKeepBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(blockBytes, 4096);
        _blockBytes = blockBytes;
        _stacks = new Stack[Math.Clamp(Environment.ProcessorCount, 1, 16)];
        var each = Math.Max(1, keepBytes / blockBytes / _stacks.Length);
        for (var i = 0; i < _stacks.Length; i++) _stacks[i] = new Stack(each);
    }

    /// <inheritdoc/>
    public override int MaxBufferSize => _blockBytes;

    /// <summary>Bytes of all blocks that are kept or in use.</summary>
    public long AllocatedBytes => (Interlocked.Read(ref _made) - Interlocked.Read(ref _dropped)) * _blockBytes;

    /// <summary>Bytes of the blocks that are kept and not in use.</summary>
    public long IdleBytes => _stacks.Sum(stack => (long)stack.Count) * _blockBytes;

    /// <summary>Kestrel asks once for the server and once for each address; all share this pool and its bound.</summary>
    public MemoryPool<byte> Create(MemoryPoolOptions? options = null) => this;

    /// <summary>Lends a block.</summary>
    /// <param name="minBufferSize">At most <see cref="MaxBufferSize"/>.</param>
    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(minBufferSize, _blockBytes);
        var home = Thread.GetCurrentProcessorId() % _stacks.Length;
        for (var i = 0; i < _stacks.Length; i++)
        {
            if (_stacks[(home + i) % _stacks.Length].TryPop() is { } block) return block.Lend();
        }
        Interlocked.Increment(ref _made);
        return new Block(this, _blockBytes).Lend();
    }

    /// <summary>Nothing happens: an address that is closed must not take the memory of the others.</summary>
    protected override void Dispose(bool disposing)
    {
    }

    private void Return(Block block)
    {
        var home = Thread.GetCurrentProcessorId() % _stacks.Length;
        if (!_stacks[home].TryPush(block)) Interlocked.Increment(ref _dropped);
    }

    private sealed class Block : IMemoryOwner<byte>
    {
        private readonly LargeBlockMemoryPool _pool;
        private readonly Memory<byte> _memory;
        private int _lent;

        public Block(LargeBlockMemoryPool pool, int bytes)
        {
            _pool = pool;
            _memory = MemoryMarshal.CreateFromPinnedArray(GC.AllocateUninitializedArray<byte>(bytes, pinned: true), 0, bytes);
        }

        public Memory<byte> Memory => _memory;

        public Block Lend()
        {
            _lent = 1;
            return this;
        }

        /// <summary>A block that came back twice would be lent to two connections at once, and one would read the other's bytes: only the first counts.</summary>
        public void Dispose()
        {
            if (Interlocked.Exchange(ref _lent, 0) == 1) _pool.Return(this);
        }
    }

    /// <summary>A bounded last-in-first-out list. The lock is held for a few nanoseconds and rarely shared.</summary>
    private sealed class Stack(int capacity)
    {
        private readonly Lock _gate = new();
        private readonly Block?[] _blocks = new Block?[capacity];
        private int _count;

        public int Count => Volatile.Read(ref _count);

        public Block? TryPop()
        {
            if (Count == 0) return null;
            lock (_gate)
            {
                if (_count == 0) return null;
                var block = _blocks[--_count];
                _blocks[_count] = null;
                return block;
            }
        }

        public bool TryPush(Block block)
        {
            lock (_gate)
            {
                if (_count == _blocks.Length) return false;
                _blocks[_count++] = block;
                return true;
            }
        }
    }
}
