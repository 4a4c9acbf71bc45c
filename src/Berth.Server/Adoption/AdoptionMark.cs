using Berth.Blobs.FileSystem;

namespace Berth.Server.Adoption;

/// <summary>
/// The file <c>berth/adoption-unfinished</c> below the storage root: there from before the first row of an adoption is written until after the
/// last. While it is there the database knows blobs whose manifests it does not know yet: garbage collection must not run, and the
/// next start goes on with the adoption.
/// </summary>
internal sealed class AdoptionMark(ContentPaths paths)
{
    private readonly string _file = Path.Join(paths.Root, "berth/adoption-unfinished");

    /// <summary>Whether an adoption was begun and not finished.</summary>
    public bool IsSet => File.Exists(_file);

    /// <summary>Sets the mark, durably.</summary>
    /// <exception cref="IOException">The root cannot be written.</exception>
    public void Set()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_file)!);
        using var file = new FileStream(_file, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite);
        file.Write("an adoption was begun and is not finished: run berth adopt, or start the server, to finish it\n"u8);
        file.Flush(flushToDisk: true);
    }

    /// <summary>Takes the mark away.</summary>
    public void Clear() => File.Delete(_file);
}
