using Berth.Server.Platform.Data;

namespace Berth.Server.Tests;

public sealed class MigratedSchemaTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task The_copied_schema_of_tests_is_the_one_that_migrations_make(DatabaseKind kind)
    {
        await using var copied = await TestDatabase.NewAsync(kind);
        await using var migrated = await TestDatabase.NewAsync(kind, SchemaVersion.Migrations);
        var expected = await DescribeAsync(migrated);
        Assert.Contains(expected, static line => line.Contains("installation_facts", StringComparison.Ordinal));
        Assert.Equal(expected, await DescribeAsync(copied));
    }

    private static async Task<List<string>> DescribeAsync(TestDatabase database)
    {
        string[] queries = database.Current.Kind == DatabaseKind.Sqlite
            ? ["SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"]
            :
            [
                """
                SELECT c.relname || ' ' || a.attnum || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), '') || a.attidentity::text
                FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
                WHERE c.relnamespace = current_schema()::regnamespace AND a.attnum > 0
                """,
                "SELECT replace(indexdef, current_schema(), '') FROM pg_indexes WHERE schemaname = current_schema()",
                "SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace",
            ];
        var lines = new List<string>();
        foreach (var query in (string[])[.. queries, "SELECT name || '=' || value FROM installation_facts", "SELECT \"MigrationId\" || \"ProductVersion\" FROM \"__EFMigrationsHistory\""])
        {
            lines.AddRange(await database.Current.ReadAsync(query, static async (session, sql, ct) =>
            {
                await using var command = session.Connection.CreateCommand();
                command.CommandText = sql;
                await using var reader = await command.ExecuteReaderAsync(ct);
                var found = new List<string>();
                while (await reader.ReadAsync(ct)) found.Add(reader.GetString(0));
                return found;
            }, TestContext.Current.CancellationToken));
        }
        lines.Sort(StringComparer.Ordinal);
        return lines;
    }
}
