using Berth.Server.Access;
using Berth.Server.Platform.Http;
using Berth.Server.Registry;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Tests.DockerRegistry;

public sealed class DockerRegistryFileTests : IDisposable
{
    private const string Minimal = "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: /srv/registry\nhttp:\n  addr: :5000\n";

    private readonly string file = Path.GetTempFileName();

    public void Dispose() => File.Delete(file);

    [Fact]
    public void The_smallest_configuration_behaves_as_there()
    {
        var configuration = Load(Minimal);
        var options = configuration.Options;
        Assert.Equal(["http://*:5000"], options.Http.Urls);
        Assert.Equal("/srv/registry", options.Storage.Root);
        Assert.Equal("/srv/registry/berth", options.DataFolder);
        Assert.False(options.Registry.Delete);
        Assert.Equal(AccessMode.Open, options.Access.Mode);
        Assert.False(options.Metrics.Enabled);
        Assert.False(options.Health.StorageEnabled);
        Assert.Equal(TimeSpan.FromHours(168), options.Registry.UploadExpiry);
        Assert.Equal(TimeSpan.FromHours(24), options.Registry.UploadJanitorInterval);
        Assert.Equal(["^$"], options.Registry.ManifestUrlAllow);
        Assert.Equal(1000, options.Registry.CatalogMaxEntries);
        Assert.Contains("auth: there is none, so everybody", configuration.DockerRegistry!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Debians_packaged_configuration_is_read()
    {
        var configuration = Load("""
            version: 0.1
            log:
              fields:
                service: registry
            storage:
              cache:
                blobdescriptor: inmemory
              filesystem:
                rootdirectory: /var/lib/docker-registry
              delete:
                enabled: true
            http:
              addr: :5000
              headers:
                X-Content-Type-Options: [nosniff]
            auth:
              htpasswd:
                realm: basic-realm
                path: /etc/docker/registry
            health:
              storagedriver:
                enabled: true
                interval: 10s
                threshold: 3
            """);
        Assert.True(configuration.Options.Registry.Delete);
        Assert.Equal(AccessMode.Htpasswd, configuration.Options.Access.Mode);
        Assert.Equal("basic-realm", configuration.Options.Access.Realm);
        Assert.True(configuration.Options.Health.StorageEnabled);
        Assert.Equal($"""
            {file} is a Docker Registry configuration and is used as it is
              not needed: storage.cache.blobdescriptor: the database answers without a cache of descriptors
            """, configuration.DockerRegistry!.Message);
    }

    [Fact]
    public void Variables_of_Berth_win_over_the_file_and_its_variables()
    {
        var configuration = Load(Minimal, new() { ["REGISTRY_LOG_LEVEL"] = "debug", ["BERTH_LOG__LEVEL"] = "error", ["BERTH_DATABASE__FILE"] = "/fast/berth.db" });
        Assert.Equal(LogLevel.Error, configuration.Options.Log.Level);
        Assert.Equal("/fast/berth.db", configuration.Options.Database.File);
    }

    [Fact]
    public void A_driver_may_be_named_by_a_word_and_filled_by_variables()
    {
        var options = Load("version: 0.1\nstorage: filesystem\n", new()
        {
            ["REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY"] = "/var/lib/elsewhere",
            ["REGISTRY_AUTH"] = "htpasswd",
            ["REGISTRY_AUTH_HTPASSWD_REALM"] = "Registry Realm",
            ["REGISTRY_AUTH_HTPASSWD_PATH"] = "/auth/htpasswd",
            ["REGISTRY_HTTP_ADDR"] = "0.0.0.0:5001",
            ["REGISTRY_STORAGE_DELETE_ENABLED"] = "yes",
        }).Options;
        Assert.Equal("/var/lib/elsewhere", options.Storage.Root);
        Assert.Equal("/auth/htpasswd", options.Access.HtpasswdFile);
        Assert.Equal(["http://0.0.0.0:5001"], options.Http.Urls);
        Assert.True(options.Registry.Delete);
    }

    [Fact]
    public void Values_of_variables_are_YAML()
    {
        var options = Load(Minimal, new()
        {
            ["REGISTRY_HTTP_HEADERS"] = "{Access-Control-Allow-Origin: ['*'], X-Other: [a, b]}",
            ["REGISTRY_NOTIFICATIONS_ENDPOINTS"] = "[{name: one, url: 'http://one/', timeout: 2s}]",
            ["REGISTRY_STORAGE_MAINTENANCE"] = "{readonly: {enabled: true}}",
        }).Options;
        Assert.Equal(["a", "b"], options.Http.Headers["X-Other"]);
        Assert.Equal(TimeSpan.FromSeconds(2), Assert.Single(options.Notifications.Endpoints).Timeout);
        Assert.True(options.Registry.ReadOnly);
    }

    [Fact]
    public void List_items_are_changed_and_appended_by_position()
    {
        const string yaml = Minimal + "notifications:\n  endpoints:\n    - { name: a, url: 'http://a/' }\n";
        var endpoints = Load(yaml, new()
        {
            ["REGISTRY_NOTIFICATIONS_ENDPOINTS_0_NAME"] = "first",
            ["REGISTRY_NOTIFICATIONS_ENDPOINTS_1_NAME"] = "second",
            ["REGISTRY_NOTIFICATIONS_ENDPOINTS_1_URL"] = "http://b/",
        }).Options.Notifications.Endpoints;
        Assert.Equal(["first", "second"], endpoints.Select(endpoint => endpoint.Name));
        Assert.Equal("http://a/", endpoints[0].Url);
        Assert.Contains("is not a position", Assert.Single(Problems(yaml, new() { ["REGISTRY_NOTIFICATIONS_ENDPOINTS_5_NAME"] = "x" })), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("REGISTRY_PORT", "tcp://10.0.0.1:5000")]
    [InlineData("REGISTRY_NOTIFICATIONS_EVENTS_INCLUDEREFERENCES", "true")]
    [InlineData("REGISTRY_http_ADDR", ":1")]
    [InlineData("REGISTRY_VERSION", "0.2")]
    public void Variables_that_name_no_field_are_named_and_ignored(string name, string value)
    {
        var configuration = Load(Minimal, new() { [name] = value });
        Assert.Contains(configuration.DockerRegistry!.Notices, notice => notice.Key == name && notice.Kind == "unknown");
        Assert.Equal(["http://*:5000"], configuration.Options.Http.Urls);
    }

    [Fact]
    public void The_variable_with_the_path_of_the_file_is_no_setting() =>
        Assert.DoesNotContain(Load(Minimal, new() { ["REGISTRY_CONFIGURATION_PATH"] = file }).DockerRegistry!.Notices, notice => notice.Kind == "unknown");

    [Theory]
    [InlineData("storage: { s3: { region: r } }", "storage.s3.bucket: name the bucket")]
    [InlineData("storage: { s3aws: { bucket: images, chunksize: 1000 } }", "storage.s3.partBytes: is 5 MiB to 1 GiB")]
    [InlineData("storage: { s3aws: { bucket: images }, s3: { bucket: images } }", "storage: has s3aws and s3; keep one of them")]
    [InlineData("storage: { gcs: { bucket: images, credentials: word } }", "storage.gcs.credentials: must be the entries of a key file")]
    [InlineData("storage: { swift: { authurl: 'http://s/v2.0', authversion: 2, username: u, password: p, container: c } }", "storage.swift.authVersion: is 1 or 3")]
    [InlineData("storage: { oss: { bucket: images } }", "storage.oss: OSS's own protocol is not spoken")]
    [InlineData("storage: inmemory", "storage.inmemory: nothing would survive a restart")]
    [InlineData("storage: { filesystem: {}, gcs: { bucket: b } }", "storage: has filesystem and gcs; keep one of them")]
    [InlineData("storage: { delete: { enabled: true } }", "storage: names no storage")]
    [InlineData("storage: { floppy: {} }", "storage.floppy: there is no such storage")]
    [InlineData("storage: filesystem\nproxy: { remoteurl: https://registry-1.docker.io }", "proxy.remoteurl: the pull-through cache arrives in version 0.5")]
    [InlineData("storage: filesystem\nhttp: { tls: { letsencrypt: { cachefile: /c } } }", "letsencrypt.cachefile: certificates are not fetched yet")]
    [InlineData("storage: filesystem\nauth: { htpasswd: { path: /p }, silly: {} }", "auth: has htpasswd and silly")]
    [InlineData("storage: filesystem\nauth: htpasswd", "auth.htpasswd.path: is needed")]
    [InlineData("storage: filesystem\nauth: { ldap: {} }", "auth.ldap: is not known")]
    [InlineData("storage: filesystem\nauth: { token: { realm: r, service: s, issuer: i } }", "access.token.rootCertBundle: either this or access.token.jwks is needed")]
    [InlineData("storage: filesystem\nhttp: { net: udp }", "http.net: \"udp\" must be tcp or unix")]
    [InlineData("storage: filesystem\nhttp: { addr: localhost }", "http.addr: \"localhost\" must be host:port")]
    [InlineData("storage: filesystem\nlog: { level: loud }", "log.level: \"loud\" must be error, warn, info or debug")]
    [InlineData("storage: filesystem\nstorage: s3", "storage.s3.bucket: name the bucket")]
    public void What_would_surprise_stops_the_start(string yaml, string message) =>
        Assert.Contains(Problems("version: 0.1\n" + yaml + "\n"), problem => problem.Contains(message, StringComparison.Ordinal));

    [Fact]
    public void A_bucket_is_used_as_it_is()
    {
        const string yaml = """
            version: 0.1
            storage:
              s3aws:
                region: eu-central-1
                bucket: images
                regionendpoint: minio.example.com:9000
                secure: false
                rootdirectory: /registry
                v4auth: true
              redirect:
                disable: true
            """;
        var variables = new Dictionary<string, string> { ["REGISTRY_STORAGE_S3AWS_ACCESSKEY"] = "key", ["REGISTRY_STORAGE_S3AWS_SECRETKEY"] = "secret" };
        var configuration = Load(yaml, variables);
        var (storage, s3) = (configuration.Options.Storage, configuration.Options.Storage.S3!);
        Assert.Null(storage.Root);
        Assert.False(storage.Redirect.Enabled);
        Assert.Equal(("images", "eu-central-1", "minio.example.com:9000", false, "/registry"), (s3.Bucket, s3.Region, s3.Endpoint, s3.Secure, s3.RootDirectory));
        Assert.Equal(("key", "secret"), (s3.AccessKey, s3.SecretKey));
        Assert.Equal("/var/lib/registry/berth", configuration.Options.DataFolder);
        Assert.Contains("not needed: storage.s3.v4auth: ", configuration.DockerRegistry!.Message, StringComparison.Ordinal);
        Assert.Contains("warning: storage.s3: blobs are in the object store, but tags and manifests are in the database", configuration.DockerRegistry.Message, StringComparison.Ordinal);
        variables["BERTH_DATAFOLDER"] = "/srv/berth";
        Assert.DoesNotContain(Load(yaml, variables).DockerRegistry!.Notices, notice => notice.Text.Contains("berth.db", StringComparison.Ordinal));
    }

    [Fact]
    public void CloudFront_before_a_bucket_goes_on_signing_and_other_middleware_is_named()
    {
        const string bucket = "version: 0.1\nstorage:\n  s3:\n    region: eu-central-1\n    bucket: images\n";
        var middleware = $"""
            middleware:
              storage:
                - name: redirect
                  options:
                    baseurl: https://cache.example.com
                - name: cloudfront
                  options:
                    baseurl: https://d111111abcdef8.cloudfront.net/
                    privatekey: {file}
                    keypairid: APKAEXAMPLE
                    duration: 3000s
                    ipfilteredby: aws
            """;
        // The file is the configuration and, as nothing reads it yet, the private key.
        var configuration = Load(bucket + middleware);
        var cloudFront = configuration.Options.Storage.CloudFront!;
        Assert.Equal(("https://d111111abcdef8.cloudfront.net/", file, "APKAEXAMPLE", TimeSpan.FromSeconds(3000)), (cloudFront.BaseUrl, cloudFront.PrivateKey, cloudFront.KeyPairId, cloudFront.Duration));
        Assert.Contains("warning: middleware.storage[0]: the middleware \"redirect\" is ignored", configuration.DockerRegistry!.Message, StringComparison.Ordinal);
        Assert.Contains("warning: middleware.storage[1].options.ipfilteredby: ", configuration.DockerRegistry.Message, StringComparison.Ordinal);
        Assert.Null(Load(bucket + middleware.Replace("name: cloudfront", "name: cloudfront\n      disabled: true", StringComparison.Ordinal)).Options.Storage.CloudFront);

        var folder = Load(Minimal + middleware);
        Assert.Null(folder.Options.Storage.CloudFront);
        Assert.Contains("the middleware cloudfront is ignored, as there", folder.DockerRegistry!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_container_of_Swift_is_named_by_variables_alone()
    {
        var swift = Load("version: 0.1\nstorage: swift\n", new()
        {
            ["REGISTRY_STORAGE_SWIFT_AUTHURL"] = "https://keystone.example.com/v3",
            ["REGISTRY_STORAGE_SWIFT_USERNAME"] = "registry",
            ["REGISTRY_STORAGE_SWIFT_PASSWORD"] = "secret",
            ["REGISTRY_STORAGE_SWIFT_CONTAINER"] = "images",
            ["REGISTRY_STORAGE_SWIFT_INSECURESKIPVERIFY"] = "true",
            ["REGISTRY_STORAGE_SWIFT_TEMPURLMETHODS"] = "[GET, HEAD]",
        }).Options.Storage.Swift!;
        Assert.Equal(("registry", "secret", "images", true), (swift.Username, swift.Password, swift.Container, swift.SkipVerify));
        Assert.Equal(["GET", "HEAD"], swift.TempUrlMethods);
    }

    [Fact]
    public void Credentials_of_Google_become_a_key_file()
    {
        var gcs = Load("""
            version: 0.1
            storage:
              gcs:
                bucket: images
                maxconcurrency: 5
                credentials: { type: service_account, project_id: p, private_key: "a\nb" }
            """).Options.Storage.Gcs!;
        Assert.Equal("""{"type":"service_account","project_id":"p","private_key":"a\nb"}""", gcs.CredentialsJson);
        Assert.Equal(25, gcs.MaxConnections);
    }

    [Fact]
    public void An_unknown_version_stops_the_start() =>
        Assert.Contains("0.2 is not known", Problems("version: 0.2\nstorage: filesystem\n")[0], StringComparison.Ordinal);

    [Theory]
    [InlineData(":5000", "http://*:5000")]
    [InlineData("localhost:5000", "http://localhost:5000")]
    [InlineData("[::1]:5000", "http://[::1]:5000")]
    [InlineData(":http", "http://*:80")]
    public void Addresses_are_read_as_Go_reads_them(string address, string url) =>
        Assert.Equal([url], Load($"version: 0.1\nstorage: filesystem\nhttp:\n  addr: '{address}'\n").Options.Http.Urls);

    [Fact]
    public void A_unix_socket_and_TLS_are_mapped()
    {
        Assert.Equal(["unix:/run/r.sock"], Load("version: 0.1\nstorage: filesystem\nhttp: { net: unix, addr: /run/r.sock }\n").Options.Http.Urls);
        var http = Load($$"""
            version: 0.1
            storage: filesystem
            http:
              addr: :443
              tls: { certificate: {{file}}, key: {{file}}, clientcas: [{{file}}], clientauth: request-client-cert, minimumtls: tls1.0 }
            """).Options.Http;
        Assert.Equal(["https://*:443"], http.Urls);
        Assert.Equal(ClientCertificateMode.Request, http.Tls.ClientAuth);
        Assert.Equal("tls1.2", http.Tls.MinimumVersion);
    }

    [Fact]
    public void Validation_off_lets_sparse_indexes_and_foreign_layers_in()
    {
        var registry = Load(Minimal + "validation: { disabled: true }\n").Options.Registry;
        Assert.Empty(registry.ManifestUrlAllow);
        Assert.Equal(IndexPlatforms.None, registry.IndexPlatforms);
    }

    [Fact]
    public void Durations_without_a_unit_are_nanoseconds_and_said_so()
    {
        var configuration = Load(Minimal + "health: { storagedriver: { enabled: true, interval: 20000000 } }\n");
        Assert.Equal(TimeSpan.FromMilliseconds(20), configuration.Options.Health.StorageInterval);
        Assert.Contains("means nanoseconds", configuration.DockerRegistry!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Keys_that_Docker_Registry_does_not_know_are_named_with_the_nearest()
    {
        var notice = Assert.Single(Load(Minimal + "catalog: { maxentires: 5 }\n").DockerRegistry!.Notices, notice => notice.Kind == "unknown");
        Assert.Equal("catalog.maxentires", notice.Key);
        Assert.Contains("did you mean \"catalog.maxentries\"?", notice.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_remember_the_line_of_the_file()
    {
        var row = Load(Minimal).Settings().Single(row => row.Key == "storage.root");
        Assert.Equal($"{file}:4", row.Origin.Text);
    }

    [Fact]
    public void The_registry_commands_refuse_a_file_without_the_version()
    {
        File.WriteAllText(file, "http: {}\n");
        Assert.Null(BerthConfiguration.Load(new ConfigurationSources { File = file, RequireDockerRegistryFile = true }, out var problems));
        Assert.Contains("this command takes a Docker Registry configuration", problems[0].Message, StringComparison.Ordinal);
    }

    private BerthConfiguration Load(string yaml, Dictionary<string, string>? environment = null)
    {
        File.WriteAllText(file, yaml);
        var configuration = BerthConfiguration.Load(new ConfigurationSources { File = file, Environment = environment ?? [] }, out var problems);
        Assert.Empty(problems);
        return configuration!;
    }

    private IReadOnlyList<string> Problems(string yaml, Dictionary<string, string>? environment = null)
    {
        File.WriteAllText(file, yaml);
        Assert.Null(BerthConfiguration.Load(new ConfigurationSources { File = file, Environment = environment ?? [] }, out var problems));
        return problems.Select(problem => problem.ToString()).ToArray();
    }
}
