using Microsoft.Extensions.Logging;

namespace Berth.Server.Access;

/// <summary>
/// The parsed content of a small file that is read again when it changes; looked at once a second at most. A file that has become
/// unreadable leaves the last good content in force and an error in the log.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="parse">Reads the content; throws <see cref="InvalidDataException"/> when it is malformed.</param>
/// <param name="onChange">Called after a new content is in force.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Where a bad file is reported.</param>
internal sealed class WatchedFile<T>(string path, Func<byte[], T> parse, Action onChange, TimeProvider time, ILogger log)
    where T : class
{
    /// <summary>Largest accepted file.</summary>
    private const int MaxBytes = 16 * 1024 * 1024;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Lock _reading = new();
    private volatile T? _content;
    private long _lookedAt;
    private (DateTime Written, long Length) _version;

    /// <summary>The content in force.</summary>
    /// <exception cref="IOException">The first read failed.</exception>
    /// <exception cref="InvalidDataException">The first read found a malformed file.</exception>
    public T Current
    {
        get
        {
            var content = _content;
            if (content is not null && time.GetElapsedTime(Volatile.Read(ref _lookedAt)) < LookEvery) return content;
            lock (_reading)
            {
                if (_content is not null && time.GetElapsedTime(_lookedAt) < LookEvery) return _content;
                Look();
                Volatile.Write(ref _lookedAt, time.GetTimestamp());
                return _content!;
            }
        }
    }

    private void Look()
    {
        try
        {
            var info = new FileInfo(path);
            // A missing file has an impossible length here, and the read below says what is wrong with it.
            var version = (info.LastWriteTimeUtc, info.Exists ? info.Length : -1);
            if (_content is not null && version == _version) return;
            if (info.Exists && info.Length > MaxBytes) throw new InvalidDataException($"{path} is larger than {MaxBytes} bytes");
            var isFirst = _content is null;
            _content = parse(File.ReadAllBytes(path));
            _version = version;
            if (!isFirst) onChange();
        }
        catch (Exception e) when (_content is not null && e is (IOException or UnauthorizedAccessException or InvalidDataException))
        {
            log.FileUnreadable(path, e);
        }
    }
}

internal static partial class WatchedFileLog
{
    [LoggerMessage(2010, LogLevel.Error, "file {Path} cannot be read: its last good content stays in force")]
    public static partial void FileUnreadable(this ILogger logger, string path, Exception error);
}
