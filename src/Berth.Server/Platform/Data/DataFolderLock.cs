using System.Text;

namespace Berth.Server.Platform.Data;

/// <summary>
/// Says that a server runs on a data folder: an exclusive lock (flock on Unix) on <c>berth.lock</c> there, held as long as the process lives
/// and let go by the system when it dies. The file holds the process id as text, for people; it stays behind and says nothing by itself.
/// </summary>
public sealed class DataFolderLock : IDisposable
{
    /// <summary>Name of the file in the data folder.</summary>
    public const string FileName = "berth.lock";

    // Somebody who asks whether the lock is held has it for a moment.
    private const int MaxTries = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <summary>Takes the lock; null when another process, or another holder in this one, has it.</summary>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static async Task<DataFolderLock?> TryAcquireAsync(string dataFolder, TimeProvider time, CancellationToken ct)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (Open(dataFolder) is { } file)
            {
                file.SetLength(0);
                await file.WriteAsync(Encoding.ASCII.GetBytes($"{Environment.ProcessId}\n"), ct).ConfigureAwait(false);
                await file.FlushAsync(ct).ConfigureAwait(false);
                return new DataFolderLock(file);
            }
            if (attempt == MaxTries) return null;
            await Task.Delay(Pause, time, ct).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a server runs on the folder. True too where the file may not be opened: who cannot ask must expect one.</summary>
    public static bool IsHeld(string dataFolder)
    {
        if (!File.Exists(Path.Join(dataFolder, FileName))) return false;
        try
        {
            using var file = Open(dataFolder);
            return file is null;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
    }

    public void Dispose() => _file.Dispose();

    private static FileStream? Open(string dataFolder)
    {
        try
        {
            return new FileStream(Path.Join(dataFolder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
        }
        catch (IOException e) when (e is not (DirectoryNotFoundException or PathTooLongException))
        {
            return null;
        }
    }
}
