using System.Text;
using Berth.Client.Credentials;

namespace Berth.Client.Tests.Credentials;

public sealed class DockerConfigTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("berth-docker-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("r.example.com", "a:b")]
    [InlineData("old.example.com:5000", "c:d:e")]
    [InlineData("docker.io", "hub:secret")]
    [InlineData("folder.example.com", null)]
    [InlineData("other.example.com", null)]
    public async Task Entries_are_found_by_name_by_address_and_as_Docker_Hub(string registry, string? expected)
    {
        Write($$"""
            {"auths":{"https://old.example.com:5000/v1/":{"auth":"{{Pack("c:d:e")}}"},"r.example.com":{"auth":"{{Pack("a:b")}}"},"folder.example.com/team":{"auth":"{{Pack("x:y")}}"},
            "https://index.docker.io/v1/":{"username":"hub","password":"secret"},"other.example.com":{} } }
            """);
        var found = await new DockerConfig(Variables()).FindAsync(registry, TestContext.Current.CancellationToken);
        Assert.Equal(expected, found is null ? null : $"{found.UserName}:{found.Password}");
    }

    [Fact]
    public async Task Tokens_are_told_apart_from_passwords()
    {
        Write($$"""{"auths":{"a":{"auth":"{{Pack("<token>:refresh")}}"},"b.c":{"identitytoken":"id"},"d.e":{"registrytoken":"reg"} } }""");
        var config = new DockerConfig(Variables());
        var ct = TestContext.Current.CancellationToken;
        Assert.Equal("refresh", (await config.FindAsync("a", ct))!.IdentityToken);
        Assert.Equal("id", (await config.FindAsync("b.c", ct))!.IdentityToken);
        Assert.Equal("reg", (await config.FindAsync("d.e", ct))!.RegistryToken);
        Assert.False((await config.FindAsync("a", ct))!.HasPassword);
    }

    [Fact]
    public async Task Programs_are_asked_first_the_registrys_own_before_the_one_for_all()
    {
        Program("own", """read r; echo "{\"Username\":\"own\",\"Secret\":\"$r\"}" """);
        Program("all", """read r; if [ "$r" = known.example.com ]; then echo '{"Username":"<token>","Secret":"t"}'; else echo 'credentials not found in native keychain'; exit 1; fi""");
        Program("broken", "exit 3");
        Write($$"""{"auths":{"plain.example.com":{"auth":"{{Pack("p:q")}}"} },"credsStore":"all","credHelpers":{"own.example.com":"own","docker.io":"own","broken.example.com":"broken","missing.example.com":"missing","bad.example.com":"../x"} }""");
        var config = new DockerConfig(Variables());
        var ct = TestContext.Current.CancellationToken;
        Assert.Equal(("own", "own.example.com"), Pair(await config.FindAsync("own.example.com", ct)));
        Assert.Equal(("own", "https://index.docker.io/v1/"), Pair(await config.FindAsync("docker.io", ct)));
        Assert.Equal("t", (await config.FindAsync("known.example.com", ct))!.IdentityToken);
        Assert.Equal(("p", "q"), Pair(await config.FindAsync("plain.example.com", ct)));
        foreach (var bad in new[] { "broken", "missing", "bad" })
            await Assert.ThrowsAsync<IOException>(async () => await config.FindAsync($"{bad}.example.com", ct));
    }

    [Fact]
    public async Task A_broken_file_is_named_and_a_missing_one_is_nobody()
    {
        var ct = TestContext.Current.CancellationToken;
        Assert.Null(await new DockerConfig(Variables()).FindAsync("a.b", ct));
        Assert.Null(await new DockerConfig(new Dictionary<string, string>()).FindAsync("a.b", ct));
        Write("{");
        Assert.Contains("config.json", (await Assert.ThrowsAsync<IOException>(async () => await new DockerConfig(Variables()).FindAsync("a.b", ct))).Message, StringComparison.Ordinal);
        Write("""{"auths":{"a.b":{"auth":"!!"} } }""");
        await Assert.ThrowsAsync<IOException>(async () => await new DockerConfig(Variables()).FindAsync("a.b", ct));
    }

    [Fact]
    public async Task Podmans_file_is_found_too()
    {
        var file = Path.Join(folder, "auth.json");
        await File.WriteAllTextAsync(file, $$"""{"auths":{"a.b":{"auth":"{{Pack("u:p")}}"} } }""", TestContext.Current.CancellationToken);
        Assert.Equal(("u", "p"), Pair(await new DockerConfig(new Dictionary<string, string> { ["REGISTRY_AUTH_FILE"] = file }).FindAsync("a.b", TestContext.Current.CancellationToken)));
    }

    private static (string, string) Pair(RegistryCredential? credential) => (credential!.UserName, credential.Password);

    private static string Pack(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private Dictionary<string, string> Variables() => new() { ["DOCKER_CONFIG"] = folder, ["PATH"] = $"{folder}:/usr/bin:/bin", ["HOME"] = "/nowhere" };

    private void Write(string json) => File.WriteAllText(Path.Join(folder, "config.json"), json);

    private void Program(string name, string script)
    {
        var path = Path.Join(folder, $"docker-credential-{name}");
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
