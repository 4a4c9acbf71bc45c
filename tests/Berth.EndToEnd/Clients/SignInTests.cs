using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Berth.EndToEnd.Harness;
using Berth.EndToEnd.Images;

namespace Berth.EndToEnd.Clients;

/// <summary>Each client's login against a registry that wants to know who calls. Every test has a home folder of its own, so that no login leaks into another.</summary>
public sealed class SignInTests(SignedInRegistryAndShell on, DockerEngine28 docker, ImageFixtures images)
    : IClassFixture<SignedInRegistryAndShell>, IClassFixture<DockerEngine28>, IDisposable
{
    private const string User = RegistryUnderTest.User;
    private const string Password = RegistryUnderTest.Password;
    private readonly CancellationToken ct = TestContext.Current.CancellationToken;
    private readonly ClientShell shell = new("signin") { Diagnostics = on.Registry.LogTail };

    public void Dispose() => shell.Dispose();

    [Fact]
    public async Task Skopeo_pushes_after_a_login_and_not_before()
    {
        var image = images.Small();
        await shell.MustFail("skopeo", "copy", "-q", "--dest-tls-verify=false", image.SkopeoName, on.Docker("signin/skopeo:1"));
        await shell.MustFail("skopeo", "login", "--tls-verify=false", "-u", User, "-p", "wrong", on.Address);
        await shell.Run("skopeo", "login", "--tls-verify=false", "-u", User, "-p", Password, on.Address);
        await shell.Run("skopeo", "copy", "-q", "--dest-tls-verify=false", image.SkopeoName, on.Docker("signin/skopeo:1"));
        await shell.Run("skopeo", "inspect", "--tls-verify=false", on.Docker("signin/skopeo:1"));
        await shell.Run("skopeo", "logout", on.Address);
        await shell.MustFail("skopeo", "inspect", "--tls-verify=false", on.Docker("signin/skopeo:1"));
    }

    [Fact]
    public async Task Crane_pushes_after_a_login_and_not_before()
    {
        await shell.MustFail("crane", "push", images.Small().Folder, on.Name("signin/crane:1"));
        await shell.Run("crane", "auth", "login", on.Address, "-u", User, "-p", Password);
        await shell.Run("crane", "push", images.Small().Folder, on.Name("signin/crane:1"));
        await shell.Run("crane", "cp", on.Name("signin/crane:1"), on.Name("signin/crane-copy:1"));
        await shell.Run("crane", "catalog", on.Address);
        Assert.Equal(images.Small().Digest, (await shell.Run("crane", "digest", on.Name("signin/crane-copy:1"))).Out.Trim());
    }

    [Fact]
    public async Task Oras_pushes_after_a_login_and_not_before()
    {
        shell.Write("a.txt", "a");
        await shell.MustFail("oras", "push", "--plain-http", on.Name("signin/oras:1"), "a.txt:text/plain");
        await shell.MustFail("oras", "login", "--plain-http", "-u", User, "-p", "wrong", on.Address);
        await shell.Run("oras", "login", "--plain-http", "-u", User, "-p", Password, on.Address);
        await shell.Run("oras", "push", "--plain-http", on.Name("signin/oras:1"), "a.txt:text/plain");
        await shell.Run("oras", "pull", "--plain-http", "-o", "back", on.Name("signin/oras:1"));
    }

    [Theory]
    [InlineData("helm", "--plain-http")]
    [InlineData("helm-3", "--insecure")]
    public async Task Helm_pushes_after_a_login_and_not_before(string helm, string plainHttp)
    {
        await shell.Run(helm, "create", "chart");
        await shell.Run(helm, "package", "chart");
        string[] push = ["push", "chart-0.1.0.tgz", $"oci://{on.Name($"signin-{helm}")}", "--plain-http"];
        await shell.MustFail(helm, push);
        await shell.Run(helm, "registry", "login", on.Address, "-u", User, "-p", Password, plainHttp);
        await shell.Run(helm, push);
        await shell.Run(helm, "pull", $"oci://{on.Name($"signin-{helm}/chart")}", "--version", "0.1.0", "--plain-http", "-d", shell.Folder.Folder("back"));
    }

    [Fact]
    public async Task Podman_pulls_after_a_login_and_not_before()
    {
        Programs.RequireRoot();
        await Seed("signin/podman");
        await shell.MustFail("podman", "pull", "-q", "--tls-verify=false", on.Name("signin/podman:1"));
        await shell.MustFail("podman", "login", "--tls-verify=false", "-u", User, "-p", "wrong", on.Address);
        await shell.Run("podman", "login", "--tls-verify=false", "-u", User, "-p", Password, on.Address);
        await shell.Run("podman", "pull", "-q", "--tls-verify=false", on.Name("signin/podman:1"));
        await shell.Run("podman", "push", "-q", "--tls-verify=false", on.Name("signin/podman:1"), on.Name("signin/podman:2"));
    }

    [Fact]
    public async Task Docker_pushes_after_a_login_and_not_before()
    {
        await Seed("signin/docker");
        await docker.MustFail(shell, "pull", on.Name("signin/docker:1"));
        await docker.MustFail(shell, "login", "-u", User, "-p", "wrong", on.Address);
        await docker.Run(shell, "login", "-u", User, "-p", Password, on.Address);
        await docker.Run(shell, "pull", on.Name("signin/docker:1"));
        await docker.Run(shell, "tag", on.Name("signin/docker:1"), on.Name("signin/docker-pushed:1"));
        await docker.Run(shell, "push", on.Name("signin/docker-pushed:1"));
    }

    [Fact]
    public async Task Basic_credentials_are_taken_on_every_request()
    {
        using var http = new RegistryHttp($"http://{on.Address}");
        Assert.Equal(HttpStatusCode.Unauthorized, await http.Status("/v2/", ct));
        http.SignIn(User, "wrong");
        Assert.Equal(HttpStatusCode.Unauthorized, await http.Status("/v2/", ct));
        http.SignIn(User, Password);
        Assert.Equal(HttpStatusCode.OK, await http.Status("/v2/", ct));
    }

    [Fact]
    public async Task A_token_of_the_token_service_opens_what_it_was_asked_for_and_nothing_else()
    {
        RegistryUnderTest.OnlyBerth("token service of its own");
        await Seed("signin/token");
        await Seed("signin/other");
        using var http = new HttpClient { BaseAddress = new Uri($"http://{on.Address}") };
        using var challenge = await http.GetAsync("/v2/signin/token/manifests/1", ct);
        Assert.Equal(HttpStatusCode.Unauthorized, challenge.StatusCode);
        var bearer = challenge.Headers.WwwAuthenticate.Single(header => header.Scheme == "Bearer").Parameter!;
        var asked = bearer.Split(',').Select(part => part.Split('=', 2)).ToDictionary(part => part[0].Trim(), part => part[1].Trim('"'));
        Assert.EndsWith("/service/token", asked["realm"], StringComparison.Ordinal);

        using var request = new HttpRequestMessage(HttpMethod.Get, $"{asked["realm"]}?service={asked["service"]}&scope={Uri.EscapeDataString("repository:signin/token:pull")}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}")));
        using var answer = await http.SendAsync(request, ct);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var token = JsonNode.Parse(await answer.Content.ReadAsStringAsync(ct))!["token"]!.GetValue<string>();

        Assert.Equal(HttpStatusCode.OK, await WithToken(http, HttpMethod.Get, "/v2/signin/token/manifests/1", token));
        Assert.NotEqual(HttpStatusCode.OK, await WithToken(http, HttpMethod.Get, "/v2/signin/other/manifests/1", token));
        Assert.NotEqual(HttpStatusCode.Accepted, await WithToken(http, HttpMethod.Post, "/v2/signin/token/blobs/uploads/", token));
        Assert.Equal(HttpStatusCode.Unauthorized, await WithToken(http, HttpMethod.Get, "/v2/signin/token/manifests/1", token[..^4] + "AAAA"));
    }

    private async Task<HttpStatusCode> WithToken(HttpClient http, HttpMethod method, string path, string token)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using var response = await http.SendAsync(request, ct);
        return response.StatusCode;
    }

    private async Task Seed(string repository)
    {
        using var http = new RegistryHttp($"http://{on.Address}");
        http.SignIn(User, Password);
        await http.Push(repository, "1", images.Small(), ct);
    }
}
