using System.Collections.Concurrent;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.Extensions.Primitives;

namespace Berth.Server.Registry;

/// <summary>
/// What the registry remembers of pulls: that a repository holds a manifest or blob, and the bytes of manifests and small blobs.
/// Bounded in bytes; everything in it may be lost at any time. A fact is believed for a few seconds, then asked again, because
/// another process may have deleted the content; the bytes of a digest never change. While the database is away (<see cref="DatabaseOutage"/>) facts are believed for longer,
/// and what tags point to is remembered for that time.
/// </summary>
public sealed class ContentCache(long maxBytes, TimeSpan believed, TimeProvider time, DatabaseOutage? outage = null)
{
    /// <summary>Largest blob whose bytes are kept.</summary>
    public const int MaxBlobBytes = 64 * 1024;

    private const int EntryOverhead = 512;
    private const int MaxTags = 50_000;

    private readonly ConcurrentDictionary<Key, Entry> _entries = new();
    private readonly RecentMap<(string Repository, string Tag), TagEntry> _tags = new(MaxTags);
    private readonly ConcurrentQueue<(Key Key, Entry Entry)> _order = new();
    private readonly Lock _eviction = new();
    private long _bytes;

    // Bytes of entries that were replaced or removed and still stand in the queue.
    private long _staleBytes;
    private long _hits;
    private long _misses;
    private long _doubtedAt = long.MinValue;

    /// <summary>Lookups that were answered.</summary>
    public long Hits => Interlocked.Read(ref _hits);

    /// <summary>Lookups that were not.</summary>
    public long Misses => Interlocked.Read(ref _misses);

    /// <summary>Bytes held now.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>A manifest of a repository, if the repository is known to hold it.</summary>
    public CachedContent? FindManifest(string repository, Digest digest) => Find(new Key(repository, digest, IsBlob: false), mustBeFresh: true);

    /// <summary>The bytes of a manifest whose existence the caller has just read from the database.</summary>
    public CachedContent? FindManifestBytes(string repository, Digest digest) => Find(new Key(repository, digest, IsBlob: false), mustBeFresh: false);

    /// <summary>A blob of a repository, if the repository is known to hold it.</summary>
    public CachedContent? FindBlob(string repository, Digest digest) => Find(new Key(repository, digest, IsBlob: true), mustBeFresh: true);

    /// <summary>The manifest of a tag, while the database is away and it was read a short time before; else null.</summary>
    public CachedContent? FindTaggedInOutage(string repository, string tag) =>
        outage is { IsBelieving: true } && _tags.TryGet((repository, tag), out var entry) && Volatile.Read(ref entry.Checked) is var at
            && at > Volatile.Read(ref _doubtedAt) && outage.MayBelieve(at)
            ? FindManifest(repository, entry.Digest)
            : null;

    /// <summary>Remembers what a tag pointed to just now, for while the database is away.</summary>
    public void AddTag(string repository, string tag, Digest digest)
    {
        if (outage is null || outage.BelieveFor <= TimeSpan.Zero) return;
        if (_tags.TryGet((repository, tag), out var known) && known.Digest == digest) Volatile.Write(ref known.Checked, time.GetTimestamp());
        else _tags.Set((repository, tag), new TagEntry(digest, time.GetTimestamp()));
    }

    /// <summary>Remembers a manifest.</summary>
    public void AddManifest(string repository, CachedContent content) => Add(new Key(repository, content.Digest, IsBlob: false), content);

    /// <summary>Remembers that a repository holds a blob, with its bytes when they are small.</summary>
    public void AddBlob(string repository, CachedContent content) => Add(new Key(repository, content.Digest, IsBlob: true), content);

    /// <summary>Believes no fact from before any more: repositories were renamed or removed. The bytes stay.</summary>
    public void DoubtAll() => Volatile.Write(ref _doubtedAt, time.GetTimestamp());

    /// <summary>Forgets a manifest after it was deleted.</summary>
    public void RemoveManifest(string repository, Digest digest) => Remove(new Key(repository, digest, IsBlob: false));

    /// <summary>Forgets a blob after its link was deleted.</summary>
    public void RemoveBlob(string repository, Digest digest) => Remove(new Key(repository, digest, IsBlob: true));

    private CachedContent? Find(Key key, bool mustBeFresh)
    {
        if (_entries.TryGetValue(key, out var entry) && (!mustBeFresh || IsBelieved(entry)))
        {
            entry.WasUsed = true;
            Interlocked.Increment(ref _hits);
            return entry.Content;
        }
        Interlocked.Increment(ref _misses);
        return null;
    }

    private bool IsBelieved(Entry entry) =>
        entry.Checked > Volatile.Read(ref _doubtedAt) && (time.GetElapsedTime(entry.Checked) < believed || outage is not null && outage.MayBelieve(entry.Checked));

    private void Add(Key key, CachedContent content)
    {
        var entry = new Entry(content, time.GetTimestamp());
        var size = SizeOf(content);
        if (size > maxBytes / 8) return;
        Remove(key);
        if (!_entries.TryAdd(key, entry)) return;
        _order.Enqueue((key, entry));
        if (Interlocked.Add(ref _bytes, size) > maxBytes || Interlocked.Read(ref _staleBytes) > maxBytes / 4) Evict();
    }

    private void Remove(Key key)
    {
        if (!_entries.TryRemove(key, out var entry)) return;
        Interlocked.Add(ref _bytes, -SizeOf(entry.Content));
        Interlocked.Add(ref _staleBytes, SizeOf(entry.Content));
    }

    // First in, first out, with a second chance for what was used since.
    private void Evict()
    {
        lock (_eviction)
        {
            if (Interlocked.Read(ref _staleBytes) > maxBytes / 4) DropStale();
            while (Interlocked.Read(ref _bytes) > maxBytes && _order.TryDequeue(out var oldest))
            {
                if (oldest.Entry.WasUsed && IsCurrent(oldest))
                {
                    oldest.Entry.WasUsed = false;
                    _order.Enqueue(oldest);
                    continue;
                }
                var size = SizeOf(oldest.Entry.Content);
                if (_entries.TryRemove(new KeyValuePair<Key, Entry>(oldest.Key, oldest.Entry))) Interlocked.Add(ref _bytes, -size);
                else Interlocked.Add(ref _staleBytes, -size);
            }
        }
    }

    // Facts that are asked again leave their old entry in the queue: without this a busy cache below its limit would grow for ever.
    private void DropStale()
    {
        for (var left = _order.Count; left > 0 && _order.TryDequeue(out var oldest); left--)
        {
            if (IsCurrent(oldest)) _order.Enqueue(oldest);
            else Interlocked.Add(ref _staleBytes, -SizeOf(oldest.Entry.Content));
        }
    }

    private bool IsCurrent((Key Key, Entry Entry) queued) => _entries.TryGetValue(queued.Key, out var current) && ReferenceEquals(current, queued.Entry);

    private static long SizeOf(CachedContent content) => EntryOverhead + (content.Bytes?.Length ?? 0);

    private readonly record struct Key(string Repository, Digest Digest, bool IsBlob);

    private sealed class TagEntry(Digest digest, long checkedAt)
    {
        public readonly Digest Digest = digest;
        public long Checked = checkedAt;
    }

    private sealed class Entry(CachedContent content, long checkedAt)
    {
        public readonly CachedContent Content = content;
        public readonly long Checked = checkedAt;
        public volatile bool WasUsed;
    }
}

/// <summary>Content with its headers ready to send.</summary>
public sealed class CachedContent
{
    /// <summary>Describes content.</summary>
    public CachedContent(Digest digest, string mediaType, long size, byte[]? bytes, BlobLocation location = default, bool isWithheld = false)
    {
        IsWithheld = isWithheld;
        Location = location;
        Digest = digest;
        MediaType = mediaType;
        Size = size;
        Bytes = bytes;
        DigestHeader = digest.Value;
        ETag = $"\"{digest.Value}\"";
    }

    public Digest Digest { get; }

    /// <summary>Value of Content-Type.</summary>
    public StringValues MediaType { get; }

    /// <summary>Size in bytes.</summary>
    public long Size { get; }

    /// <summary>The content itself, unless it is a large blob.</summary>
    public byte[]? Bytes { get; }

    /// <summary>Where the bytes of a blob lie; the default for a manifest.</summary>
    public BlobLocation Location { get; }

    /// <summary>A manifest that is archived and not pulled until somebody reactivates it.</summary>
    public bool IsWithheld { get; }

    /// <summary>Value of Docker-Content-Digest.</summary>
    public StringValues DigestHeader { get; }

    /// <summary>Value of ETag: the digest in quotes.</summary>
    public StringValues ETag { get; }
}
