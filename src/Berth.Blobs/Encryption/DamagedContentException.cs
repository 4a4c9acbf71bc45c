namespace Berth.Blobs.Encryption;

/// <summary>Encrypted content is not what was written: bits have changed, a piece is missing or has changed its place, or it is another object's.</summary>
public sealed class DamagedContentException(string key, string what, Exception? cause = null)
    : IOException($"encrypted content {key} is damaged ({what}): restore it from a backup or another store, and look for who wrote to the store", cause)
{
    /// <summary>Key of the content.</summary>
    public string Key { get; } = key;
}
