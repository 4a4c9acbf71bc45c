using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Berth.Oci;

namespace Berth.Blobs.Objects;

/// <summary>
/// Blobs as objects of a service (<see cref="IObjectClient"/>), each under the key of its upload (<see cref="ObjectPaths"/>), so that a commit moves no bytes
/// and no two uploads write the same object. Needs no conditional writes and no batch deletes.
/// </summary>
internal sealed class ObjectBlobStore(IObjectClient client, string? rootDirectory, PartMemory memory, TimeProvider time) : IBlobStore, IDisposable
{
    private const int MaxRemembered = 1000;

    private readonly ObjectPaths _paths = new(rootDirectory);

    // What this process wrote whole and has yet to name: it need not ask the store for that.
    private readonly ConcurrentDictionary<string, bool> _written = new(StringComparer.Ordinal);

    public bool IsObjectStore => true;

    public long FreeBytes => long.MaxValue;

    public BlobPlace PlaceOf(string uploadKey, Digest digest) => new(digest, UploadKey.Check(uploadKey));

    public async ValueTask<IUploadAppender> OpenUploadAsync(UploadMark mark, CancellationToken ct) =>
        await ObjectUploadAppender.OpenAsync(client, _paths, memory, mark, time, ct).ConfigureAwait(false);

    public async ValueTask WriteUploadAsync(string uploadKey, ReadOnlyMemory<byte> content, CancellationToken ct)
    {
        await client.PutAsync(_paths.Content(uploadKey), content, ct).ConfigureAwait(false);
        if (_written.Count >= MaxRemembered) _written.Clear();
        _written[uploadKey] = true;
    }

    public async ValueTask NameUploadAsync(string uploadKey, Digest digest, CancellationToken ct)
    {
        var key = _paths.Content(uploadKey);
        if (_written.TryRemove(uploadKey, out _)) return;
        if (await client.GetSizeAsync(key, ct).ConfigureAwait(false) is null) throw new UploadBytesMissingException(uploadKey);
    }

    public async ValueTask DeleteUploadAsync(string uploadKey, string? state, CancellationToken ct)
    {
        var key = _paths.Content(uploadKey);
        if (UploadState.Read(state)?.Session is { } session)
        {
            await client.AbortPartsAsync(new PartedObject(key, session), ct).ConfigureAwait(false);
        }
        else
        {
            await foreach (var parted in client.ListPartedAsync(key, DateTimeOffset.MaxValue, ct).ConfigureAwait(false))
            {
                if (parted.Key == key) await client.AbortPartsAsync(parted, ct).ConfigureAwait(false);
            }
        }
        await DeleteAllAsync(client, _paths.Tails(uploadKey), ct).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<string> ListUploadsAsync(DateTimeOffset untouchedSince, [EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var parted in client.ListPartedAsync(_paths.Contents, untouchedSince, ct).ConfigureAwait(false))
        {
            if (_paths.UploadOfContent(parted.Key) is { } key) yield return key;
        }
        // Tails are listed in the order of their keys: those of one upload come together, and the newest counts.
        (string? Key, DateTimeOffset ChangedAt) last = default;
        await foreach (var tail in client.ListAsync(_paths.Uploads, ct).ConfigureAwait(false))
        {
            var key = _paths.UploadOfTail(tail.Key);
            if (key != last.Key)
            {
                if (last.Key is not null && last.ChangedAt < untouchedSince) yield return last.Key;
                last = (key, tail.ChangedAt);
            }
            else if (tail.ChangedAt > last.ChangedAt)
            {
                last = (key, tail.ChangedAt);
            }
        }
        if (last.Key is not null && last.ChangedAt < untouchedSince) yield return last.Key;
    }

    public ValueTask<IBlobReader?> OpenUploadReadAsync(UploadMark mark, CancellationToken ct)
    {
        UploadKey.Check(mark.Key);
        return ValueTask.FromResult<IBlobReader?>(null);
    }

    public async ValueTask<IBlobReader?> OpenReadAsync(BlobPlace place, long offset, CancellationToken ct) =>
        await ObjectReader.OpenAsync(client, _paths.Content(place), offset, time, ct).ConfigureAwait(false);

    public async ValueTask<long?> GetSizeAsync(BlobPlace place, CancellationToken ct) => await client.GetSizeAsync(_paths.Content(place), ct).ConfigureAwait(false);

    // An object is durable when it is visible.
    public ValueTask<long?> ConfirmAsync(BlobPlace place, CancellationToken ct) => GetSizeAsync(place, ct);

    public async ValueTask DeleteAsync(BlobPlace place, CancellationToken ct) => await client.DeleteAsync(_paths.Content(place), ct).ConfigureAwait(false);

    public async IAsyncEnumerable<StoredContent> ListContentAsync([EnumeratorCancellation] CancellationToken ct)
    {
        await foreach (var entry in client.ListAsync(_paths.Contents, ct).ConfigureAwait(false))
        {
            if (_paths.UploadOfContent(entry.Key) is { } key) yield return new StoredContent(default, key, entry.Size, entry.ChangedAt);
        }
        await foreach (var entry in client.ListAsync(_paths.RegistryContents, ct).ConfigureAwait(false))
        {
            if (_paths.TryDigestOf(entry.Key, out var digest)) yield return new StoredContent(digest, null, entry.Size, entry.ChangedAt);
        }
    }

    public ValueTask<Uri?> SignReadAsync(BlobPlace place, TimeSpan lifetime, CancellationToken ct) => client.SignReadAsync(_paths.Content(place), lifetime, ct);

    public async ValueTask ProbeAsync(CancellationToken ct)
    {
        var key = $"{_paths.Prefix}berth/probe/{RandomNumberGenerator.GetHexString(16, lowercase: true)}";
        byte[] written = [1, 2, 3, 4];
        var read = new byte[written.Length];
        var isWritten = false;
        try
        {
            await client.PutAsync(key, written, ct).ConfigureAwait(false);
            isWritten = true;
            using var reader = await ObjectReader.OpenAsync(client, key, 0, time, ct).ConfigureAwait(false);
            if (reader?.Length != written.Length) throw new IOException($"{key} was written and does not read back");
            for (var n = 0; n < read.Length;) n += await reader.ReadAsync(read.AsMemory(n), n, ct).ConfigureAwait(false);
        }
        finally
        {
            // Nobody else would ever remove it: a server that stops in between must not leave it behind. What a store refused is not there.
            if (isWritten || ct.IsCancellationRequested) await client.DeleteAsync(key, CancellationToken.None).ConfigureAwait(false);
        }
        if (!read.AsSpan().SequenceEqual(written)) throw new IOException($"{key} reads back other bytes than were written");
    }

    public void Dispose() => client.Dispose();

    /// <summary>The same client, for what Docker Registry wrote there.</summary>
    internal RegistryObjects ToRegistryObjects() => new(client, _paths, time);

    /// <summary>Removes all objects below a prefix.</summary>
    internal static async Task DeleteAllAsync(IObjectClient client, string prefix, CancellationToken ct)
    {
        // Some services lose their place in a list that changes.
        var keys = new List<string>();
        await foreach (var entry in client.ListAsync(prefix, ct).ConfigureAwait(false)) keys.Add(entry.Key);
        foreach (var key in keys) await client.DeleteAsync(key, ct).ConfigureAwait(false);
    }
}
