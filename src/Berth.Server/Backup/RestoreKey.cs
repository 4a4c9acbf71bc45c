using System.Text;
using Berth.Server.Access;
using Berth.Server.Platform.Secrets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Backup;

/// <summary>Finds the secret key of the installation that is backed up, and puts it where the restored one looks for it.</summary>
internal sealed class RestoreKey(AccessOptions options, string dataFolder)
{
    private string FilePath => options.SecretKeyFile is { Length: > 0 } file ? file : Path.Join(dataFolder, InstallationSecret.FileName);

    /// <summary>The key as a backup holds it; null when there is none yet.</summary>
    public SecretKeyCopy? Copy(string? passphrase) => Read() is { } key ? SecretKeyCopy.Of(key, passphrase) : null;

    /// <summary>Sees to it that the restored installation has its key; true when it was written to the data folder.</summary>
    /// <exception cref="RestoreRefusedException">It would have another, or none.</exception>
    public bool Prepare(SecretKeyCopy? copy, RestoreOptions restore)
    {
        if (copy is null || restore.WithoutSecretKey) return false;
        if (Read() is { } present)
        {
            return SecretKeyCopy.FingerprintOf(present) == copy.Fingerprint ? false : throw new RestoreRefusedException(
                $"the secret key here is not that of the backup: put the right one in {FilePath} (or access.secretKey), or leave out what it encrypts with --without-secret-key");
        }
        if (restore.Passphrase is not { } passphrase)
        {
            throw new RestoreRefusedException(copy.Sealed is null
                ? $"the backup does not hold the secret key: put it in {FilePath} (or access.secretKey), or leave out what it encrypts with --without-secret-key"
                : "the backup holds the secret key: name the file of its passphrase with --passphrase-file");
        }
        if (copy.Sealed is null) throw new RestoreRefusedException($"the backup was made without a passphrase and does not hold the secret key: put it in {FilePath} (or access.secretKey)");
        var key = copy.Open(passphrase) ?? throw new RestoreRefusedException("the passphrase is not that of the backup");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(FilePath))!);
        if (!PrivateFile.TryCreate(FilePath, Encoding.ASCII.GetBytes(Convert.ToBase64String(key) + "\n"))) throw new RestoreRefusedException($"{FilePath} appeared meanwhile: restore again");
        return true;
    }

    // What is not there is not generated.
    private byte[]? Read() => options.SecretKey is { Length: > 0 } || File.Exists(FilePath)
        ? new InstallationSecret(options.SecretKey, options.SecretKeyFile, dataFolder, NullLogger<InstallationSecret>.Instance).Key.ToArray()
        : null;
}
