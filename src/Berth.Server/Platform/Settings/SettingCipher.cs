namespace Berth.Server.Platform.Settings;

/// <summary>Encrypts and decrypts the secrets among the settings. The key belongs to an outer ring, which hands this in.</summary>
/// <param name="Seal">Turns a plain text into what may lie in the database.</param>
/// <param name="Open">Turns it back.</param>
public sealed record SettingCipher(Func<string, string> Seal, Func<string, string> Open)
{
    /// <summary>For where no secrets are kept.</summary>
    public static readonly SettingCipher None = new(static text => text, static text => text);
}
