using Berth.Blobs;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Registry;

/// <summary>
/// The registry itself: everything under <c>/v2/</c>, the OCI distribution protocol with what Docker's clients add to it.
/// <see cref="RegistryEndpoint"/> is the door; <see cref="Pull"/>, <see cref="Push"/>, <see cref="Uploads"/>, <see cref="Deletes"/> and
/// <see cref="Listings"/> are the use cases. Permission of each: reading needs pull, uploading and PUT need push, DELETE needs delete,
/// the catalog needs the right to list; the version check answers whoever may use the API.
/// </summary>
internal static class Registry
{
    /// <summary>Registers the feature.</summary>
    public static IServiceCollection AddRegistry(this IServiceCollection services, RegistryOptions options, GarbageOptions garbage, RedirectOptions redirect) => services
        .AddSingleton(options)
        .AddSingleton(garbage)
        .AddSingleton(s => NewCache(s, options))
        .AddSingleton<ManifestPolicy>()
        .AddSingleton<IRates>(NewRates)
        .AddSingleton<RateLimit>()
        .AddSingleton<RegistryEvents>()
        .AddSingleton<UploadSessions>()
        .AddSingleton<ActiveUploads>()
        .AddSingleton<BlobBytes>()
        .AddSingleton(s => new BlobRedirect(s.GetRequiredService<BlobStores>(), redirect))
        .AddSingleton<BlobCommit>()
        .AddSingleton<OwnBlobs>()
        .AddSingleton<ManifestReferences>()
        .AddSingleton<ManifestCommit>()
        .AddSingleton<Pull>()
        .AddSingleton<Push>()
        .AddSingleton<Uploads>()
        .AddSingleton<Deletes>()
        .AddSingleton<Listings>()
        .AddSingleton<RegistryEndpoint>()
        .AddSingleton<UploadJanitor>()
        .AddHostedService(s => s.GetRequiredService<UploadJanitor>());

    /// <summary>Registers what the management API has of it (mode <c>local</c>).</summary>
    public static IServiceCollection AddRegistryApi(this IServiceCollection services) => services
        .AddSingleton<RepositoryRename>()
        .AddOperations(p => RepositoryRename.Operations(p.GetRequiredService<RepositoryRename>()));

    private static IRates NewRates(IServiceProvider services)
    {
        var (database, time) = (services.GetRequiredService<Database>(), services.GetRequiredService<TimeProvider>());
        return database.Kind == DatabaseKind.Sqlite ? new LocalRates(time) : new SharedRates(database, time, services.GetRequiredService<ILogger<SharedRates>>());
    }

    private static ContentCache NewCache(IServiceProvider services, RegistryOptions options)
    {
        var database = services.GetRequiredService<Database>();
        var cache = new ContentCache(
            options.ContentCacheBytes, services.GetRequiredService<GarbageOptions>().Believed, services.GetRequiredService<TimeProvider>(),
            database.Kind == DatabaseKind.Postgres ? database.Outage : null);
        database.Announcements.Subscribe(Topics.Repositories, _ => cache.DoubtAll());
        return cache;
    }

    /// <summary>Takes over requests under <c>/v2</c> before anything else looks at them; the rest goes on to <paramref name="next"/>.</summary>
    public static RequestDelegate Serve(RegistryEndpoint endpoint, RequestDelegate next) => context =>
    {
        var path = context.Request.Path.Value ?? "";
        return path.StartsWith("/v2", StringComparison.Ordinal) && (path.Length == 3 || path[3] == '/')
            ? endpoint.HandleAsync(context, path[3..])
            : next(context);
    };
}
