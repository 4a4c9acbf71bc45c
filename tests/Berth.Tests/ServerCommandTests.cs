using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Berth.Oci;
using Berth.Server;
using Berth.Server.Identity;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Tests;

/// <summary>The commands that ask a running server, against a real one.</summary>
public sealed class ServerCommandTests : IAsyncLifetime
{
    private const string Password = "Harbor12345";
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-cli-").FullName;
    private WebApplication _app = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _app = await BerthServer.BuildAsync(new BerthOptions { DataFolder = _folder, Http = new() { Urls = ["http://127.0.0.1:0"] } }, null, Ct);
        await _app.StartAsync(Ct);
        await _app.Services.GetRequiredService<FirstAdmin>().EnsureAsync(Password, Ct);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Users_are_made_listed_disabled_and_removed()
    {
        var made = await Run("user create alice --email alice@example.com");
        var password = Regex.Match(made, @"password \(shown this once\): (\S+)").Groups[1].Value;
        Assert.Matches(@"^ID +NAME +EMAIL +ADMIN +CREATED\n2 +alice +alice@example\.com +false +\d{4}-\S+\n$", await Run("user list --name ali"));
        Assert.Contains("alice may not push", await Run("access explain push --project library", "alice", password), StringComparison.Ordinal);
        Assert.Equal("user alice disabled\n", await Run("user disable 2"));
        Assert.Contains("answered 401", await Fail("token list", "alice", password), StringComparison.Ordinal);
        Assert.Equal("user alice enabled\n", await Run("user enable 2"));
        File.WriteAllText(Path.Join(_folder, "pw"), "Chosen12345\n");
        Assert.Equal("user bob made\n", await Run($"user create bob --email bob@example.com --real-name Bob --new-password-file {Path.Join(_folder, "pw")}"));
        Assert.Equal("ID  NAME  SCOPES  EXPIRES  LAST USED\n", await Run("token list", "bob", "Chosen12345"));
        Assert.Contains("already exists", await Fail("user create bob --email other@example.com"), StringComparison.Ordinal);
        Assert.Equal("user 2 removed\n", await Run("user delete 2"));
        using var left = JsonDocument.Parse(await Run("user list --json"));
        Assert.Equal(["bob"], left.RootElement.EnumerateArray().Select(u => u.GetProperty("username").GetString()));
    }

    [Fact]
    public async Task The_doctor_says_what_passes_and_what_to_do_and_fails_when_a_line_does()
    {
        // Metrics are open to everybody on a server with one listener.
        var (code, output) = await Doctor(_app.Urls.First());
        Assert.Equal(1, code);
        Assert.Matches(@"fail +Are metrics and details of failures hidden from clients\?\n +anybody may read /metrics and /debug/health\n +fix: .*http\.debugAddress", output);
        Assert.Matches(@"\n\d+ pass, 1 fail, \d+ not configured\n$", output);

        using var json = JsonDocument.Parse((await Doctor($"{_app.Urls.First()} --json")).Output);
        Assert.Equal(1, json.RootElement.GetProperty("failed").GetInt32());
        Assert.Contains(json.RootElement.GetProperty("checks").EnumerateArray(), line => line.GetProperty("id").GetString() == "access.clients" && line.GetProperty("status").GetString() == "pass");

        var file = Path.Join(_folder, "doctor.yaml");
        File.WriteAllText(file, $"http: {{ urls: [\"{_app.Urls.First()}\"] }}\n");
        Assert.Contains("1 fail", (await Doctor($"--config {file}")).Output, StringComparison.Ordinal);
        Assert.Equal(2, (await Doctor("ftp://example.com")).Code);
    }

    [Fact]
    public async Task Projects_are_made_listed_and_removed()
    {
        Assert.Equal("project shop made\n", await Run("project create shop --quota-bytes 1000"));
        Assert.Equal("project images made\n", await Run("project create images --public"));
        Assert.Matches(@"^ID +NAME +OWNER +REPOSITORIES +CREATED\n2 +shop +admin +0 +\d{4}-\S+\n$", await Run("project list --name sho"));
        using var all = JsonDocument.Parse(await Run("project list --json"));
        Assert.Equal(
            [("images", "true"), ("library", "true"), ("shop", "false")],
            all.RootElement.EnumerateArray().Select(p => (p.GetProperty("name").GetString()!, p.GetProperty("metadata").GetProperty("public").GetString()!)).Order());
        Assert.Equal("project shop removed\n", await Run("project delete shop"));
        Assert.Contains("answered 404", await Fail("project delete shop"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Robots_are_made_refreshed_and_removed()
    {
        var made = await Run("robot create ci --project library --permission repository:pull repository:push --days 30");
        var secret = Regex.Match(made, @"^robot robot\$library\+ci \(1\) made, secret \(shown this once\): (\S+)\n$").Groups[1].Value;
        Assert.Contains("may push", await Run("access explain push --project library --repository app", "robot$library+ci", secret), StringComparison.Ordinal);
        var renewed = Regex.Match(await Run("robot refresh 1"), @": (\S+)\n$").Groups[1].Value;
        Assert.Contains("answered 401", await Fail("access explain pull --project library", "robot$library+ci", secret), StringComparison.Ordinal);
        Assert.Contains("may pull", await Run("access explain pull --project library --repository app", "robot$library+ci", renewed), StringComparison.Ordinal);
        Assert.Contains("robot$library+ci", await Run("robot list --project library"), StringComparison.Ordinal);
        Assert.DoesNotContain("robot$library+ci", await Run("robot list"), StringComparison.Ordinal);
        Assert.Contains("robot$mirror", await Run("robot create mirror --permission repository:pull --days -1"), StringComparison.Ordinal);
        Assert.Contains("robot$mirror", await Run("robot list"), StringComparison.Ordinal);
        Assert.Equal("robot 1 removed\n", await Run("robot delete 1"));
        Assert.Contains("bad request permission: repository:fly", await Fail("robot create x --permission repository:fly"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Old_images_are_told_of_and_deleted_but_what_is_kept_by_name_or_count()
    {
        foreach (var tag in new[] { "v1", "v2", "dev-1", "dev-2" }) await PushAsync("library/app", tag);
        Assert.Equal("0 of 4 would go, 0 bytes would be freed; nothing was deleted\n", await Run("cleanup library --dry-run"));

        var told = await Run("cleanup library --keep-days 0 --keep-tags v* --dry-run=true");
        Assert.Matches(@"^library/app:dev-1  .*old tags.*\nlibrary/app:dev-2  .*\n2 of 4 would go, \d+ bytes would be freed; nothing was deleted\n$", told);
        Assert.Matches(@"^library/app:dev-1 deleted\nlibrary/app:dev-2 deleted\n2 of 4 went, \d+ bytes will be freed", await Run("cleanup library/app --keep-days=0 --keep-tags=v* --dry-run=false"));
        Assert.Matches(@"^library/app:v1 deleted\n1 of 2 went", await Run("cleanup --keep-days 0 --keep-tags 1"));
        Assert.Matches("^0 of 1 went", await Run("cleanup --keep-days 0 --keep-tags v1,v2"));
        Assert.Contains("answered 404", await Fail("cleanup nothing"), StringComparison.Ordinal);
        Assert.Equal(2, (await RunRaw(["cleanup", "--keep-days", "-1"], As("admin", Password), "")).Code);
    }

    // An image with a layer of its own, by the registry's own protocol.
    private async Task PushAsync(string repository, string tag)
    {
        using var http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
        http.DefaultRequestHeaders.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"admin:{Password}")));
        var (config, layer) = (Encoding.UTF8.GetBytes("{}"), Encoding.UTF8.GetBytes($"layer of {tag}"));
        foreach (var blob in new[] { config, layer })
        {
            using var sent = await http.PostAsync(new Uri($"/v2/{repository}/blobs/uploads/?digest={Digest.Of(blob)}", UriKind.Relative), new ByteArrayContent(blob), Ct);
            Assert.Equal(HttpStatusCode.Created, sent.StatusCode);
        }
        var manifest = $$"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
             "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{Digest.Of(config)}}","size":{{config.Length}}},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{Digest.Of(layer)}}","size":{{layer.Length}}}]}
            """;
        using var content = new StringContent(manifest);
        content.Headers.ContentType = new("application/vnd.oci.image.manifest.v1+json");
        using var put = await http.PutAsync(new Uri($"/v2/{repository}/manifests/{tag}", UriKind.Relative), content, Ct);
        Assert.Equal(HttpStatusCode.Created, put.StatusCode);
    }

    [Fact]
    public async Task Tokens_are_made_listed_and_revoked_and_stand_for_the_password()
    {
        var token = Regex.Match(await Run("token create ci --scope library:read --days 90"), @"\(shown this once\): (\S+)\n$").Groups[1].Value;
        Assert.Contains("may not push library/app: the token is limited to library:read", await Run("access explain push --project library --repository app", "admin", token), StringComparison.Ordinal);
        Assert.Matches(@"1 +ci +library:read +\d{4}-", await Run("token list"));
        Assert.Equal("token 1 revoked\n", await Run("token revoke 1"));
        Assert.Contains("answered 401", await Fail("token list", "admin", token), StringComparison.Ordinal);
        Assert.Contains("answered 404", await Fail("token revoke 1"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signing_keys_are_rotated_and_the_ones_before_stay_unless_they_are_revoked()
    {
        var before = Lines(await Run("keys list"));
        Assert.Contains("tokens are signed with key ", await Run("keys rotate"), StringComparison.Ordinal);
        Assert.Equal(before.Length + 1, Lines(await Run("keys list")).Length);
        Assert.EndsWith("all others were revoked\n", await Run("keys rotate --revoke-others"), StringComparison.Ordinal);
        Assert.Equal(2, Lines(await Run("keys list")).Length);
    }

    [Fact]
    public async Task What_is_missing_or_wrong_is_told_with_its_exit_code()
    {
        var (code, output, error) = await RunRaw(["keys", "list"], new(), "");
        Assert.Equal((2, "", "no server is given: use --server URL or $BERTH_SERVER\n"), (code, output, error));
        Assert.Equal(2, (await RunRaw(["keys", "list", "--server", "registry"], new(), "")).Code);
        Assert.Equal("no user is given: use --user NAME or $BERTH_USER\n", (await RunRaw(["keys", "list", "--server", _app.Urls.First()], new(), "")).Error);
        Assert.Equal("no password is given: use --password-stdin or $BERTH_PASSWORD\n", (await RunRaw(["keys", "list", "--server", _app.Urls.First(), "--user", "admin"], new(), "")).Error);
        var read = await RunRaw(["keys", "list", "--server", _app.Urls.First() + "/", "--user", "admin", "--password-stdin"], new(), Password + "\n");
        Assert.Equal((0, ""), (read.Code, read.Error));
        (code, output, error) = await RunRaw(["keys", "list", "--server", "http://127.0.0.1:1", "--user", "a", "--password-stdin"], new(), "secret\n");
        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("http://127.0.0.1:1 cannot be reached: ", error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error, StringComparison.Ordinal);
    }

    private static string[] Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private async Task<string> Run(string line, string user = "admin", string password = Password)
    {
        var (code, output, error) = await RunRaw(line.Split(' '), As(user, password), "");
        Assert.True(code == 0, $"{line}: {code} {error}");
        return output;
    }

    private async Task<(int Code, string Output)> Doctor(string arguments)
    {
        var (code, output, _) = await RunRaw(["doctor", .. arguments.Split(' ')], As("admin", Password), "");
        return (code, output);
    }

    private async Task<string> Fail(string line, string user = "admin", string password = Password)
    {
        var (code, output, error) = await RunRaw(line.Split(' '), As(user, password), "");
        Assert.Equal((1, ""), (code, output));
        return error;
    }

    private Dictionary<string, string> As(string user, string password) => new() { ["BERTH_SERVER"] = _app.Urls.First(), ["BERTH_USER"] = user, ["BERTH_PASSWORD"] = password };

    private static async Task<(int Code, string Output, string Error)> RunRaw(string[] args, Dictionary<string, string> variables, string input)
    {
        var (output, error) = (new StringWriter { NewLine = "\n" }, new StringWriter { NewLine = "\n" });
        var environment = new CommandEnvironment(variables, (_, _) => Task.FromResult(0)) { Input = new StringReader(input) };
        var code = await CommandLine.RunAsync(CommandLine.Berth(environment), args, output, error, Ct);
        return (code, output.ToString(), error.ToString());
    }
}
