using Microsoft.EntityFrameworkCore;

namespace Berth.Server.Platform.Data;

/// <summary>
/// The one EF model. Entities and their maps live in their features; each map is found in this assembly. Tables and columns have
/// snake_case names, times are Unix milliseconds in UTC, texts that are compared or listed sort by bytes on both databases.
/// </summary>
public abstract class BerthContext(DbContextOptions options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(BerthContext).Assembly);
        if (!Database.IsNpgsql()) return;
        foreach (var property in modelBuilder.Model.GetEntityTypes().SelectMany(e => e.GetProperties()))
        {
            // SQLite compares bytes already; PostgreSQL would sort by the language of the database.
            if (property.ClrType == typeof(string)) property.SetCollation("C");
        }
    }
}

/// <summary>The model on SQLite.</summary>
public sealed class SqliteBerthContext(DbContextOptions<SqliteBerthContext> options) : BerthContext(options);

/// <summary>The model on PostgreSQL.</summary>
public sealed class PostgresBerthContext(DbContextOptions<PostgresBerthContext> options) : BerthContext(options);
