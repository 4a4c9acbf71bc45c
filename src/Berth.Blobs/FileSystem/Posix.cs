using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Berth.Blobs.FileSystem;

/// <summary>The few system calls that the framework does not offer: fsync of a folder, early write-back, opening without a lock.</summary>
internal static partial class Posix
{
    private const int ReadOnly = 0;
    private const int ReadWrite = 2;
    private const int Create = 0x40;
    private const int AllMayReadAndWrite = 0x1B6;
    private const int CloseOnExec = 0x80000;
    private const int NoEntry = 2;
    private const int Interrupted = 4;
    private const uint StartWriteBack = 2;
    private const int ExclusiveNonBlocking = 6;
    private const int WouldBlock = 11;

    /// <summary>Opens a file for reading; null when it is not there.</summary>
    /// <remarks>The framework's open takes a lock and gives advice to the kernel, three calls more on the hot path.</remarks>
    public static SafeFileHandle? OpenRead(string path)
    {
        if (!OperatingSystem.IsLinux())
            return File.Exists(path) ? File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete) : null;
        return Open(path, ReadOnly | CloseOnExec);
    }

    /// <summary>Opens a file for reading and writing; null when it is not there and is not to be made.</summary>
    public static SafeFileHandle? OpenReadWrite(string path, bool create)
    {
        if (OperatingSystem.IsLinux()) return Open(path, ReadWrite | CloseOnExec | (create ? Create : 0));
        return create || File.Exists(path)
            ? File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete)
            : null;
    }

    /// <summary>
    /// Takes the file for this handle alone, until it is closed; false when another handle, of this process or another, has it. Who does not ask is not kept out.
    /// </summary>
    /// <remarks>On NFS the lock is the server's, so that it holds between machines.</remarks>
    public static bool TryLock(SafeFileHandle handle)
    {
        if (!OperatingSystem.IsLinux()) return true;
        while (flock(handle, ExclusiveNonBlocking) != 0)
        {
            var error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock) return false;
            if (error != Interrupted) throw new IOException($"cannot lock an upload: {Marshal.GetPInvokeErrorMessage(error)}: the file system of the storage must support locks");
        }
        return true;
    }

    /// <summary>Whether a handle's file is still the one that a path names.</summary>
    public static bool IsAt(SafeFileHandle handle, string path)
    {
        if (!OperatingSystem.IsLinux()) return File.Exists(path);
        // What the kernel says of the handle: after a rename it is the new name.
        var name = new FileInfo($"/proc/self/fd/{handle.DangerousGetHandle()}").LinkTarget;
        return name is null || Path.GetFileName(name.AsSpan()).SequenceEqual(Path.GetFileName(path.AsSpan()));
    }

    /// <summary>Makes a folder's entries durable.</summary>
    public static void SyncFolder(string path)
    {
        if (OperatingSystem.IsWindows()) return;
        using var handle = OpenFolder(path);
        if (fsync(handle) != 0) throw new IOException($"cannot sync folder {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Asks the kernel to start writing a range, so that the fsync at the end finds little to do.</summary>
    public static void StartWriting(SafeFileHandle handle, long offset, long length)
    {
        // Only a hint: a file system that does not know it loses nothing.
        if (OperatingSystem.IsLinux()) _ = sync_file_range(handle, offset, length, StartWriteBack);
    }

    private static SafeFileHandle? Open(string path, int flags)
    {
        while (true)
        {
            var fd = open(path, flags, AllMayReadAndWrite);
            if (fd >= 0) return new SafeFileHandle(fd, ownsHandle: true);
            var error = Marshal.GetLastPInvokeError();
            if (error == NoEntry && (flags & Create) == 0) return null;
            if (error != Interrupted) throw new IOException($"cannot open {path}: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    private static SafeFileHandle OpenFolder(string path)
    {
        var fd = open(path, ReadOnly | (OperatingSystem.IsLinux() ? CloseOnExec : 0), 0);
        return fd >= 0
            ? new SafeFileHandle(fd, ownsHandle: true)
            : throw new IOException($"cannot open folder {path}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, int mode);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle handle, int operation);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fsync(SafeFileHandle handle);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sync_file_range(SafeFileHandle handle, long offset, long length, uint flags);
}
