using System.Security.Cryptography;
using System.Text;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jose;
using Berth.Server.Platform.Secrets;

namespace Berth.Server.Access;

/// <summary>
/// The keys of Berth's own tokens, shared by all replicas through the database. Nothing is read before the first token; then the first
/// key is created if there is none. Tokens are signed with the newest key and accepted from all. A new key is made when the newest has come of age
/// (<see cref="AccessOptions.SigningKeyLifetime"/>) or somebody asks for it; all replicas hear of it at once (<see cref="Topics.SigningKeys"/>). A key that has
/// been replaced is removed when the last token that it signed has ended.
/// </summary>
internal sealed class SigningKeys : IDisposable
{
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(10);

    private readonly AccessOptions _options;
    private readonly Database _database;
    private readonly InstallationSecret _secret;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _loading = new(1, 1);
    private volatile KeyRing? _ring;
    private long _loadedAt;
    private int _epoch;

    public SigningKeys(AccessOptions options, Database database, InstallationSecret secret, TimeProvider time)
    {
        (_options, _database, _secret, _time) = (options, database, secret, time);
        database.Announcements.Subscribe(Topics.SigningKeys, _ =>
        {
            Interlocked.Increment(ref _epoch);
            _ring = null;
        });
    }

    /// <summary>All keys.</summary>
    /// <exception cref="InvalidOperationException">The keys were encrypted under another secret key.</exception>
    public ValueTask<KeyRing> GetAsync(CancellationToken ct) =>
        _ring is { } ring && _database.Announcements.MayBelieve ? new ValueTask<KeyRing>(ring) : LoadAsync(isFresh: _ => _database.Announcements.MayBelieve, ct);

    /// <summary>The key to sign with; a new one when the newest has come of age.</summary>
    public async ValueTask<LocalKey> ForSigningAsync(CancellationToken ct)
    {
        var newest = (await GetAsync(ct).ConfigureAwait(false)).Newest;
        if (!IsOfAge(newest.CreatedAt)) return newest;
        // Whoever comes later finds that another has done it.
        await AddKeyAsync(isWanted: rows => IsOfAge(rows[0].CreatedAt), isRevoking: false, null, ct).ConfigureAwait(false);
        return (await GetAsync(ct).ConfigureAwait(false)).Newest;
    }

    /// <summary>Makes a new key, which signs from now on.</summary>
    /// <param name="isRevoking">Remove all others: every token that they signed ends at once. For a key that somebody may have seen.</param>
    /// <param name="alongside">More to do in the same transaction; null for nothing.</param>
    /// <param name="ct">Cancels.</param>
    public Task RotateAsync(bool isRevoking, Func<DbSession, string, CancellationToken, ValueTask>? alongside, CancellationToken ct) =>
        AddKeyAsync(static _ => true, isRevoking, alongside, ct);

    /// <summary>The key of an id, or null. An unknown id is looked up in the database, not more often than every ten seconds.</summary>
    public async ValueTask<LocalKey?> FindAsync(string id, CancellationToken ct)
    {
        var ring = await GetAsync(ct).ConfigureAwait(false);
        if (ring.Keys.TryGetValue(id, out var key)) return key;
        if (_time.GetElapsedTime(Volatile.Read(ref _loadedAt)) < LookAgainAfter) return null;
        ring = await LoadAsync(_ => _time.GetElapsedTime(Volatile.Read(ref _loadedAt)) < LookAgainAfter, ct).ConfigureAwait(false);
        return ring.Keys.GetValueOrDefault(id);
    }

    public void Dispose() => _loading.Dispose();

    private async ValueTask<KeyRing> LoadAsync(Func<KeyRing, bool> isFresh, CancellationToken ct)
    {
        await _loading.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_ring is { } loaded && isFresh(loaded)) return loaded;
            var epoch = Volatile.Read(ref _epoch);
            var rows = await _database.ReadAsync(true, static (session, _, ct) => ReadAsync(session, ct), ct).ConfigureAwait(false);
            if (rows.Count == 0) rows = await AddKeyAsync(static all => all.Count == 0, isRevoking: false, null, ct).ConfigureAwait(false);
            var ring = new KeyRing(rows.ConvertAll(Open));
            Volatile.Write(ref _loadedAt, _time.GetTimestamp());
            _ring = ring;
            Interlocked.MemoryBarrier();
            // What changed while it was read may not be kept.
            if (epoch != Volatile.Read(ref _epoch)) _ring = null;
            return ring;
        }
        finally
        {
            _loading.Release();
        }
    }

    private Task<List<SigningKey>> AddKeyAsync(
        Func<List<SigningKey>, bool> isWanted, bool isRevoking, Func<DbSession, string, CancellationToken, ValueTask>? alongside, CancellationToken ct)
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        VerificationKey.TryFrom(ec, out var key);
        var id = key!.Thumbprints[0];
        var encrypted = _secret.Encrypt(ec.ExportPkcs8PrivateKey(), PurposeOf(id));
        return _database.WriteAsync(Durability.Full, async (session, token) =>
        {
            // Replicas that come together take turns; the later ones find the key of the first.
            await session.ExecuteAsync(TakeTurns, [], token).ConfigureAwait(false);
            var rows = await ReadAsync(session, token).ConfigureAwait(false);
            if (!isWanted(rows)) return rows;
            // Clocks of replicas differ: the newest key must be the last one made.
            var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
            var row = new SigningKey { Id = id, EncryptedPrivateKey = encrypted, CreatedAt = rows.Count > 0 ? Math.Max(now, rows[0].CreatedAt + 1) : now };
            await session.ExecuteAsync(Insert, [row.Id, row.EncryptedPrivateKey, row.CreatedAt], token).ConfigureAwait(false);
            var left = await RemoveOldAsync(session, [row, .. rows], now, isRevoking, token).ConfigureAwait(false);
            if (alongside is not null) await alongside(session, id, token).ConfigureAwait(false);
            // Not for the very first key: nobody remembers another.
            if (rows.Count > 0) await session.AnnounceAsync(Topics.SigningKeys, "", token).ConfigureAwait(false);
            if (isRevoking) await session.AnnounceAsync(Topics.Credentials, "", token).ConfigureAwait(false);
            return left;
        }, ct);
    }

    // A key has signed its last token when the next key was made; that token has ended one lifetime later.
    private async ValueTask<List<SigningKey>> RemoveOldAsync(DbSession session, List<SigningKey> newestFirst, long now, bool isRevoking, CancellationToken ct)
    {
        var lifetime = (long)Math.Max(_options.RefreshTokenLifetime.TotalMilliseconds, Math.Max(_options.TokenLifetime.TotalMilliseconds, LocalTokens.MaxSetLifetime.TotalMilliseconds));
        var left = new List<SigningKey> { newestFirst[0] };
        for (var i = 1; i < newestFirst.Count; i++)
        {
            if (isRevoking || newestFirst[i - 1].CreatedAt + lifetime < now) await session.ExecuteAsync(Delete, [newestFirst[i].Id], ct).ConfigureAwait(false);
            else left.Add(newestFirst[i]);
        }
        return left;
    }

    private bool IsOfAge(long createdAt) =>
        _options.SigningKeyLifetime > TimeSpan.Zero && _time.GetUtcNow().ToUnixTimeMilliseconds() - createdAt >= _options.SigningKeyLifetime.TotalMilliseconds;

    private LocalKey Open(SigningKey row)
    {
        var ec = ECDsa.Create();
        ec.ImportPkcs8PrivateKey(_secret.Decrypt(row.EncryptedPrivateKey, PurposeOf(row.Id)), out _);
        return new LocalKey(row.Id, ec, row.CreatedAt);
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
    private static readonly Statement Delete = new("DELETE FROM signing_keys WHERE id = @0");
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

    public LocalKey(string id, ECDsa ec, long createdAt)
    {
        Id = id;
        CreatedAt = createdAt;
        _ec = ec;
        Header = Encoding.ASCII.GetBytes($$"""{"alg":"ES256","kid":"{{id}}","typ":"JWT"}""");
        Public = ec.ExportParameters(includePrivateParameters: false).Q;
        VerificationKey.TryFrom(ECDsa.Create(ec.ExportParameters(includePrivateParameters: false)), out var key);
        Verification = key ?? throw new InvalidOperationException($"signing key {id} is not on the curve P-256");
    }

    public string Id { get; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; }

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
