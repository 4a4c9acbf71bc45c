using Berth.Blobs.FileSystem;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Health;
using Berth.Server.Tests.Platform.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Platform.Health;

/// <summary>A server with nothing but the health routes, on a real database and store.</summary>
internal sealed class HealthApp : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;
    private readonly HttpClient _client = new();
    private WebApplication? _app;

    public ManualTime Time { get; } = new();

    public string StoreRoot => Path.Join(_folder, "store");

    public IHostApplicationLifetime Lifetime => _app!.Lifetime;

    public HealthMonitor Monitor => _app!.Services.GetRequiredService<HealthMonitor>();

    public async Task<HealthApp> StartAsync(HealthOptions options)
    {
        var database = SqliteDatabase.Open(Path.Join(_folder, "berth.db"), 8);
        await database.MigrateAsync(CancellationToken.None);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton<Database>(_ => database);
        builder.Services.AddSingleton<TimeProvider>(Time);
        builder.Services.AddSingleton(StoreWrapper.Alone(new FileSystemBlobStore(StoreRoot, 0, Time)));
        builder.Services.AddHealth(options);
        _app = builder.Build();
        _app.MapHealth().MapDebugHealth();
        await _app.StartAsync();
        return this;
    }

    public async Task<(int Status, string Body)> GetAsync(string path)
    {
        using var answer = await _client.GetAsync(_app!.Urls.First() + path);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Moves the clock by steps until a path answers with a status.</summary>
    public Task UntilAsync(string path, int status, TimeSpan step = default) =>
        Eventually.TrueAsync(async () =>
        {
            if ((await GetAsync(path)).Status == status) return true;
            Time.Advance(step);
            return false;
        }, $"{path} answers {status}");

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
