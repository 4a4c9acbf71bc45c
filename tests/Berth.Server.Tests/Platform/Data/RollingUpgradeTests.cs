using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Berth.Server.Tests.Platform.Data;

/// <summary>Versions side by side on one database: they migrate once, go on together while steps expand, and part clearly when one contracts.</summary>
public sealed class RollingUpgradeTests
{
    private static readonly string[] s_first = SchemaVersion.Migrations[..1];

    private static readonly Statement s_setOldest = new("UPDATE installation_facts SET value = @0 WHERE name = 'schema.oldest'");
    private static readonly Statement s_add = new("""INSERT INTO "__EFMigrationsHistory" ("MigrationId", "ProductVersion") VALUES (@0, '99')""");

    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Processes_that_start_together_migrate_once(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind, known: []);
        var replicas = Enumerable.Range(0, 4).Select(_ => database.Open(SchemaVersion.Migrations)).ToArray();
        await Task.WhenAll(replicas.Select(r => Task.Run(() => r.MigrateAsync(TestContext.Current.CancellationToken))));
        Assert.Equal(SchemaVersion.Migrations.Length, await CountAsync(replicas[2], """SELECT count(*) FROM "__EFMigrationsHistory" """));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_database_of_the_first_version_is_brought_up_to_date_and_its_program_may_start_again(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind, s_first);
        Assert.Equal(1, await CountAsync(database.Current, """SELECT count(*) FROM "__EFMigrationsHistory" """));
        await database.CloseAsync();
        await database.Open().MigrateAsync(CancellationToken.None);
        Assert.Equal(SchemaVersion.Migrations.Length, await CountAsync(database.Current, """SELECT count(*) FROM "__EFMigrationsHistory" """));
        await database.CloseAsync();
        // Every step so far expands: the earlier version takes the database as it is.
        await database.Open(s_first).MigrateAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_migration_that_was_killed_in_the_middle_does_not_hold_up_the_next()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite, s_first);
        // As EF leaves it when its process dies.
        await WriteAsync(database.Current, """CREATE TABLE IF NOT EXISTS "__EFMigrationsLock" ("Id" INTEGER NOT NULL PRIMARY KEY, "Timestamp" TEXT NOT NULL)""");
        await WriteAsync(database.Current, """INSERT INTO "__EFMigrationsLock" VALUES (1, '2026-11-22 00:00:00')""");
        await database.CloseAsync();
        await database.Open().MigrateAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, CancellationToken.None);
        Assert.Equal(SchemaVersion.Migrations.Length, await CountAsync(database.Current, """SELECT count(*) FROM "__EFMigrationsHistory" """));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_contract_step_refuses_the_versions_that_it_leaves_behind_and_no_others(DatabaseKind kind)
    {
        await using var database = await TestDatabase.NewAsync(kind);
        await WriteAsync(database.Current, s_add, "29990101000000_Contract");
        // What the step needs is known here: on with it.
        await WriteAsync(database.Current, s_setOldest, SchemaVersion.Migrations[^1]);
        await database.CloseAsync();
        await database.Open().MigrateAsync(CancellationToken.None);
        await database.CloseAsync();
        var error = await Assert.ThrowsAsync<DatabaseIsNewerException>(() => database.Open(s_first).MigrateAsync(CancellationToken.None));
        Assert.Contains(SchemaVersion.Migrations[^1], error.Message, StringComparison.Ordinal);
        Assert.Contains("start a newer version", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_earlier_version_pushes_and_pulls_beside_the_new_one_until_a_contract_step_ends_it()
    {
        RegistryApp.SkipWithout(DatabaseKind.Postgres);
        await using var current = await RegistryApp.StartAsync(DatabaseKind.Postgres);
        await using var earlier = await current.AddReplicaAsync(o => o with { Database = o.Database with { KnownMigrations = s_first } });
        await earlier.PushImageAsync("library/app", "old", TestImage.New(seed: 920));
        await current.PushImageAsync("library/app", "new", TestImage.New(seed: 921));
        await earlier.PullAsync("library/app", "new");
        await current.PullAsync("library/app", "old");
        await earlier.RestartAsync();
        await earlier.PullAsync("library/app", "new");

        await WriteAsync(current.Services.GetRequiredService<Database>(), s_setOldest, SchemaVersion.Migrations[^1]);
        var (guard, lifetime) = (earlier.Services.GetServices<IHostedService>().OfType<SchemaGuard>().Single(), earlier.Services.GetRequiredService<IHostApplicationLifetime>());
        await guard.LookAsync(CancellationToken.None);
        Assert.True(lifetime.ApplicationStopping.IsCancellationRequested);
        await current.Services.GetServices<IHostedService>().OfType<SchemaGuard>().Single().LookAsync(CancellationToken.None);
        await current.PullAsync("library/app", "old");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_migration_after_the_first_only_expands_unless_it_is_a_contract_step(DatabaseKind kind)
    {
        using var context = SchemaVersionTests.ContextOf(kind);
        var (assembly, provider) = (context.GetService<IMigrationsAssembly>(), context.GetService<Microsoft.EntityFrameworkCore.Storage.IDatabaseProvider>().Name);
        var all = assembly.Migrations.OrderBy(m => m.Key, StringComparer.Ordinal).Skip(1).ToList();
        Assert.NotEmpty(all);
        foreach (var (id, type) in all)
        {
            var wrong = ContractionsOf(assembly.CreateMigration(type, provider).UpOperations);
            if (!SchemaVersion.Contracts.TryGetValue(id, out var oldest)) Assert.True(wrong.Count == 0, $"{id} is not for the version before: {string.Join("; ", wrong)}. CONTRIBUTING.md, Adding a migration");
            else Assert.True(string.CompareOrdinal(oldest, id) < 0, $"{id} can be needed by versions only that know an earlier migration");
        }
        Assert.Subset(all.Select(m => m.Key).ToHashSet(), SchemaVersion.Contracts.Keys.ToHashSet());
    }

    [Fact]
    public void What_takes_something_away_is_recognised()
    {
        var builder = new MigrationBuilder("any");
        builder.DropColumn("size", "blobs");
        builder.AddColumn<long>("needed", "blobs", nullable: false);
        builder.AddColumn<long>("fine", "blobs", nullable: false, defaultValue: 0L);
        builder.AddColumn<string>("also_fine", "blobs", nullable: true);
        builder.CreateIndex("unique", "blobs", "size", unique: true);
        builder.CreateIndex("plain", "blobs", "size");
        builder.RenameTable("blobs", newName: "contents");
        builder.Sql("DELETE FROM blobs");
        Assert.Equal(
            ["DropColumnOperation of blobs", "column blobs.needed has no default", "unique index of blobs", "RenameTableOperation of blobs", "SqlOperation"], ContractionsOf(builder.Operations));
    }

    // Additions that the version before does not notice: tables with what hangs on them, columns that it need not fill, indexes that refuse nothing.
    private static List<string> ContractionsOf(IReadOnlyList<MigrationOperation> operations)
    {
        var made = operations.OfType<CreateTableOperation>().Select(t => t.Name).ToHashSet();
        var wrong = new List<string>();
        foreach (var operation in operations)
        {
            switch (operation)
            {
                case CreateTableOperation table:
                    // It knows nothing of the new table: a row there must not keep it from deleting its own.
                    wrong.AddRange(table.ForeignKeys.Where(k => !made.Contains(k.PrincipalTable) && k.OnDelete is not (ReferentialAction.Cascade or ReferentialAction.SetNull))
                        .Select(k => $"{table.Name} keeps rows of {k.PrincipalTable} from being deleted"));
                    break;
                case AddColumnOperation column when !made.Contains(column.Table):
                    if (column is { IsNullable: false, DefaultValue: null, DefaultValueSql: null, ComputedColumnSql: null }) wrong.Add($"column {column.Table}.{column.Name} has no default");
                    break;
                case CreateIndexOperation index when !made.Contains(index.Table):
                    if (index.IsUnique) wrong.Add($"unique index of {index.Table}");
                    break;
                case AddColumnOperation or CreateIndexOperation:
                    break;
                default:
                    wrong.Add(operation is ITableMigrationOperation { Table: { } on } ? $"{operation.GetType().Name} of {on}" : operation.GetType().Name);
                    break;
            }
        }
        return wrong;
    }

    private static Task WriteAsync(Database database, Statement statement, params object?[] values) =>
        database.WriteAsync(Durability.Full, async (session, ct) => await session.ExecuteAsync(statement, values, ct), CancellationToken.None);

    private static Task WriteAsync(Database database, string sql) => WriteAsync(database, new Statement(sql));

    private static async Task<long?> CountAsync(Database database, string sql) =>
        await database.ReadAsync(sql, static (session, text, ct) => session.ScalarAsync(new Statement(text), [], ct), CancellationToken.None);
}
