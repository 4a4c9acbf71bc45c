namespace Berth.Blobs.Encryption.Keys;

/// <summary>Makes master keys of settings.</summary>
public static class MasterKeys
{
    /// <summary>What is wrong with the settings, in words for the operator; empty when nothing is.</summary>
    public static IReadOnlyList<string> Check(EncryptionOptions options)
    {
        var wrong = new List<string>();
        if (options.MasterKey is null)
        {
            if (options.Enabled) wrong.Add("masterKey is missing: name a file, a value, a Vault key or a key service");
            if (options.FormerMasterKeys.Count > 0) wrong.Add("formerMasterKeys are of no use without masterKey");
        }
        else
        {
            CheckOne(options.MasterKey, "masterKey", wrong);
        }
        for (var i = 0; i < options.FormerMasterKeys.Count; i++) CheckOne(options.FormerMasterKeys[i], $"formerMasterKeys[{i}]", wrong);
        return wrong;
    }

    /// <summary>All master keys of the settings, the one that wraps first; empty when none is named.</summary>
    /// <exception cref="FormatException">A key is none, or its settings are.</exception>
    /// <exception cref="IOException">A key's file cannot be read.</exception>
    public static IReadOnlyList<IMasterKey> Open(EncryptionOptions options, TimeProvider time)
    {
        if (options.MasterKey is null) return [];
        var keys = new List<IMasterKey>();
        try
        {
            foreach (var one in (IEnumerable<MasterKeyOptions>)[options.MasterKey, .. options.FormerMasterKeys]) keys.Add(OpenOne(one, time));
            return keys;
        }
        catch
        {
            foreach (var key in keys) key.Dispose();
            throw;
        }
    }

    private static IMasterKey OpenOne(MasterKeyOptions options, TimeProvider time)
    {
        if (options.File is not null) return LocalMasterKey.FromFile(options.File);
        if (options.Value is not null) return new LocalMasterKey(options.Value);
        if (options.Vault is not null) return new VaultMasterKey(options.Vault, time);
        return new KmsMasterKey(options.Kms ?? throw new FormatException("a master key names a file, a value, a Vault key or a key service"), time);
    }

    private static void CheckOne(MasterKeyOptions options, string name, List<string> wrong)
    {
        object?[] kinds = [options.File, options.Value, options.Vault, options.Kms];
        if (kinds.Count(kind => kind is not null) != 1) wrong.Add($"{name} names exactly one of file, value, vault and kms");
        if (options.Vault is { } vault)
        {
            if (!Uri.TryCreate(vault.Address, UriKind.Absolute, out _)) wrong.Add($"{name}.vault.address is no address, as https://vault.example.org:8200");
            if (string.IsNullOrEmpty(vault.Key)) wrong.Add($"{name}.vault.key is missing");
            if (vault.Token is null == vault.TokenFile is null) wrong.Add($"{name}.vault names either token or tokenFile");
        }
        if (options.Kms is { } kms)
        {
            if (!Uri.TryCreate(kms.Url, UriKind.Absolute, out _)) wrong.Add($"{name}.kms.url is no address");
            if (string.IsNullOrEmpty(kms.Key)) wrong.Add($"{name}.kms.key is missing");
            if (kms.Token is not null && kms.TokenFile is not null) wrong.Add($"{name}.kms names token or tokenFile, not both");
        }
    }
}
