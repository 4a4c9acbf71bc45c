using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Berth.Server.Platform.Data;

/// <summary>
/// Brings the schema up to date, and says which versions of Berth may work on it. A migration expands: the version before goes on reading and writing. What
/// that version needed is taken away by a contract step (<see cref="Contracts"/>) in a later release, which says how much a version must know to go on. That
/// is written in the database, so that a version that finds migrations it does not know can tell whether they are in its way.
/// What is applied is read without building the EF model, which is most of the cost of a start: only a new or an old database pays for it.
/// </summary>
internal static class SchemaVersion
{
    /// <summary>Migrations of this version in order; a test holds the list against EF's.</summary>
    internal static readonly string[] Migrations =
    [
        "20261122100000_Initial",
        "20261122120000_Stores",
        "20261122180000_Lifecycle",
        "20261122200000_TagNames",
        "20261122210000_Scanning",
        "20261122220000_ScanExceptions",
        "20261122221000_ScanFindings",
        "20261122222000_ScanContents",
        "20261122223000_ScannerRegistrations",
        "20261122224000_AdvisoryUpdates",
    ];

    /// <summary>
    /// Contract steps: a migration that takes something away, and the migration that a version must know to need it no more. A test fails when a migration
    /// takes something away without standing here.
    /// </summary>
    internal static readonly IReadOnlyDictionary<string, string> Contracts = new Dictionary<string, string>();

    // Name of the fact (InstallationFact) that says which migration a version must know.
    private const string OldestFact = "schema.oldest";

    /// <summary>Whether nothing is to be done.</summary>
    /// <param name="session">The database.</param>
    /// <param name="known">What this version knows: <see cref="Migrations"/>, fewer in tests.</param>
    /// <param name="ct">Cancels.</param>
    /// <exception cref="DatabaseIsNewerException">The database has left this version behind.</exception>
    public static async Task<bool> IsUpToDateAsync(DbSession session, IReadOnlyList<string> known, CancellationToken ct)
    {
        var applied = await AppliedAsync(session, ct).ConfigureAwait(false);
        if (applied.FindLast(m => !known.Contains(m)) is not { } unknown) return applied.Count == known.Count;
        await ThrowIfLeftBehindAsync(session, known, unknown, ct).ConfigureAwait(false);
        return true;
    }

    /// <summary>Throws when a contract step has taken away what this version needs.</summary>
    /// <exception cref="DatabaseIsNewerException">It has.</exception>
    public static async ValueTask ThrowIfLeftBehindAsync(DbSession session, IReadOnlyList<string> known, string? unknown, CancellationToken ct)
    {
        var oldest = await HasTableAsync(session, "installation_facts", ct).ConfigureAwait(false) ? await OldestAsync(session, ct).ConfigureAwait(false) : null;
        if (oldest is null ? unknown is not null : !known.Contains(oldest)) throw new DatabaseIsNewerException(unknown ?? oldest!, oldest);
    }

    /// <summary>Applies what is missing. The caller holds a lock that no other process holds at the same time.</summary>
    public static async Task BringUpToDateAsync(DbSession session, IReadOnlyList<string> known, CancellationToken ct)
    {
        // Another process may have done it while this one waited for the lock.
        if (await IsUpToDateAsync(session, known, ct).ConfigureAwait(false)) return;
        // What a process that was killed in the middle left behind: EF would wait for it for ever.
        if (session.Kind == DatabaseKind.Sqlite) await RunAsync(session, "DROP TABLE IF EXISTS \"__EFMigrationsLock\"", ct).ConfigureAwait(false);
        var oldest = known.Where(Contracts.ContainsKey).Select(m => Contracts[m]).LastOrDefault() ?? known[0];
        // Before the first step: versions that it leaves behind must not begin any more.
        await WriteOldestAsync(session, oldest, ct).ConfigureAwait(false);
        await using (var context = session.NewContext())
        {
            context.Database.AutoTransactionBehavior = AutoTransactionBehavior.WhenNeeded;
            // An index of a large table takes its time.
            context.Database.SetCommandTimeout(0);
            await context.GetService<IMigrator>().MigrateAsync(known[^1], ct).ConfigureAwait(false);
        }
        await WriteOldestAsync(session, oldest, ct).ConfigureAwait(false);
    }

    private static async Task WriteOldestAsync(DbSession session, string oldest, CancellationToken ct)
    {
        if (!await HasTableAsync(session, "installation_facts", ct).ConfigureAwait(false)) return;
        await RunAsync(session, $"INSERT INTO installation_facts (name, value) VALUES ('{OldestFact}', '{oldest}') ON CONFLICT (name) DO UPDATE SET value = excluded.value", ct).ConfigureAwait(false);
    }

    private static async Task<string?> OldestAsync(DbSession session, CancellationToken ct)
    {
        await using var command = Plain(session, $"SELECT value FROM installation_facts WHERE name = '{OldestFact}'");
        return await command.ExecuteScalarAsync(ct).ConfigureAwait(false) as string;
    }

    private static async Task<List<string>> AppliedAsync(DbSession session, CancellationToken ct)
    {
        var applied = new List<string>();
        if (!await HasTableAsync(session, "__EFMigrationsHistory", ct).ConfigureAwait(false)) return applied;
        await using var list = Plain(session, """SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY "MigrationId" """);
        await using var reader = await list.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) applied.Add(reader.GetString(0));
        return applied;
    }

    private static async Task<bool> HasTableAsync(DbSession session, string table, CancellationToken ct)
    {
        await using var exists = Plain(session, session.Kind == DatabaseKind.Sqlite
            ? $"SELECT count(*) FROM sqlite_master WHERE type='table' AND name='{table}'"
            : $"SELECT count(*) FROM pg_tables WHERE schemaname=current_schema() AND tablename='{table}'");
        return Convert.ToInt64(await exists.ExecuteScalarAsync(ct).ConfigureAwait(false), provider: null) > 0;
    }

    private static async Task RunAsync(DbSession session, string sql, CancellationToken ct)
    {
        await using var command = Plain(session, sql);
        await command.ExecuteNonQueryAsync(ct).ConfigureAwait(false);
    }

    private static DbCommand Plain(DbSession session, string sql)
    {
        var command = session.Connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }
}

/// <summary>A newer version of Berth has taken away from the database what this version needs.</summary>
public sealed class DatabaseIsNewerException(string migration, string? oldest) : InvalidOperationException(oldest is null
    ? $"the database has the migration {migration}, which this version does not know: start a newer version of Berth"
    : $"the database has the migration {migration}, and only versions of Berth that know {oldest} may still work on it: start a newer version of Berth");
