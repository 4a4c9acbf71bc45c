using Berth.Blobs;
using Berth.Blobs.FileSystem;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Berth.Server;

/// <summary>
/// The whole server put together: one line a feature, in ring order. Start reading here.
/// </summary>
public static class BerthServer
{
    /// <summary>Builds a server that is ready to start: the database is migrated, the storage opened.</summary>
    /// <param name="options">Validated settings.</param>
    /// <param name="configure">Last changes to what is registered, for tests.</param>
    /// <param name="ct">Cancels the start.</param>
    public static async Task<WebApplication> BuildAsync(BerthOptions options, Action<IServiceCollection>? configure, CancellationToken ct)
    {
        // Blocking file work (fsync) runs on pool threads; the pool grows too slowly by itself for a burst of pushes.
        ThreadPool.SetMinThreads(Math.Max(32, Environment.ProcessorCount * 8), Math.Max(32, Environment.ProcessorCount * 8));

        Directory.CreateDirectory(options.DataFolder);
        var database = OpenDatabase(options);
        await database.MigrateAsync(ct).ConfigureAwait(false);

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        builder.WebHost.UseUrls([.. options.Http.Urls]);
        builder.Services.AddRoutingCore();

        // Ring 0: platform.
        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(options.Http);
        builder.Services.TryAddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(database);
        builder.Services.AddSingleton<IBlobStore>(s => new FileSystemBlobStore(
            options.Storage.Root ?? Path.Join(options.DataFolder, "storage"), options.Storage.MinFreeBytes, s.GetRequiredService<TimeProvider>()));

        // Ring 1: core.
        builder.Services.AddSingleton<ICallerSource, OpenAccess>();
        builder.Services.AddRegistry(options.Registry);

        configure?.Invoke(builder.Services);
        var app = builder.Build();

        var registry = app.Services.GetRequiredService<RegistryEndpoint>();
        app.Use(next => Registry.Registry.Serve(registry, next));
        app.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        return app;
    }

    private static Database OpenDatabase(BerthOptions options) => options.Database.Kind switch
    {
        DatabaseKind.Postgres => PostgresDatabase.Open(options.Database.ConnectionString ?? "", options.Database.MaxReaders),
        _ => SqliteDatabase.Open(options.Database.File ?? Path.Join(options.DataFolder, "berth.db"), options.Database.MaxReaders),
    };
}
