using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Berth.Server.Platform.Data;

/// <summary>For <c>dotnet ef migrations add</c>: the model without a database.</summary>
internal sealed class SqliteContextFactory : IDesignTimeDbContextFactory<SqliteBerthContext>
{
    public SqliteBerthContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<SqliteBerthContext>().UseSqlite("Data Source=:memory:").Options);
}

/// <summary>For <c>dotnet ef migrations add</c>: the model without a database.</summary>
internal sealed class PostgresContextFactory : IDesignTimeDbContextFactory<PostgresBerthContext>
{
    public PostgresBerthContext CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<PostgresBerthContext>().UseNpgsql("Host=localhost").Options);
}
