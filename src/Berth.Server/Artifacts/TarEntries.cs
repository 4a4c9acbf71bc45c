using System.Buffers.Binary;
using System.Text;

namespace Berth.Server.Artifacts;

/// <summary>
/// Reads files out of a tar archive that anybody may have pushed (POSIX.1-2001 ustar and pax, GNU long names). Never more than the limits are held in memory,
/// whatever sizes the archive claims: a header is believed only as far as bytes follow it.
/// </summary>
internal static class TarEntries
{
    /// <summary>Most bytes of the archive, unpacked, that are looked at.</summary>
    public const long MaxArchiveBytes = 64L << 20;

    /// <summary>Most entries that are looked at.</summary>
    public const int MaxEntries = 10_000;

    private const int BlockBytes = 512;
    private const int MaxNameBytes = 4096;

    /// <summary>Gives each file whose name is wanted to the caller.</summary>
    /// <param name="archive">The unpacked archive.</param>
    /// <param name="wants">Whether a file is wanted, by its name.</param>
    /// <param name="maxFileBytes">Largest file that is read.</param>
    /// <param name="found">Gets name and content; returns false to end.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="InvalidDataException">The archive is broken or beyond a limit.</exception>
    public static async Task ReadAsync(Stream archive, Func<string, bool> wants, int maxFileBytes, Func<string, byte[], bool> found, CancellationToken ct)
    {
        var header = new byte[BlockBytes];
        var left = MaxArchiveBytes;
        string? longName = null;
        for (var entries = 0; ; entries++)
        {
            if (entries == MaxEntries) throw new InvalidDataException($"the archive has more than {MaxEntries} entries");
            var read = await archive.ReadAtLeastAsync(header, BlockBytes, throwOnEndOfStream: false, ct).ConfigureAwait(false);
            // Some writers leave out the empty blocks at the end.
            if (read == 0 && entries > 0) return;
            if (read < BlockBytes) throw new InvalidDataException("the archive is cut off");
            if (!header.AsSpan().ContainsAnyExcept((byte)0)) return;
            var size = SizeOf(header);
            var padded = (size + BlockBytes - 1) / BlockBytes * BlockBytes;
            left -= BlockBytes + padded;
            if (left < 0) throw new InvalidDataException($"the archive has more than {MaxArchiveBytes} bytes");
            var type = header[156];
            if (type is (byte)'x' or (byte)'L')
            {
                var bytes = await ReadFileAsync(archive, size, padded, MaxNameBytes, ct).ConfigureAwait(false);
                longName = type == (byte)'x' ? PaxPath(bytes) ?? longName : Text(bytes);
                continue;
            }
            var name = longName ?? NameOf(header);
            longName = null;
            if (type is not (0 or (byte)'0') || !wants(name))
            {
                await SkipAsync(archive, padded, ct).ConfigureAwait(false);
                continue;
            }
            if (!found(name, await ReadFileAsync(archive, size, padded, maxFileBytes, ct).ConfigureAwait(false))) return;
        }
    }

    private static async Task<byte[]> ReadFileAsync(Stream archive, long size, long padded, int max, CancellationToken ct)
    {
        if (size > max) throw new InvalidDataException($"a file of the archive has more than {max} bytes");
        var bytes = new byte[size];
        await archive.ReadExactlyAsync(bytes, ct).ConfigureAwait(false);
        await SkipAsync(archive, padded - size, ct).ConfigureAwait(false);
        return bytes;
    }

    private static async Task SkipAsync(Stream archive, long count, CancellationToken ct)
    {
        var buffer = new byte[Math.Min(count, 16 * 1024)];
        while (count > 0)
        {
            var read = await archive.ReadAsync(buffer.AsMemory(0, (int)Math.Min(count, buffer.Length)), ct).ConfigureAwait(false);
            if (read == 0) throw new InvalidDataException("the archive ends in the middle of a file");
            count -= read;
        }
    }

    // Octal digits, or base 256 in GNU's form.
    private static long SizeOf(byte[] header)
    {
        var field = header.AsSpan(124, 12);
        if ((field[0] & 0x80) != 0)
        {
            var wide = BinaryPrimitives.ReadInt64BigEndian(field[4..]);
            return wide >= 0 && wide <= MaxArchiveBytes ? wide : throw new InvalidDataException("a file of the archive is too large");
        }
        var size = 0L;
        foreach (var digit in field)
        {
            if (digit is 0 or (byte)' ') continue;
            if (digit is < (byte)'0' or > (byte)'7') throw new InvalidDataException("a header of the archive is broken");
            size = size * 8 + (digit - '0');
        }
        return size;
    }

    private static string NameOf(byte[] header)
    {
        var name = Text(header.AsSpan(0, 100));
        var isUstar = header.AsSpan(257, 5).SequenceEqual("ustar"u8);
        var prefix = isUstar ? Text(header.AsSpan(345, 155)) : "";
        return prefix.Length > 0 ? prefix + "/" + name : name;
    }

    // Records of "LENGTH KEY=VALUE\n" (POSIX.1-2001, pax Extended Header).
    private static string? PaxPath(byte[] records)
    {
        const string Key = "path=";
        foreach (var line in Encoding.UTF8.GetString(records).Split('\n'))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            if (space > 0 && line.AsSpan(space + 1).StartsWith(Key, StringComparison.Ordinal)) return line[(space + 1 + Key.Length)..];
        }
        return null;
    }

    private static string Text(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? bytes : bytes[..end]);
    }
}
