using System.Buffers;
using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text.Json;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Advisories.Bundle;

/// <summary>
/// A database as one file for machines without a network: a tar with <c>manifest.json</c>, <c>manifest.sig</c> (ECDSA P-256 over the manifest, DER) and
/// <c>advisories.db</c>, in this order, so that nothing large is read before the signature was checked.
/// </summary>
public static class AdvisoryBundle
{
    private const string ManifestName = "manifest.json";
    private const string SignatureName = "manifest.sig";
    private const string DatabaseName = "advisories.db";
    private const int MaxSmallFile = 4 * 1024 * 1024;

    /// <summary>Writes a bundle of the database, signed with a private key; without a key it carries no signature and is taken only where that is allowed.</summary>
    public static async Task WriteAsync(string databasePath, BundleKey? key, Stream output, CancellationToken ct)
    {
        DatabaseMetadata metadata;
        using (var database = AdvisoryDatabase.Open(databasePath))
            metadata = database.Metadata;
        await using var file = new FileStream(databasePath, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous);
        var manifest = new BundleManifest
        {
            DatabaseSha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct)),
            DatabaseSize = file.Length,
            Metadata = metadata,
        };
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, BundleManifestJson.Default.BundleManifest);
        file.Position = 0;
        await using var tar = new TarWriter(output, TarEntryFormat.Ustar, leaveOpen: true);
        await AddAsync(tar, ManifestName, new MemoryStream(json), metadata.BuiltAt, ct);
        if (key is not null)
            await AddAsync(tar, SignatureName, new MemoryStream(key.Sign(json)), metadata.BuiltAt, ct);
        await AddAsync(tar, DatabaseName, file, metadata.BuiltAt, ct);
    }

    /// <summary>
    /// Checks a bundle and puts its database under the path; it stands there only when everything fits. Throws <see cref="InvalidDataException"/> with the reason otherwise.
    /// With keys, one of them must have signed; without any, the signature is not looked at.
    /// </summary>
    public static async Task<BundleManifest> ExtractAsync(Stream bundle, IReadOnlyList<BundleKey> keys, string databasePath, CancellationToken ct)
    {
        await using var tar = new TarReader(bundle, leaveOpen: true);
        var json = await SmallAsync(tar, ManifestName, ct);
        var manifest = Parse(json);
        var entry = await NextAsync(tar, ct);
        if (entry?.Name == SignatureName)
        {
            var signature = await SmallAsync(entry, ct);
            if (keys.Count > 0 && !keys.Any(k => k.Verify(json, signature)))
                throw new InvalidDataException("the bundle was not signed with a trusted key");
            entry = await NextAsync(tar, ct);
        }
        else if (keys.Count > 0)
        {
            throw new InvalidDataException("the bundle is not signed");
        }
        if (entry?.Name != DatabaseName || entry.DataStream is null || entry.Length != manifest.DatabaseSize)
            throw new InvalidDataException("the bundle does not hold the database that its manifest names");
        await StoreAsync(entry.DataStream, manifest, databasePath, ct);
        return manifest;
    }

    private static async Task StoreAsync(Stream content, BundleManifest manifest, string databasePath, CancellationToken ct)
    {
        var part = databasePath + ".import";
        try
        {
            await using (var file = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.Asynchronous))
            {
                using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
                var buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
                try
                {
                    for (int read; (read = await content.ReadAsync(buffer, ct)) > 0;)
                    {
                        hash.AppendData(buffer, 0, read);
                        await file.WriteAsync(buffer.AsMemory(0, read), ct);
                    }
                }
                finally
                {
                    ArrayPool<byte>.Shared.Return(buffer);
                }
                if (Convert.ToHexStringLower(hash.GetHashAndReset()) != manifest.DatabaseSha256)
                    throw new InvalidDataException("the database of the bundle is damaged");
                file.Flush(flushToDisk: true);
            }
            using (AdvisoryDatabase.Open(part))
            {
                // Opened once before it counts: a database of another schema must not replace one that works.
            }
            File.Move(part, databasePath, overwrite: true);
        }
        finally
        {
            File.Delete(part);
        }
    }

    private static BundleManifest Parse(byte[] json)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize(json, BundleManifestJson.Default.BundleManifest);
            return manifest is { Version: 1 } ? manifest : throw new InvalidDataException("the form of the bundle is not known to this program");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("the manifest of the bundle cannot be read", e);
        }
    }

    private static async Task AddAsync(TarWriter tar, string name, Stream content, DateTimeOffset time, CancellationToken ct) =>
        await tar.WriteEntryAsync(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = content, ModificationTime = time }, ct);

    // The framework's reader has more than one way to say that a header is broken.
    private static async Task<TarEntry?> NextAsync(TarReader tar, CancellationToken ct)
    {
        try
        {
            return await tar.GetNextEntryAsync(copyData: false, ct);
        }
        catch (Exception e) when (e is OverflowException or ArgumentException or FormatException or NotSupportedException)
        {
            throw new InvalidDataException("the bundle is no archive that can be read", e);
        }
    }

    private static async Task<byte[]> SmallAsync(TarReader tar, string name, CancellationToken ct)
    {
        var entry = await NextAsync(tar, ct);
        return entry?.Name == name ? await SmallAsync(entry, ct) : throw new InvalidDataException($"the bundle does not begin with {name}");
    }

    private static async Task<byte[]> SmallAsync(TarEntry entry, CancellationToken ct)
    {
        if (entry.DataStream is null || entry.Length > MaxSmallFile)
            throw new InvalidDataException($"{entry.Name} of the bundle is too large");
        var memory = new MemoryStream();
        await entry.DataStream.CopyToAsync(memory, ct);
        return memory.ToArray();
    }
}
