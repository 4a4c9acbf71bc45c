using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jose;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Access;

/// <summary>
/// The keys of Berth's own tokens, shared by all replicas through the database. Nothing is read before the first token; then the first
/// key is created if there is none. Tokens are signed with the newest key and accepted from all.
/// </summary>
internal sealed class SigningKeys(Database database, InstallationSecret secret, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _loading = new(1, 1);
    private volatile KeyRing? _ring;
    private long _loadedAt;

    /// <summary>All keys.</summary>
    /// <exception cref="InvalidOperationException">The keys were encrypted under another secret key.</exception>
    public ValueTask<KeyRing> GetAsync(CancellationToken ct) =>
        _ring is { } ring ? new ValueTask<KeyRing>(ring) : LoadAsync(isFresh: static _ => true, ct);

    /// <summary>The key of an id, or null. An unknown id is looked up in the database, not more often than every ten seconds.</summary>
    public async ValueTask<LocalKey?> FindAsync(string id, CancellationToken ct)
    {
        var ring = await GetAsync(ct).ConfigureAwait(false);
        if (ring.Keys.TryGetValue(id, out var key)) return key;
        if (time.GetElapsedTime(Volatile.Read(ref _loadedAt)) < LookAgainAfter) return null;
        ring = await LoadAsync(_ => time.GetElapsedTime(Volatile.Read(ref _loadedAt)) < LookAgainAfter, ct).ConfigureAwait(false);
        return ring.Keys.GetValueOrDefault(id);
    }

    public void Dispose() => _loading.Dispose();

    private async ValueTask<KeyRing> LoadAsync(Func<KeyRing, bool> isFresh, CancellationToken ct)
    {
        await _loading.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_ring is { } loaded && isFresh(loaded)) return loaded;
            var rows = await database.ReadAsync(true, static (session, _, ct) => ReadAsync(session, ct), ct).ConfigureAwait(false);
            if (rows.Count == 0) rows = await CreateAsync(ct).ConfigureAwait(false);
            var ring = new KeyRing(rows.ConvertAll(Open));
            Volatile.Write(ref _loadedAt, time.GetTimestamp());
            _ring = ring;
            return ring;
        }
        finally
        {
            _loading.Release();
        }
    }

    private Task<List<SigningKey>> CreateAsync(CancellationToken ct)
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        VerificationKey.TryFrom(ec, out var key);
        var id = key!.Thumbprints[0];
        var encrypted = secret.Encrypt(ec.ExportPkcs8PrivateKey(), PurposeOf(id));
        return database.WriteAsync(Durability.Full, async (session, token) =>
        {
            // Replicas that start together take turns; the later ones find the key of the first.
            await session.ExecuteAsync(TakeTurns, [], token).ConfigureAwait(false);
            var rows = await ReadAsync(session, token).ConfigureAwait(false);
            if (rows.Count > 0) return rows;
            var row = new SigningKey { Id = id, EncryptedPrivateKey = encrypted, CreatedAt = time.GetUtcNow().ToUnixTimeMilliseconds() };
            await session.ExecuteAsync(Insert, [row.Id, row.EncryptedPrivateKey, row.CreatedAt], token).ConfigureAwait(false);
            return [row];
        }, ct);
    }

    private LocalKey Open(SigningKey row)
    {
        var ec = ECDsa.Create();
        ec.ImportPkcs8PrivateKey(secret.Decrypt(row.EncryptedPrivateKey, PurposeOf(row.Id)), out _);
        return new LocalKey(row.Id, ec);
    }

    private static string PurposeOf(string id) => "signing-key:" + id;

    private static async ValueTask<List<SigningKey>> ReadAsync(DbSession session, CancellationToken ct)
    {
        var rows = new List<SigningKey>();
        await using var row = await session.Command(All).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await row.ReadAsync(ct).ConfigureAwait(false))
            rows.Add(new SigningKey { Id = row.GetString(0), EncryptedPrivateKey = row.GetFieldValue<byte[]>(1), CreatedAt = row.GetInt64(2) });
        return rows;
    }

    private static readonly Statement All = new("SELECT id, encrypted_private_key, created_at FROM signing_keys ORDER BY created_at DESC, id");
    private static readonly Statement Insert = new("INSERT INTO signing_keys (id, encrypted_private_key, created_at) VALUES (@0, @1, @2)");
    private static readonly Statement TakeTurns = new("SELECT 1", "SELECT pg_advisory_xact_lock(4823563)");
}

/// <summary>The keys in force, the newest first.</summary>
internal sealed class KeyRing(IReadOnlyList<LocalKey> newestFirst)
{
    /// <summary>The key that signs.</summary>
    public LocalKey Newest { get; } = newestFirst[0];

    /// <summary>All keys, by id.</summary>
    public IReadOnlyDictionary<string, LocalKey> Keys { get; } = newestFirst.ToDictionary(k => k.Id, StringComparer.Ordinal);
}

/// <summary>One key of the installation: signs with ES256.</summary>
internal sealed class LocalKey
{
    private readonly ECDsa _ec;
    private readonly Lock _lock = new();

    public LocalKey(string id, ECDsa ec)
    {
        Id = id;
        _ec = ec;
        Header = Encoding.ASCII.GetBytes($$"""{"alg":"ES256","kid":"{{id}}","typ":"JWT"}""");
        Public = ec.ExportParameters(includePrivateParameters: false).Q;
        VerificationKey.TryFrom(ECDsa.Create(ec.ExportParameters(includePrivateParameters: false)), out var key);
        Verification = key ?? throw new InvalidOperationException($"signing key {id} is not on the curve P-256");
    }

    public string Id { get; }

    /// <summary>The JOSE header of tokens that this key signs.</summary>
    public byte[] Header { get; }

    /// <summary>The public point.</summary>
    public ECPoint Public { get; }

    /// <summary>The public half.</summary>
    public VerificationKey Verification { get; }

    /// <summary>Signs; the signature is in the fixed form of RFC 7518 section 3.4.</summary>
    public byte[] Sign(byte[] data)
    {
        lock (_lock) return _ec.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
