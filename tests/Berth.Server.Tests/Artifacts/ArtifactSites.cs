using System.Text;
using System.Text.Json.Nodes;
using Berth.Oci;
using Berth.Server.Platform.Data;
using Berth.Server.Projects;
using Berth.Server.Tests.Api;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Artifacts;

/// <summary>A server on each database for all tests of a class; each test keeps to projects of its own.</summary>
public sealed class ArtifactSites : IAsyncLifetime
{
    private readonly Dictionary<DatabaseKind, ArtifactSite> _sites = [];

    internal async Task<ArtifactSite> GetAsync(DatabaseKind kind)
    {
        RegistryApp.SkipWithout(kind);
        if (!_sites.TryGetValue(kind, out var site)) _sites.Add(kind, site = new ArtifactSite(await PlatformApp.StartAsync(kind)));
        return site;
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var site in _sites.Values) await site.App.DisposeAsync();
    }
}

/// <summary>What tests of artifacts put into a server.</summary>
internal sealed class ArtifactSite(PlatformApp app)
{
    private static int s_names;

    public PlatformApp App { get; } = app;

    /// <summary>A word that no other test uses.</summary>
    public static string New(string word) => $"{word}{Interlocked.Increment(ref s_names)}";

    /// <summary>A project of its own; its name.</summary>
    public async Task<string> AddProjectAsync(bool isPublic = false, long quota = -1)
    {
        var name = New("proj");
        await App.Database.WriteAsync(Durability.Full, (session, ct) =>
            ProjectRows.AddAsync(session, name, new ProjectSeed(isPublic, quota, null, new Dictionary<string, string>()), 1, ct).AsTask(), CancellationToken.None);
        return name;
    }

    /// <summary>A user with a role in a project (1 admin, 2 developer, 3 guest, 4 maintainer, 5 limited guest; 0 for none); its name.</summary>
    public async Task<string> AddUserAsync(string project, int role)
    {
        var name = New("user");
        var id = await App.AddUserAsync(name);
        if (role == 0) return name;
        await SqlAsync($"INSERT INTO project_members (project_id, subject_kind, subject_id, role_id, created_at) SELECT id, 1, {id}, {role}, 1 FROM projects WHERE name = '{project}'", announce: true);
        return name;
    }

    public Task SqlAsync(string sql, bool announce = false) => App.Database.WriteAsync(Durability.Full, async (session, ct) =>
    {
        var changed = await session.ExecuteAsync(new Statement(sql), [], ct);
        if (announce) await session.AnnounceAsync(Topics.Access, "", ct);
        return changed;
    }, CancellationToken.None);

    public Task<long> NumberAsync(string sql) => App.Database.ReadAsync(sql, static async (session, text, ct) =>
        await session.ScalarAsync(new Statement(text), [], ct) ?? 0, CancellationToken.None).AsTask();

    public Task AddImmutableRuleAsync(string project, string repositories, string tags) => SqlAsync(
        "INSERT INTO immutable_rules (project_id, is_disabled, repository_matches, repository_pattern, tag_matches, tag_pattern, priority, created_at) "
        + $"SELECT id, false, true, '{repositories}', true, '{tags}', 0, 1 FROM projects WHERE name = '{project}'");

    /// <summary>A label; its id.</summary>
    public async Task<long> AddLabelAsync(string? project)
    {
        var name = New("label");
        var projectId = project is null ? "NULL" : $"(SELECT id FROM projects WHERE name = '{project}')";
        await SqlAsync($"INSERT INTO labels (name, description, color, project_id, created_at, updated_at) VALUES ('{name}', 'd', '#fff', {projectId}, 1, 1)");
        return await NumberAsync($"SELECT id FROM labels WHERE name = '{name}'");
    }

    /// <summary>Pushes blobs and manifest by digest or tag as the administrator.</summary>
    public async Task<TestImage> PushAsync(string repository, string reference, TestImage image)
    {
        await App.PushAsync(repository, reference, image);
        return image;
    }

    /// <summary>Path of the artifacts of a repository, encoded as Harbor's clients do.</summary>
    public static string ArtifactsOf(string repository, string more = "") => RepositoryOf(repository, "/artifacts" + more);

    public static string RepositoryOf(string repository, string more = "") => $"/api/v2.0{Path(repository, more)}";

    /// <summary>The same in our own interface.</summary>
    public static string Ours(string repository, string more = "") => $"/api/berth/v1{Path(repository, more)}";

    public async Task<(JsonArray Items, string Total)> ListAsync(string path, string user = "admin")
    {
        var answer = await App.CallAsync("GET", path, user);
        Assert.True(answer.Status == 200, $"{path}: {answer.Status} {answer.Body}");
        return (answer.Json.AsArray(), answer.Header("X-Total-Count")!);
    }

    /// <summary>The answer must have a status.</summary>
    public async Task<ApiAnswer> ExpectAsync(int status, string method, string path, string user = "admin", string? body = null)
    {
        var answer = await App.CallAsync(method, path, user, body);
        Assert.True(answer.Status == status, $"{method} {path} as {user}: {answer.Status} instead of {status}: {answer.Body}");
        return answer;
    }

    /// <summary>An image with a configuration that says something.</summary>
    public static TestImage ImageWith(JsonObject config, string configType = MediaTypes.OciConfig, string? artifactType = null, JsonObject? annotations = null, params (string Type, byte[] Bytes, JsonObject? Annotations)[] layers)
    {
        var bytes = Encoding.UTF8.GetBytes(config.ToJsonString());
        var list = new JsonArray();
        foreach (var (type, content, notes) in layers)
        {
            var layer = TestImage.Describe(type, content);
            if (notes is not null) layer["annotations"] = notes.DeepClone();
            list.Add(layer);
        }
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["config"] = TestImage.Describe(configType, bytes),
            ["layers"] = list,
        };
        if (artifactType is not null) manifest["artifactType"] = artifactType;
        if (annotations is not null) manifest["annotations"] = annotations.DeepClone();
        return new TestImage(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(manifest.ToJsonString()), [bytes, .. layers.Select(l => l.Bytes)]);
    }

    private static string Path(string repository, string more)
    {
        var slash = repository.IndexOf('/', StringComparison.Ordinal);
        return $"/projects/{repository[..slash]}/repositories/{Uri.EscapeDataString(Uri.EscapeDataString(repository[(slash + 1)..]))}{more}";
    }
}
