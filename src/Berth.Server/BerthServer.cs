using Berth.Server.Access;
using Berth.Server.Administration;
using Berth.Server.Adoption;
using Berth.Server.Api;
using Berth.Server.Artifacts;
using Berth.Server.Audit;
using Berth.Server.Doctor;
using Berth.Server.GarbageCollection;
using Berth.Server.Identity;
using Berth.Server.Immutability;
using Berth.Server.Integrity;
using Berth.Server.Labels;
using Berth.Server.Lifecycle;
using Berth.Server.Notifications;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Health;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Secrets;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Storage;
using Berth.Server.Platform.Telemetry;
using Berth.Server.Projects;
using Berth.Server.Quotas;
using Berth.Server.Registry;
using Berth.Server.Retention;
using Berth.Server.Scanning;
using Berth.Server.Scanning.AdapterApi;
using Berth.Server.Scanning.Scanners;
using Berth.Server.SignIn;
using Berth.Server.Trash;
using Berth.Server.Ui;
using Berth.Server.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server;

/// <summary>
/// The whole server put together: one line a feature, in ring order. Start reading here.
/// </summary>
public static class BerthServer
{
    /// <summary>Runs a server until a signal or the token stops it.</summary>
    /// <param name="configuration">Validated settings.</param>
    /// <param name="ct">Stops the server.</param>
    /// <returns>Exit code: 0 after an orderly stop.</returns>
    public static async Task<int> RunAsync(BerthConfiguration configuration, CancellationToken ct)
    {
        var options = configuration.Options;
        using var output = ServerOutput.OfThisProcess();
        using var tracing = Tracing.Start(options.Tracing);
        using var folder = await LockFolderAsync(options, ct).ConfigureAwait(false);
        await using var app = await BuildAsync(options, output, null, ct).ConfigureAwait(false);
        var database = app.Services.GetRequiredService<Database>();
        using (var source = BerthStorage.AdoptionSourceOf(options, database, TimeProvider.System, readsLinks: false))
        {
            await AdoptOnFirstStart.RunAsync(
                database, source, BerthStorage.AdoptionOptionsOf(options), TimeProvider.System,
                app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Adoption"), ct).ConfigureAwait(false);
        }
        var admin = options.Access.Mode == AccessMode.Local
            ? await app.Services.GetRequiredService<FirstAdmin>().EnsureAsync(AdminPassword(), ct).ConfigureAwait(false)
            : new FirstAdminResult(false, null);
        await app.StartAsync(ct).ConfigureAwait(false);
        StartMessage.Write(Console.Out, options, app.Urls, admin);
        await ((IHost)app).WaitForShutdownAsync(ct).ConfigureAwait(false);
        return 0;
    }

    /// <summary>Builds a server that writes no log, for tests and embedding.</summary>
    public static Task<WebApplication> BuildAsync(BerthOptions options, Action<IServiceCollection>? configure, CancellationToken ct) =>
        BuildAsync(options, ServerOutput.Silent, configure, ct);

    /// <summary>Builds a server that is ready to start: the database is migrated, the storage opened.</summary>
    /// <param name="options">Validated settings.</param>
    /// <param name="output">Where log lines go; outlives the server.</param>
    /// <param name="configure">Last changes to what is registered, for tests.</param>
    /// <param name="ct">Cancels the start.</param>
    public static async Task<WebApplication> BuildAsync(BerthOptions options, ServerOutput output, Action<IServiceCollection>? configure, CancellationToken ct)
    {
        // Blocking file work (fsync) runs on pool threads; the pool grows too slowly by itself for a burst of pushes.
        ThreadPool.SetMinThreads(Math.Max(32, Environment.ProcessorCount * 8), Math.Max(32, Environment.ProcessorCount * 8));

        Directory.CreateDirectory(options.DataFolder);
        var database = BerthStorage.OpenDatabase(options);
        try
        {
            await database.MigrateAsync(ct).ConfigureAwait(false);
            if (options.Access.Mode == AccessMode.Local) await LibraryProject.EnsureAsync(database, TimeProvider.System, ct).ConfigureAwait(false);
        }
        catch
        {
            await database.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.AddListeners(options.Http);
        builder.Services.AddRoutingCore();
        Register(builder, options, database, output);
        configure?.Invoke(builder.Services);

        var app = builder.Build();
        database.Outage.ReportTo(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger("Database"));
        Map(app, options);
        await CheckSecretKeyAsync(app, options, database, ct).ConfigureAwait(false);
        return app;
    }

    // Replicas with folders of their own would each generate a key.
    private static async Task CheckSecretKeyAsync(WebApplication app, BerthOptions options, Database database, CancellationToken ct)
    {
        if (database.Kind != DatabaseKind.Postgres || options.Access.Mode != AccessMode.Local) return;
        try
        {
            await SecretKeyCheck.RunAsync(database, app.Services.GetRequiredService<InstallationSecret>(), ct).ConfigureAwait(false);
        }
        catch
        {
            await app.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static void Register(WebApplicationBuilder builder, BerthOptions options, Database database, ServerOutput output)
    {
        var services = builder.Services;

        // Ring 0: platform.
        builder.Logging.AddBerthLog(options.Log, output.Log, TimeProvider.System);
        services.AddSingleton(options.Log);
        services.AddSingleton(database.Timings);
        services.AddTelemetry(options.Log, output.Access);
        services.AddSingleton(options);
        services.AddSingleton(options.Http);
        services.TryAddSingleton(TimeProvider.System);
        // By a factory: what the container is handed ready-made it does not dispose.
        services.AddSingleton(_ => database);
        services.AddHostedService(s => new SchemaGuard(
            database, s.GetRequiredService<IHostApplicationLifetime>(), s.GetRequiredService<TimeProvider>(), s.GetRequiredService<ILogger<SchemaGuard>>()));
        services.AddSingleton(s => StoreSetup.Open(
            options.Storage, options.DataFolder, s.GetRequiredService<Database>(), s.GetRequiredService<TimeProvider>(), (name, store) => new TimedBlobStore(store, s.GetRequiredService<StorageMetrics>().Of(name))));
        services.AddHealth(options.Health);
        services.AddSingleton<DomainEvents>();
        services.AddSettings(options);
        services.AddJobs(options.Jobs);

        // Ring 1: core.
        services.AddAccess(options.Access, options.Identity, options.Projects, options.Http, options.DataFolder);
        services.AddQuotas();
        services.AddRegistry(options.Registry, options.Gc, options.Storage.Redirect);
        if (options.Access.Mode == AccessMode.Local)
        {
            services.AddApi();
            services.AddUi();
            services.AddIdentity().AddAccounts();
            services.AddProjects(options.Projects);
            services.AddAccessApi();
            services.AddLabels();
            services.AddImmutability();
            services.AddQuotasApi();
            services.AddRegistryApi();
        }

        // Ring 2: reactions.
        services.AddGarbageCollection();
        services.AddIntegrity(options.Scrub, options.Storage.Redirect);
        if (options.Access.Mode == AccessMode.Local)
        {
            services.AddSignIn(options.Identity, options.Http, options.Outgoing);
            services.AddGarbageApi();
            services.AddStoresApi();
            services.AddArtifacts();
            services.AddTrash(options.Trash);
            services.AddRetention();
            services.AddLifecycle(options.Lifecycle);
            services.AddScanning(options.DataFolder, options.Advisories, options.Outgoing);
            services.AddOutsideScanners(options.Scanners, options.Outgoing, options.Http);
            services.AddAdapterApi(options.Scanners.Api, options.Outgoing);
            services.AddAudit(options.Audit);
            services.AddWebhooks(options.Webhooks, options.Outgoing);
        }
        services.AddNotifications(options.Notifications, NotificationSource.OfThisProcess(options.Http.Urls.Count > 0 ? options.Http.Urls[0] : null, TimeProvider.System));

        // Ring 3: surface.
        if (options.Access.Mode == AccessMode.Local) services.AddAdministration(BerthStorage.RootOf(options), options.Storage.Encryption.Enabled).AddDoctor(SettingsOfDoctor(options));
    }

    private static DoctorSettings SettingsOfDoctor(BerthOptions options) => new()
    {
        Http = options.Http,
        Database = options.Database,
        Storage = options.Storage,
        Access = options.Access,
        Identity = options.Identity,
        Registry = options.Registry,
        Gc = options.Gc,
        IsScrubbed = options.Scrub.Enabled,
        Log = options.Log,
        Metrics = options.Metrics,
        Tracing = options.Tracing,
    };

    private static void Map(WebApplication app, BerthOptions options)
    {
        // Bad settings and unreadable files are reported now, not at the first request.
        app.Services.GetRequiredService<ICallerSource>();
        app.Services.GetRequiredService<BlobStores>();

        // The registry comes before routing: nothing else stands on its path.
        var registry = app.Services.GetRequiredService<RegistryEndpoint>();
        app.Use(next => new RequestTelemetry(
            next, options.Http, app.Services.GetRequiredService<RequestMetrics>(), app.Services.GetRequiredService<RequestLog>(),
            app.Services.GetRequiredService<ILoggerFactory>()).InvokeAsync);
        app.Use(next => PathPrefix.Before(next, options.Http.Prefix));
        app.Use(next => new MaintenanceMode(next, app.Services.GetRequiredService<RuntimeSettings>(), options.Metrics.Path).InvokeAsync);
        app.Use(next => Registry.Registry.Serve(registry, next));
        app.UseRouting();
        app.MapAccess(options.Access);
        if (options.Access.Mode == AccessMode.Local)
        {
            app.MapApi();
            app.MapAdapterApi(options.Scanners.Api);
            app.MapUi();
        }
        app.MapHealth();
        MapForOperators(app, options);
#pragma warning disable ASP0014 // The endpoints must be run here: what follows answers everything that has none.
        app.UseEndpoints(static _ => { });
#pragma warning restore ASP0014
        app.Run(options.Access.Mode == AccessMode.Local ? Ui.Ui.MissingFor(app.Services, NotFoundAsync) : NotFoundAsync);
    }

    // Numbers and details of failures: on the debug listener when there is one.
    private static void MapForOperators(WebApplication app, BerthOptions options)
    {
        ServerMetrics.AddTo(app.Services, options);
        var page = app.Services.GetRequiredService<MetricsPage>();
        app.MapDebugHealth();
        if (options.Metrics.Enabled) app.MapGet(options.Metrics.Path, (RequestDelegate)page.ServeAsync);
        app.Use(next => context => IsForOperators(context, options) && !DebugListener.MayServeOperators(context, options.Http) ? NotFoundAsync(context) : next(context));
    }

    private static bool IsForOperators(HttpContext context, BerthOptions options) =>
        context.Request.Path.Value == options.Metrics.Path || context.Request.Path.StartsWithSegments("/debug", StringComparison.Ordinal);

    private static Task NotFoundAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }

    // Two servers on one SQLite file would each believe their own caches. Replicas on PostgreSQL may share a folder.
    private static async Task<DataFolderLock?> LockFolderAsync(BerthOptions options, CancellationToken ct)
    {
        Directory.CreateDirectory(options.DataFolder);
        var held = await DataFolderLock.TryAcquireAsync(options.DataFolder, TimeProvider.System, ct).ConfigureAwait(false);
        return held is null && options.Database.Kind == DatabaseKind.Sqlite
            ? throw new InvalidOperationException($"another server runs on the data folder {Path.GetFullPath(options.DataFolder)}: stop it, or give this one a folder of its own with --data")
            : held;
    }

    private static string? AdminPassword()
    {
        var file = Environment.GetEnvironmentVariable(FirstAdmin.PasswordVariable + "_FILE");
        return string.IsNullOrEmpty(file) ? Environment.GetEnvironmentVariable(FirstAdmin.PasswordVariable) : File.ReadAllText(file).TrimEnd('\r', '\n');
    }
}
