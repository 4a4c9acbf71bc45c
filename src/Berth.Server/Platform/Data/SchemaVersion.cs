using System.Data.Common;
using Microsoft.EntityFrameworkCore;

namespace Berth.Server.Platform.Data;

/// <summary>
/// Brings the schema up to date. What is applied is read without building the EF model, which is most of the cost of a start:
/// only a new or an old database pays for it.
/// </summary>
internal static class SchemaVersion
{
    /// <summary>Migrations of this version in order; a test holds the list against EF's.</summary>
    internal static readonly string[] Migrations = ["20261122100000_Initial", "20261122120000_Stores"];

    public static async Task BringUpToDateAsync(DbSession session, CancellationToken ct)
    {
        var applied = await AppliedAsync(session, ct).ConfigureAwait(false);
        if (applied.Find(m => !Migrations.Contains(m)) is { } unknown) throw new DatabaseIsNewerException(unknown);
        if (applied.Count == Migrations.Length) return;
        await using var context = session.NewContext();
        context.Database.AutoTransactionBehavior = AutoTransactionBehavior.WhenNeeded;
        await context.Database.MigrateAsync(ct).ConfigureAwait(false);
    }

    private static async Task<List<string>> AppliedAsync(DbSession session, CancellationToken ct)
    {
        var applied = new List<string>();
        await using var exists = Plain(session, session.Kind == DatabaseKind.Sqlite
            ? "SELECT count(*) FROM sqlite_master WHERE type='table' AND name='__EFMigrationsHistory'"
            : "SELECT count(*) FROM pg_tables WHERE schemaname=current_schema() AND tablename='__EFMigrationsHistory'");
        if (Convert.ToInt64(await exists.ExecuteScalarAsync(ct).ConfigureAwait(false), provider: null) == 0) return applied;
        await using var list = Plain(session, """SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY "MigrationId" """);
        await using var reader = await list.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) applied.Add(reader.GetString(0));
        return applied;
    }

    private static DbCommand Plain(DbSession session, string sql)
    {
        var command = session.Connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}
