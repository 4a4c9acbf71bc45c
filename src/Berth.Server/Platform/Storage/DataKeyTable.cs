using Berth.Blobs.Encryption.Keys;
using Berth.Server.Platform.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Berth.Server.Platform.Storage;

/// <summary>A key that content is encrypted with, wrapped by a master key. Rows are never removed: content names them.</summary>
public sealed class DataKeyRow
{
    /// <summary>A UUID as text.</summary>
    public required string Id { get; set; }

    /// <summary>Which master key unwraps it.</summary>
    public required string MasterKeyId { get; set; }

    public required byte[] Wrapped { get; set; }

    /// <summary>Unix milliseconds.</summary>
    public long CreatedAt { get; set; }

    /// <summary>New content is encrypted with it; one row at most.</summary>
    public bool IsCurrent { get; set; }
}

/// <summary>The rows, for <see cref="DataKeys"/>.</summary>
/// <param name="database">Where they are.</param>
/// <param name="alongside">More to do in the transaction of a change, given the id of the current key; null for nothing.</param>
internal sealed class DataKeyTable(Database database, Func<DbSession, string, CancellationToken, ValueTask>? alongside = null) : IDataKeyTable
{
    public ValueTask<WrappedDataKey?> CurrentAsync(CancellationToken ct) =>
        database.ReadAsync(0, static async (session, _, token) => (await ReadAsync(session, SelectCurrent, [], token).ConfigureAwait(false)).FirstOrDefault(), ct);

    public ValueTask<WrappedDataKey?> FindAsync(Guid id, CancellationToken ct) =>
        database.ReadAsync(id, static async (session, i, token) => (await ReadAsync(session, SelectOne, [i.ToString()], token).ConfigureAwait(false)).FirstOrDefault(), ct);

    public async ValueTask<IReadOnlyList<WrappedDataKey>> AllAsync(CancellationToken ct) =>
        await database.ReadAsync(0, static (session, _, token) => ReadAsync(session, SelectAll, [], token), ct).ConfigureAwait(false);

    public async ValueTask<bool> TryMakeCurrentAsync(WrappedDataKey key, Guid? inPlaceOf, CancellationToken ct) =>
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await session.ExecuteAsync(Lock, [], token).ConfigureAwait(false);
            var current = (await ReadAsync(session, SelectCurrent, [], token).ConfigureAwait(false)).FirstOrDefault();
            if (current?.Id != inPlaceOf) return false;
            await session.ExecuteAsync(Retire, [], token).ConfigureAwait(false);
            await session.ExecuteAsync(Insert, [key.Id.ToString(), key.MasterKeyId, key.Wrapped.ToArray(), key.CreatedAt.ToUnixTimeMilliseconds()], token).ConfigureAwait(false);
            await session.AnnounceAsync(Topics.DataKeys, "", token).ConfigureAwait(false);
            if (alongside is not null) await alongside(session, key.Id.ToString(), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);

    public async ValueTask ReplaceAsync(IReadOnlyList<WrappedDataKey> keys, CancellationToken ct) =>
        await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            foreach (var key in keys) await session.ExecuteAsync(Update, [key.Id.ToString(), key.MasterKeyId, key.Wrapped.ToArray()], token).ConfigureAwait(false);
            if (alongside is not null && (await ReadAsync(session, SelectCurrent, [], token).ConfigureAwait(false)) is [var current, ..])
                await alongside(session, current.Id.ToString(), token).ConfigureAwait(false);
            return true;
        }, ct).ConfigureAwait(false);

    private static async ValueTask<List<WrappedDataKey>> ReadAsync(DbSession session, Statement statement, object?[] values, CancellationToken ct)
    {
        var keys = new List<WrappedDataKey>();
        await using var rows = await session.Command(statement, values).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
            keys.Add(new WrappedDataKey(Guid.Parse(rows.GetString(0)), rows.GetString(1), rows.GetFieldValue<byte[]>(2), DateTimeOffset.FromUnixTimeMilliseconds(rows.GetInt64(3))));
        return keys;
    }

    private const string Columns = "SELECT id, master_key_id, wrapped, created_at FROM data_keys";

    private static readonly Statement SelectCurrent = new(Columns + " WHERE is_current");
    private static readonly Statement SelectOne = new(Columns + " WHERE id = @0");
    private static readonly Statement SelectAll = new(Columns + " ORDER BY created_at, id");

    // Replicas that start together make one key.
    private static readonly Statement Lock = new("SELECT 1", "SELECT pg_advisory_xact_lock(4823562)");
    private static readonly Statement Retire = new("UPDATE data_keys SET is_current = FALSE WHERE is_current");
    private static readonly Statement Insert = new("INSERT INTO data_keys (id, master_key_id, wrapped, created_at, is_current) VALUES (@0, @1, @2, @3, TRUE)");
    private static readonly Statement Update = new("UPDATE data_keys SET master_key_id = @1, wrapped = @2 WHERE id = @0");
}

internal sealed class DataKeyMap : IEntityTypeConfiguration<DataKeyRow>
{
    public void Configure(EntityTypeBuilder<DataKeyRow> builder)
    {
        builder.ToTable("data_keys");
        builder.Property(k => k.Id).HasColumnName("id").HasMaxLength(36);
        builder.Property(k => k.MasterKeyId).HasColumnName("master_key_id").HasMaxLength(255);
        builder.Property(k => k.Wrapped).HasColumnName("wrapped");
        builder.Property(k => k.CreatedAt).HasColumnName("created_at");
        builder.Property(k => k.IsCurrent).HasColumnName("is_current");
    }
}
