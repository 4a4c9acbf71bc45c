using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.Platform.Options;

public sealed class BerthConfigurationTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("berth-config-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Without_any_source_the_defaults_are_in_force()
    {
        var configuration = Load("");
        Assert.Equal(["http://localhost:5000"], configuration.Options.Http.Urls);
        Assert.All(configuration.Settings(), row => Assert.Equal("default", row.Origin.Text));
    }

    [Fact]
    public void Flags_win_over_variables_and_variables_over_the_file()
    {
        const string yaml = "dataFolder: /file\nlog:\n  level: debug\nregistry:\n  delete: false\n";
        var configuration = Load(yaml, new() { ["BERTH_DATAFOLDER"] = "/variable", ["BERTH_LOG__LEVEL"] = "warn" }, ("dataFolder", "--data", ["/flag"]));
        Assert.Equal("/flag", configuration.Options.DataFolder);
        Assert.Equal(LogLevel.Warning, configuration.Options.Log.Level);
        Assert.False(configuration.Options.Registry.Delete);
        var origins = configuration.Settings().ToDictionary(row => row.Key, row => row.Origin.Text);
        Assert.Equal("flag --data", origins["dataFolder"]);
        Assert.Equal("environment BERTH_LOG__LEVEL", origins["log.level"]);
        Assert.Equal($"{YamlFile}:5", origins["registry.delete"]);
        Assert.Equal("default", origins["registry.readOnly"]);
    }

    [Fact]
    public void Every_kind_of_value_is_bound()
    {
        var options = Load("""
            HTTP:
              urls: [http://*:5000, unix:/run/berth.sock]
              headers: { X-Content-Type-Options: [nosniff], X-One: one }
              drainTimeout: 1m30s
              http2: off
            registry:
              maxBlobBytes: 4GB
              chunkMinBytes: 5MiB
              catalogMaxEntries: 500
            access: { mode: open }
            log: { fields: { service: registry } }
            tracing: { sampleRatio: 0.25 }
            health:
              http:
                - uri: http://localhost/
                  statusCode: 204
            """).Options;
        Assert.Equal(["http://*:5000", "unix:/run/berth.sock"], options.Http.Urls);
        Assert.Equal(["nosniff"], options.Http.Headers["x-content-type-options"]);
        Assert.Equal(["one"], options.Http.Headers["X-One"]);
        Assert.Equal(TimeSpan.FromSeconds(90), options.Http.DrainTimeout);
        Assert.False(options.Http.Http2);
        Assert.Equal(4_000_000_000, options.Registry.MaxBlobBytes);
        Assert.Equal(5 << 20, options.Registry.ChunkMinBytes);
        Assert.Equal(500, options.Registry.CatalogMaxEntries);
        Assert.Equal(AccessMode.Open, options.Access.Mode);
        Assert.Equal("registry", options.Log.Fields["service"]);
        Assert.Equal(0.25, options.Tracing.SampleRatio);
        Assert.Equal(204, Assert.Single(options.Health.Http).StatusCode);
    }

    [Fact]
    public void Variables_reach_into_lists_maps_and_records()
    {
        var options = Load(
            "http:\n  urls: [http://a:1]\n",
            new()
            {
                ["BERTH_HTTP__URLS__0"] = "http://b:2",
                ["BERTH_HTTP__URLS__1"] = "http://c:3",
                ["BERTH_LOG__FIELDS__region"] = "eu",
                ["BERTH_HTTP__TRUSTEDPROXIES"] = "[10.0.0.0/8, 192.168.0.1]",
                ["BERTH_NOTIFICATIONS__ENDPOINTS__0__NAME"] = "ci",
                ["BERTH_NOTIFICATIONS__ENDPOINTS__0__URL"] = "http://ci/",
                ["BERTH_NOTIFICATIONS__ENDPOINTS__0__HEADERS__Authorization"] = "Bearer x",
            }).Options;
        Assert.Equal(["http://b:2", "http://c:3"], options.Http.Urls);
        Assert.Equal("eu", options.Log.Fields["region"]);
        Assert.Equal(["10.0.0.0/8", "192.168.0.1"], options.Http.TrustedProxies);
        var endpoint = Assert.Single(options.Notifications.Endpoints);
        Assert.Equal(["Bearer x"], endpoint.Headers["Authorization"]);
    }

    [Fact]
    public void More_than_ten_list_items_keep_their_order()
    {
        var variables = Enumerable.Range(0, 12).ToDictionary(i => $"BERTH_HTTP__URLS__{i}", i => $"http://h:{i + 1}");
        Assert.Equal(variables.Values, Load("", variables).Options.Http.Urls);
    }

    [Theory]
    [InlineData("BERTH_DATABASE__CONNECTIONSTRING_FILE", "")]
    [InlineData("", "connectionStringFile")]
    public void Secrets_are_read_from_files_and_never_shown(string variable, string key)
    {
        var secret = Path.Combine(folder, "secret");
        File.WriteAllText(secret, "Host=db;Password=hunter2\n");
        var yaml = "database:\n  kind: postgres\n" + (key.Length == 0 ? "" : $"  {key}: {secret}\n");
        var configuration = Load(yaml, variable.Length == 0 ? [] : new() { [variable] = secret });
        Assert.Equal(DatabaseKind.Postgres, configuration.Options.Database.Kind);
        Assert.Equal("Host=db;Password=hunter2", configuration.Options.Database.ConnectionString);
        var row = configuration.Settings().Single(row => row.Key == "database.connectionString");
        Assert.Equal("********", row.Value);
        Assert.NotEqual("default", row.Origin.Text);
    }

    [Fact]
    public void All_problems_are_reported_at_once_with_file_and_line()
    {
        var problems = Problems("""
            htttp:
              urls: []
            registry:
              catalogMaxEntires: 5
              maxBlobBytes: lots
              uploadExpiry: 30
            htpasswdFile: /etc/htpasswd
            http:
              urls: [ftp://x]
              tls: { minimumVersion: ssl3 }
            access:
              mode: htpassword
            """);
        Assert.Equal(
            [
                $"{YamlFile}:2: htttp: there is no such setting; did you mean \"http\"?",
                $"{YamlFile}:4: registry.catalogMaxEntires: there is no such setting; did you mean \"registry.catalogMaxEntries\"?",
                $"{YamlFile}:5: registry.maxBlobBytes: \"lots\" must be a size such as 512MiB, 4GB or 1024",
                $"{YamlFile}:6: registry.uploadExpiry: \"30\" must be a duration such as 30s, 5m, 24h or 7d",
                $"{YamlFile}:7: htpasswdFile: there is no such setting; did you mean \"access.htpasswdFile\"?",
                $"{YamlFile}:12: access.mode: \"htpassword\" must be one of local, htpasswd, token, open",
                $"{YamlFile}:9: http.urls[0]: \"ftp://x\" must be http://host:port, https://host:port or unix:/path",
                $"{YamlFile}:10: http.tls.minimumVersion: \"ssl3\" must be tls1.2 or tls1.3",
            ],
            problems);
    }

    [Fact]
    public void An_unknown_variable_names_the_nearest_setting()
    {
        var problem = Assert.Single(Problems("", new() { ["BERTH_HTTP__URL"] = "http://x:1" }));
        Assert.Equal("environment BERTH_HTTP__URL: http.URL: there is no such setting; did you mean \"http.urls\"?", problem);
    }

    [Theory]
    [InlineData("BERTH_PORT", "tcp://10.0.0.1:5000")]
    [InlineData("BERTH_SERVICE_HOST", "10.0.0.1")]
    [InlineData("BERTH_PORT_5000_TCP_ADDR", "10.0.0.1")]
    [InlineData("BERTH_ADMIN_PASSWORD", "secret")]
    public void Variables_that_Kubernetes_or_the_first_start_use_are_no_settings(string name, string value) =>
        Assert.NotNull(Load("", new() { [name] = value }));

    [Theory]
    [InlineData("BERTH_DATA")]
    [InlineData("BERTH_DATA_FOLDER")]
    [InlineData("BERTH_DATAFOLDR")]
    public void A_variable_that_is_nearly_a_setting_is_refused(string name) =>
        Assert.Contains("did you mean \"data", Assert.Single(Problems("", new() { [name] = "/x" })), StringComparison.Ordinal);

    [Theory]
    [InlineData("a: [1", "not valid YAML")]
    [InlineData("http:\n  urls: [a]\nhttp: {}\n", "is there twice")]
    [InlineData("- a\n- b\n", "must hold sections")]
    [InlineData("a: *nobody\n", "is not defined")]
    [InlineData("--- \na: 1\n---\nb: 2\n", "more than one document")]
    public void Broken_files_are_refused_with_their_line(string yaml, string part)
    {
        var problem = Assert.Single(Problems(yaml), text => text.Contains(part, StringComparison.OrdinalIgnoreCase));
        Assert.StartsWith(YamlFile + ":", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bomb_of_aliases_is_refused()
    {
        var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
            $"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));
        Assert.Contains(Problems(yaml), problem => problem.Contains("too many values", StringComparison.Ordinal));
    }

    [Fact]
    public void Aliases_and_merges_are_followed()
    {
        var options = Load("""
            notifications:
              endpoints:
                - &first { name: a, url: "http://a/", timeout: 5s }
                - <<: *first
                  name: b
            """).Options;
        Assert.Equal(["a", "b"], options.Notifications.Endpoints.Select(endpoint => endpoint.Name));
        Assert.Equal(TimeSpan.FromSeconds(5), options.Notifications.Endpoints[1].Timeout);
    }

    [Fact]
    public void A_missing_file_is_a_problem_when_it_was_named()
    {
        var path = Path.Combine(folder, "nowhere.yaml");
        Assert.Null(BerthConfiguration.Load(new ConfigurationSources { File = path }, out var problems));
        Assert.Equal($"the configuration file {path} does not exist", Assert.Single(problems).ToString());
    }

    [Fact]
    public void Https_needs_a_certificate_that_exists()
    {
        Assert.Contains(Problems("http: { urls: [https://x:443] }"), problem => problem.Contains("http.tls.certificate: is needed", StringComparison.Ordinal));
        Assert.Contains(Problems("http: { tls: { certificate: /nowhere.pem, key: /nowhere.key } }"), problem => problem.Contains("does not exist", StringComparison.Ordinal));
    }

    private string YamlFile => Path.Combine(folder, "berth.yaml");

    private BerthConfiguration Load(string yaml, Dictionary<string, string>? environment = null, params (string, string, IReadOnlyList<string>)[] flags)
    {
        File.WriteAllText(YamlFile, yaml);
        var configuration = BerthConfiguration.Load(new ConfigurationSources { File = YamlFile, Environment = environment ?? [], Flags = flags }, out var problems);
        Assert.Empty(problems);
        return configuration!;
    }

    private IReadOnlyList<string> Problems(string yaml, Dictionary<string, string>? environment = null)
    {
        File.WriteAllText(YamlFile, yaml);
        Assert.Null(BerthConfiguration.Load(new ConfigurationSources { File = YamlFile, Environment = environment ?? [] }, out var problems));
        return problems.Select(problem => problem.ToString()).ToArray();
    }
}
