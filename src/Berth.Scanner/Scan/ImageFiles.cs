using System.IO.Compression;
using Berth.Scanner.Inventory.Layers;
using Microsoft.Win32.SafeHandles;

namespace Berth.Scanner.Scan;

/// <summary>The files of an image on disk by name: those of a folder, or the entries of a tar archive (plain or gzip), which is not unpacked.</summary>
internal abstract class ImageFiles : IDisposable
{
    private const long MaxDocumentBytes = 64 << 20;

    /// <summary>Opens a folder or an archive.</summary>
    /// <exception cref="ImageRefusedException">It is neither.</exception>
    public static async Task<ImageFiles> OpenAsync(string path, LayerLimits limits, CancellationToken ct)
    {
        if (Directory.Exists(path)) return new FolderFiles(path);
        if (!File.Exists(path)) throw new ImageRefusedException($"there is no file or folder {path}");
        return await ArchiveFiles.OpenArchiveAsync(path, limits, ct);
    }

    /// <summary>Size of a file; null when it is not there.</summary>
    public abstract long? SizeOf(string name);

    /// <summary>The bytes of a file that is there.</summary>
    public abstract Stream Open(string name);

    /// <summary>A small file as a whole; null when it is not there.</summary>
    /// <exception cref="ImageRefusedException">It is not small.</exception>
    public async Task<ReadOnlyMemory<byte>?> ReadAsync(string name, CancellationToken ct)
    {
        if (SizeOf(name) is not { } size) return null;
        if (size > MaxDocumentBytes) throw new ImageRefusedException($"{name} has {size} bytes, up to {MaxDocumentBytes} are read");
        await using var stream = Open(name);
        var bytes = new byte[size];
        await stream.ReadExactlyAsync(bytes, ct);
        return bytes;
    }

    public abstract void Dispose();

    private sealed class FolderFiles(string folder) : ImageFiles
    {
        public override long? SizeOf(string name) => PathOf(name) is { } path && new FileInfo(path) is { Exists: true } file ? file.Length : null;

        public override Stream Open(string name) => new FileStream(PathOf(name)!, FileMode.Open, FileAccess.Read, FileShare.Read, 1, FileOptions.Asynchronous | FileOptions.SequentialScan);

        public override void Dispose()
        {
        }

        // Names come out of the image's own documents.
        private string? PathOf(string name) => ImagePath.Clean(name) is { Length: > 0 } clean ? Path.Combine(folder, clean) : null;
    }

    private sealed class ArchiveFiles(SafeFileHandle file, Dictionary<string, (long Start, long Size)> entries, Dictionary<string, string> links) : ImageFiles
    {
        private const int MaxLinks = 16;
        private const int MaxEntries = 100_000;

        public static async Task<ArchiveFiles> OpenArchiveAsync(string path, LayerLimits limits, CancellationToken ct)
        {
            var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.Asynchronous);
            try
            {
                var head = new byte[2];
                if (RandomAccess.Read(file, head, 0) == 2 && head[0] == 0x1F && head[1] == 0x8B)
                {
                    var packed = file;
                    file = await UnpackAsync(packed, limits, ct);
                    packed.Dispose();
                }
                return await IndexAsync(file, limits, ct);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }

        public override long? SizeOf(string name) => Find(name)?.Size;

        public override Stream Open(string name)
        {
            var (start, size) = Find(name) ?? throw new ImageRefusedException($"the archive has no {name}");
            return new FilePartStream(file, start, size);
        }

        public override void Dispose() => file.Dispose();

        private (long Start, long Size)? Find(string name)
        {
            var at = ImagePath.Clean(name);
            for (var i = 0; i < MaxLinks && at is not null; i++)
            {
                if (entries.TryGetValue(at, out var entry)) return entry;
                // Older archives of docker save name a layer that stands in them twice by a link.
                at = links.GetValueOrDefault(at);
            }
            return null;
        }

        private static async Task<ArchiveFiles> IndexAsync(SafeFileHandle file, LayerLimits limits, CancellationToken ct)
        {
            var entries = new Dictionary<string, (long, long)>(StringComparer.Ordinal);
            var links = new Dictionary<string, string>(StringComparer.Ordinal);
            var length = RandomAccess.GetLength(file);
            try
            {
                await using var stream = new FilePartStream(file, 0, length);
                var tar = new TarReader(stream, limits.MaxPathBytes);
                for (var count = 0; await tar.NextAsync(ct) is { } entry; count++)
                {
                    if (count == MaxEntries) throw new ImageRefusedException("the archive has too many entries to be an image");
                    if (ImagePath.Clean(entry.Path) is not { Length: > 0 } path) continue;
                    if (entry.Kind == TarKind.File) entries[path] = (tar.Position, entry.SizeBytes);
                    else if (entry.Kind == TarKind.HardLink && ImagePath.Clean(entry.Link) is { } hard) links[path] = hard;
                    else if (entry.Kind == TarKind.Symlink && ImagePath.Clean(ImagePath.Directory(path) + "/" + entry.Link) is { } soft) links[path] = soft;
                }
            }
            catch (LayerRefusedException e)
            {
                throw new ImageRefusedException($"the file is no archive of an image: {e.Message}", e);
            }
            return new ArchiveFiles(file, entries, links);
        }

        private static async Task<SafeFileHandle> UnpackAsync(SafeFileHandle packed, LayerLimits limits, CancellationToken ct)
        {
            var path = Path.Combine(limits.SpoolDirectory, Path.GetRandomFileName());
            var plain = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose | FileOptions.Asynchronous);
            try
            {
                await using var source = new FilePartStream(packed, 0, RandomAccess.GetLength(packed));
                await using var gzip = new GZipStream(source, CompressionMode.Decompress);
                var buffer = new byte[1 << 18];
                long done = 0;
                for (int read; (read = await gzip.ReadAsync(buffer, ct)) > 0; done += read)
                {
                    if (done + read > limits.MaxLayerBytes) throw new ImageRefusedException($"the archive unpacks to more than {limits.MaxLayerBytes} bytes");
                    await RandomAccess.WriteAsync(plain, buffer.AsMemory(0, read), done, ct);
                }
                return plain;
            }
            catch (InvalidDataException e)
            {
                plain.Dispose();
                throw new ImageRefusedException("the archive cannot be unpacked", e);
            }
            catch
            {
                plain.Dispose();
                throw;
            }
        }
    }
}
