namespace Berth.Scanner.Advisories.Database;

/// <summary>
/// Sorts more records than fit in memory: full buffers go sorted into files of a temporary folder, which are merged at the end. Of several records with one
/// key the last added stays.
/// </summary>
internal sealed class ExternalSort : IDisposable
{
    private readonly string _folder;
    private readonly byte[] _buffer;
    private readonly List<Entry> _entries = [];
    private readonly List<string> _runs = [];
    private int _used;

    private readonly record struct Entry(int At, int Key, int Value);

    /// <param name="folder">Folder for the runs; made here, removed on disposal.</param>
    /// <param name="bufferBytes">Memory for records before they go to a file.</param>
    public ExternalSort(string folder, int bufferBytes)
    {
        _folder = folder;
        Directory.CreateDirectory(folder);
        _buffer = new byte[bufferBytes];
    }

    public void Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.Length > SortedTableFormat.MaxKey || value.Length > SortedTableFormat.MaxValue)
            return;
        if (_used + key.Length + value.Length > _buffer.Length || _entries.Count >= _buffer.Length / 48)
            Spill();
        if (key.Length + value.Length > _buffer.Length)
            throw new InvalidOperationException("a record is larger than the memory for sorting");
        key.CopyTo(_buffer.AsSpan(_used));
        value.CopyTo(_buffer.AsSpan(_used + key.Length));
        _entries.Add(new Entry(_used, key.Length, value.Length));
        _used += key.Length + value.Length;
    }

    /// <summary>Hands over all records in order, each key once.</summary>
    public void Drain(Action<ReadOnlySpan<byte>, ReadOnlySpan<byte>> take, CancellationToken ct)
    {
        if (_runs.Count == 0)
        {
            Sort();
            for (var i = 0; i < _entries.Count; i++)
            {
                if (i + 1 == _entries.Count || !Key(_entries[i]).SequenceEqual(Key(_entries[i + 1])))
                    take(Key(_entries[i]), Value(_entries[i]));
            }
            return;
        }
        Spill();
        Merge(take, ct);
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
            Directory.Delete(_folder, recursive: true);
    }

    private void Merge(Action<ReadOnlySpan<byte>, ReadOnlySpan<byte>> take, CancellationToken ct)
    {
        var cursors = new List<RunCursor>();
        try
        {
            foreach (var run in _runs)
                cursors.Add(new RunCursor(run, cursors.Count));
            var queue = new PriorityQueue<RunCursor, RunCursor>(Comparer<RunCursor>.Create(static (a, b) => a.CompareTo(b)));
            foreach (var cursor in cursors)
                Advance(queue, cursor);
            byte[] last = [];
            var any = false;
            while (queue.TryDequeue(out var cursor, out _))
            {
                ct.ThrowIfCancellationRequested();
                // Newer runs come first among equal keys, so what follows with the same key is older.
                if (!any || !cursor.Key.AsSpan().SequenceEqual(last))
                    take(cursor.Key, cursor.Value);
                any = true;
                last = cursor.Key;
                Advance(queue, cursor);
            }
        }
        finally
        {
            cursors.ForEach(static c => c.Dispose());
        }
    }

    private static void Advance(PriorityQueue<RunCursor, RunCursor> queue, RunCursor cursor)
    {
        if (cursor.Read())
            queue.Enqueue(cursor, cursor);
    }

    private void Spill()
    {
        if (_entries.Count == 0)
            return;
        Sort();
        var path = Path.Combine(_folder, $"run-{_runs.Count}");
        using (var file = new BufferedStream(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1), 256 * 1024))
        using (var writer = new BinaryWriter(file))
        {
            for (var i = 0; i < _entries.Count; i++)
            {
                if (i + 1 < _entries.Count && Key(_entries[i]).SequenceEqual(Key(_entries[i + 1])))
                    continue;
                writer.Write(_entries[i].Key);
                writer.Write(_entries[i].Value);
                writer.Write(_buffer.AsSpan(_entries[i].At, _entries[i].Key + _entries[i].Value));
            }
        }
        _runs.Add(path);
        _entries.Clear();
        _used = 0;
    }

    /// <summary>By key, then in the order they came.</summary>
    private void Sort() => _entries.Sort((a, b) => Key(a).SequenceCompareTo(Key(b)) is var order && order != 0 ? order : a.At.CompareTo(b.At));

    private ReadOnlySpan<byte> Key(Entry entry) => _buffer.AsSpan(entry.At, entry.Key);

    private ReadOnlySpan<byte> Value(Entry entry) => _buffer.AsSpan(entry.At + entry.Key, entry.Value);

    private sealed class RunCursor(string path, int number) : IComparable<RunCursor>, IDisposable
    {
        private readonly BinaryReader _reader = new(new BufferedStream(File.OpenRead(path), 256 * 1024));

        public byte[] Key { get; private set; } = [];

        public byte[] Value { get; private set; } = [];

        public bool Read()
        {
            if (_reader.BaseStream.Position >= _reader.BaseStream.Length)
                return false;
            int key = _reader.ReadInt32(), value = _reader.ReadInt32();
            Key = _reader.ReadBytes(key);
            Value = _reader.ReadBytes(value);
            return true;
        }

        public int CompareTo(RunCursor? other)
        {
            var order = Key.AsSpan().SequenceCompareTo(other!.Key);
            return order != 0 ? order : other.Number.CompareTo(Number);
        }

        public void Dispose() => _reader.Dispose();

        private int Number { get; } = number;
    }
}
