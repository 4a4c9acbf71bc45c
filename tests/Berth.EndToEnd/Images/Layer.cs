using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Berth.EndToEnd.Images;

/// <summary>A file system layer: the stored content and the digest of the tar archive inside (<c>diff_id</c> in the config).</summary>
public sealed record Layer(ContentReference Content, string DiffId);

/// <summary>One file of a layer.</summary>
public sealed record LayerFile(string Path, byte[] Content, bool IsExecutable = false)
{
    public static LayerFile Text(string path, string text) => new(path, Encoding.UTF8.GetBytes(text));
}

/// <summary>Makes layers; the same files give the same bytes.</summary>
public static partial class Layers
{
    private const string ZstdMediaType = "application/vnd.oci.image.layer.v1.tar+zstd";
    private const string TarMediaType = "application/vnd.oci.image.layer.v1.tar";
    private const int BlockBytes = 1 << 20;

    /// <summary>A gzip layer in the format's own media type.</summary>
    public static Layer Gzip(OciLayoutWriter layout, ImageFormat format, params LayerFile[] files)
    {
        var tar = Tar(files);
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        return new Layer(layout.AddBlob(format.GzipLayer, packed.ToArray()), OciLayoutWriter.DigestOf(tar));
    }

    /// <summary>A zstd layer.</summary>
    public static Layer Zstd(OciLayoutWriter layout, params LayerFile[] files)
    {
        var tar = Tar(files);
        return new Layer(layout.AddBlob(ZstdMediaType, CompressZstd(tar)), OciLayoutWriter.DigestOf(tar));
    }

    /// <summary>An uncompressed layer with one file of <paramref name="sizeBytes"/> that no compression makes smaller; made by the megabyte.</summary>
    public static Layer Incompressible(OciLayoutWriter layout, string scratchFile, long sizeBytes)
    {
        using var sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using (var output = new FileStream(scratchFile, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            // The header of the only file, then its content, then the two empty blocks that end an archive.
            var header = Tar([new LayerFile("random.bin", [])])[..512];
            WriteOctalSize(header, sizeBytes);
            Append(header);
            var block = new byte[BlockBytes];
            ulong state = 1;
            for (long written = 0; written < sizeBytes; written += block.Length)
            {
                FillRandom(MemoryMarshal.Cast<byte, ulong>(block.AsSpan()), ref state);
                Append(block);
            }

            Append(new byte[1024]);

            void Append(byte[] bytes)
            {
                sha256.AppendData(bytes);
                output.Write(bytes);
            }
        }

        var digest = "sha256:" + Convert.ToHexStringLower(sha256.GetHashAndReset());
        return new Layer(layout.MoveBlob(TarMediaType, scratchFile, digest), digest);
    }

    /// <summary>A tar archive with fixed times and owners.</summary>
    public static byte[] Tar(IEnumerable<LayerFile> files)
    {
        using var archive = new MemoryStream();
        using (var writer = new TarWriter(archive, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var file in files)
            {
                writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, file.Path)
                {
                    Mode = (UnixFileMode)Convert.ToInt32(file.IsExecutable ? "755" : "644", 8),
                    ModificationTime = DateTimeOffset.UnixEpoch,
                    DataStream = new MemoryStream(file.Content),
                });
            }
        }

        return archive.ToArray();
    }

    private static void WriteOctalSize(byte[] header, long sizeBytes)
    {
        Encoding.ASCII.GetBytes(Convert.ToString(sizeBytes, 8).PadLeft(11, '0')).CopyTo(header, 124);
        // The checksum is taken with its own field read as blanks.
        header.AsSpan(148, 8).Fill((byte)' ');
        var sum = header.Sum(value => value);
        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
    }

    private static void FillRandom(Span<ulong> words, ref ulong state)
    {
        foreach (ref var word in words)
        {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word = state * 0x9E3779B97F4A7C15;
        }
    }

    private static byte[] CompressZstd(byte[] bytes)
    {
        var packed = new byte[(int)ZstdCompressBound((nuint)bytes.Length)];
        var length = ZstdCompress(packed, (nuint)packed.Length, bytes, (nuint)bytes.Length, 3);
        return length <= (nuint)packed.Length ? packed[..(int)length] : throw new InvalidOperationException("zstd could not compress the layer");
    }

    [LibraryImport("libzstd.so.1", EntryPoint = "ZSTD_compressBound")]
    private static partial nuint ZstdCompressBound(nuint sizeBytes);

    [LibraryImport("libzstd.so.1", EntryPoint = "ZSTD_compress")]
    private static partial nuint ZstdCompress(byte[] target, nuint targetBytes, byte[] source, nuint sourceBytes, int level);
}
