using Berth.Server.Platform.Data;
using Microsoft.EntityFrameworkCore;

namespace Berth.Server.Tests.Platform.Data;

/// <summary>Migrations keep up with the model, on both databases.</summary>
public sealed class SchemaVersionTests
{
    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public void The_model_has_no_change_without_a_migration(DatabaseKind kind)
    {
        using var context = ContextOf(kind);
        Assert.False(context.Database.HasPendingModelChanges(), "write a migration: CONTRIBUTING.md says how");
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public void The_list_that_saves_a_start_from_building_the_model_is_EFs(DatabaseKind kind)
    {
        using var context = ContextOf(kind);
        Assert.Equal(context.Database.GetMigrations(), SchemaVersion.Migrations);
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_new_database_gets_every_migration_and_a_second_start_none(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        Assert.Equal(SchemaVersion.Migrations, await AppliedAsync(database.Current));
        await database.CloseAsync();
        await database.Open().MigrateAsync(TestContext.Current.CancellationToken);
        Assert.Equal(SchemaVersion.Migrations, await AppliedAsync(database.Current));
    }

    [Theory]
    [MemberData(nameof(TestDatabase.Kinds), MemberType = typeof(TestDatabase))]
    public async Task A_write_that_throws_or_rolls_back_leaves_nothing(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        var insert = new Statement("INSERT INTO blobs (digest, size, created_at) VALUES (@0, 1, 1)");
        var count = new Statement("SELECT count(*) FROM blobs");
        var told = 0;
        await Assert.ThrowsAsync<InvalidOperationException>(() => database.Current.WriteAsync<bool>(Durability.Full, async (session, ct) =>
        {
            await session.ExecuteAsync(insert, ["a"], ct);
            session.AfterCommit(() => told++);
            throw new InvalidOperationException("on purpose");
        }, CancellationToken.None));
        await database.Current.WriteAsync(Durability.Full, async (session, ct) =>
        {
            await session.ExecuteAsync(insert, ["b"], ct);
            session.AfterCommit(() => told++);
            session.Rollback();
            return true;
        }, CancellationToken.None);
        Task<long?> CountAsync() => database.Current.ReadAsync(0, async (session, _, ct) => await session.ScalarAsync(count, [], ct), CancellationToken.None).AsTask();
        Assert.Equal((0, 0L), (told, await CountAsync()));
        await database.Current.WriteAsync(Durability.Relaxed, async (session, ct) =>
        {
            session.AfterCommit(() => told++);
            return await session.ExecuteAsync(insert, ["c"], ct);
        }, CancellationToken.None);
        Assert.Equal((1, 1L), (told, await CountAsync()));
    }

    private static async Task<List<string>> AppliedAsync(Database database) =>
        await database.ReadAsync(0, static async (session, _, ct) =>
        {
            var applied = new List<string>();
            await using var reader = await session.Command(new Statement("""SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY 1""")).ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct)) applied.Add(reader.GetString(0));
            return applied;
        }, CancellationToken.None);

    internal static BerthContext ContextOf(DatabaseKind kind) =>
        kind == DatabaseKind.Sqlite ? new SqliteContextFactory().CreateDbContext([]) : new PostgresContextFactory().CreateDbContext([]);
}
