namespace Berth.Blobs;

/// <summary>Keys of uploads: what may be part of a path or an object's key everywhere.</summary>
public static class UploadKey
{
    /// <summary>Most characters of a key.</summary>
    public const int MaxLength = 128;

    /// <summary>Returns a key that is one.</summary>
    /// <exception cref="ArgumentException">It is empty, too long, or has another character than ASCII letters, digits, hyphen and underscore.</exception>
    public static string Check(string uploadKey)
    {
        if (uploadKey.Length is 0 or > MaxLength) throw new ArgumentException("not an upload key", nameof(uploadKey));
        foreach (var c in uploadKey)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) throw new ArgumentException("not an upload key", nameof(uploadKey));
        }
        return uploadKey;
    }
}
