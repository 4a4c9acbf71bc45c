using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Api;

/// <summary>One platform for all tests of a class; each test keeps to projects and users of its own.</summary>
public abstract class PlatformFixture(DatabaseKind kind) : IAsyncLifetime
{
    private PlatformApp? _app;

    internal DatabaseKind Kind => kind;

    internal PlatformApp App
    {
        get
        {
            RegistryApp.SkipWithout(kind);
            return _app!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (kind == DatabaseKind.Sqlite || !string.IsNullOrEmpty(RegistryApp.Server)) _app = await PlatformApp.StartAsync(kind, services: s => s.AddRecorder());
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

public sealed class SqlitePlatform() : PlatformFixture(DatabaseKind.Sqlite);

public sealed class PostgresPlatform() : PlatformFixture(DatabaseKind.Postgres);

/// <summary>Tests of the management API against a running platform; derived once for each database.</summary>
public abstract class PlatformTests(PlatformFixture fixture)
{
    private static int s_names;

    internal PlatformApp App => fixture.App;

    internal DatabaseKind Kind => fixture.Kind;

    /// <summary>A name that no other test uses.</summary>
    internal static string NewName(string what) => $"{what}-{Interlocked.Increment(ref s_names)}";

    /// <summary>Makes a project that no other test uses; its name.</summary>
    internal async Task<string> NewProjectAsync(bool isPublic = false)
    {
        var name = NewName("project");
        await App.AddProjectAsync(name, isPublic);
        return name;
    }

    /// <summary>Makes a user that no other test uses, with a role in a project; the name.</summary>
    internal async Task<string> NewMemberAsync(string project, int role)
    {
        var name = NewName("member");
        await App.AddUserAsync(name);
        await App.AddMemberAsync(project, name, role);
        return name;
    }

    /// <summary>Makes a user without any role; the name.</summary>
    internal async Task<string> NewUserAsync()
    {
        var name = NewName("user");
        await App.AddUserAsync(name);
        return name;
    }

    /// <summary>Id of a project.</summary>
    internal async Task<long> IdOfAsync(string project) => (await App.GetAsync($"/api/v2.0/projects/{project}"))["project_id"]!.GetValue<long>();

    /// <summary>Events on a resource so far, as <c>operation type resource</c>.</summary>
    internal IReadOnlyList<string> EventsOf(string resource) => App.Services.EventsOf(resource);
}
