namespace Berth.Blobs.Encryption.Keys;

/// <summary>Encryption at rest (section <c>storage.encryption</c>).</summary>
public sealed record EncryptionOptions
{
    /// <summary>Whether new content is encrypted. What is encrypted stays readable either way, as long as its master key is named.</summary>
    public bool Enabled { get; init; }

    /// <summary>The master key that wraps data keys.</summary>
    public MasterKeyOptions? MasterKey { get; init; }

    /// <summary>Master keys that were used before, until the data keys are wrapped anew.</summary>
    public IReadOnlyList<MasterKeyOptions> FormerMasterKeys { get; init; } = [];
}

/// <summary>Where a master key is; exactly one is set.</summary>
public sealed record MasterKeyOptions
{
    /// <summary>A file with 32 bytes in base64.</summary>
    public string? File { get; init; }

    /// <summary>32 bytes in base64. A secret: better given by the environment or a file.</summary>
    [SecretSetting]
    public string? Value { get; init; }

    /// <summary>A key of Vault's transit engine.</summary>
    public VaultKeyOptions? Vault { get; init; }

    /// <summary>A key of a service of one's own.</summary>
    public KmsKeyOptions? Kms { get; init; }
}

/// <summary>A key of HashiCorp Vault's (or OpenBao's) transit engine.</summary>
public sealed record VaultKeyOptions
{
    /// <summary>Address, as in <c>https://vault.example.org:8200</c>.</summary>
    public string? Address { get; init; }

    /// <summary>Where the engine is mounted.</summary>
    public string Mount { get; init; } = "transit";

    /// <summary>Name of the key.</summary>
    public string? Key { get; init; }

    /// <summary>Namespace, where there are any.</summary>
    public string? Namespace { get; init; }

    /// <summary>Token. A secret.</summary>
    [SecretSetting]
    public string? Token { get; init; }

    /// <summary>A file with the token, read for each call, as Vault's agent keeps it.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Takes any certificate; for tests.</summary>
    public bool SkipVerify { get; init; }
}

/// <summary>A key of a service that speaks the small JSON of docs/encryption.md.</summary>
public sealed record KmsKeyOptions
{
    /// <summary>Where requests are posted.</summary>
    public string? Url { get; init; }

    /// <summary>Which key of the service.</summary>
    public string? Key { get; init; }

    /// <summary>Bearer token. A secret.</summary>
    [SecretSetting]
    public string? Token { get; init; }

    /// <summary>A file with the bearer token, read for each call.</summary>
    public string? TokenFile { get; init; }

    /// <summary>Takes any certificate; for tests.</summary>
    public bool SkipVerify { get; init; }
}
