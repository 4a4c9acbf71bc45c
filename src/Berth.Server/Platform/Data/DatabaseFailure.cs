using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Berth.Server.Platform.Data;

/// <summary>Tells failures of the database apart: a full disk, something that passes by itself, or a mistake of ours.</summary>
public static class DatabaseFailure
{
    // https://www.sqlite.org/rescode.html
    private const int SqliteBusy = 5;
    private const int SqliteLocked = 6;
    private const int SqliteIoError = 10;
    private const int SqliteFull = 13;
    private const int SqliteCannotOpen = 14;

    /// <summary>The disk of the database is full: nothing can be written until somebody frees space.</summary>
    public static bool IsFull(DbException failure) =>
        failure is SqliteException { SqliteErrorCode: SqliteFull } or PostgresException { SqlState: PostgresErrorCodes.DiskFull };

    /// <summary>
    /// Why a connection could not be made: nobody listens there, the server starts or stops, or none of several hosts is what is wanted. A pool without a free
    /// connection (a timeout), too many connections or a wrong password are not that.
    /// </summary>
    public static bool IsUnreachable(NpgsqlException failure) => failure is PostgresException answered
        ? answered.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
        : failure.InnerException is not TimeoutException;

    /// <summary>The database is away, busy or failing over: the same request may succeed later.</summary>
    public static bool IsPassing(DbException failure) =>
        failure.IsTransient || failure is NpgsqlException and not PostgresException || failure is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }
        || failure is SqliteException { SqliteErrorCode: SqliteBusy or SqliteLocked or SqliteIoError or SqliteCannotOpen };
}
