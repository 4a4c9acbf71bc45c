using System.Text;
using Berth.Server.DockerRegistry;
using Berth.Server.Platform.Options;

namespace Berth.Server.Tests.DockerRegistry;

/// <summary>Walks the whole inventory of keys: nothing of Docker Registry's configuration is dropped in silence.</summary>
public sealed class DockerRegistryKeysTests : IDisposable
{
    private const string Base = """
        version: 0.1
        storage: { filesystem: { rootdirectory: /r } }
        http: { addr: ":5000", debug: { addr: "localhost:5001" } }
        health: { file: [{ file: /f }], http: [{ uri: http://h/ }], tcp: [{ addr: "h:1" }] }
        notifications: { endpoints: [{ name: n, url: http://n/ }] }
        validation: { manifests: { indexes: { platforms: list, platformlist: [{ os: linux, architecture: amd64 }] } } }
        """;

    private const string Htpasswd = "REGISTRY_AUTH={htpasswd: {realm: r, path: /p}}";
    private const string Silly = "REGISTRY_AUTH={silly: {realm: r, service: s}}";
    private const string Token = "REGISTRY_AUTH={token: {realm: r, service: s, issuer: i, jwks: PEM}}";
    private const string S3 = "REGISTRY_STORAGE={s3: {bucket: images}}";
    private const string Azure = "REGISTRY_STORAGE={azure: {container: images, accountname: account}}";
    private const string Gcs = "REGISTRY_STORAGE={gcs: {bucket: images}}";
    private const string Swift = "REGISTRY_STORAGE={swift: {authurl: 'http://swift/auth/v1.0', username: u, password: p, container: images}}";
    private const string CloudFront = S3 + ";REGISTRY_MIDDLEWARE={storage: [{name: cloudfront, options: {baseurl: 'https://d1.cloudfront.net', privatekey: PEM, keypairid: K}}]}";
    private const string Tls = "REGISTRY_HTTP_TLS={certificate: PEM, key: PEM}";

    private readonly string file = Path.GetTempFileName();

    // Key, variable that sets it to something else, variables that set the stage.
    public static TheoryData<string, string, string> Honoured => new()
    {
        { "log.level", "REGISTRY_LOG_LEVEL=debug", "" },
        { "log.formatter", "REGISTRY_LOG_FORMATTER=logstash", "" },
        { "log.fields.*", "REGISTRY_LOG_FIELDS_SERVICE=registry", "" },
        { "log.accesslog.disabled", "REGISTRY_LOG_ACCESSLOG_DISABLED=true", "" },
        { "loglevel", "REGISTRY_LOGLEVEL=error", "" },
        { "storage.filesystem.rootdirectory", "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/elsewhere", "" },
        { "storage.filesystem.maxthreads", "REGISTRY_STORAGE_FILESYSTEM_MAXTHREADS=50", "" },
        { "storage.s3.accesskey", "REGISTRY_STORAGE_S3_ACCESSKEY=a;REGISTRY_STORAGE_S3_SECRETKEY=s", S3 },
        { "storage.s3.secretkey", "REGISTRY_STORAGE_S3_SECRETKEY=s;REGISTRY_STORAGE_S3_ACCESSKEY=a", S3 },
        { "storage.s3.region", "REGISTRY_STORAGE_S3_REGION=eu-west-1", S3 },
        { "storage.s3.regionendpoint", "REGISTRY_STORAGE_S3_REGIONENDPOINT=http://127.0.0.1:9000", S3 },
        { "storage.s3.bucket", "REGISTRY_STORAGE_S3_BUCKET=other", S3 },
        { "storage.s3.encrypt", "REGISTRY_STORAGE_S3_ENCRYPT=true", S3 },
        { "storage.s3.keyid", "REGISTRY_STORAGE_S3_KEYID=key;REGISTRY_STORAGE_S3_ENCRYPT=true", S3 },
        { "storage.s3.secure", "REGISTRY_STORAGE_S3_SECURE=false", S3 },
        { "storage.s3.skipverify", "REGISTRY_STORAGE_S3_SKIPVERIFY=true", S3 },
        { "storage.s3.chunksize", "REGISTRY_STORAGE_S3_CHUNKSIZE=5242880", S3 },
        { "storage.s3.rootdirectory", "REGISTRY_STORAGE_S3_ROOTDIRECTORY=/registry", S3 },
        { "storage.s3.storageclass", "REGISTRY_STORAGE_S3_STORAGECLASS=STANDARD_IA", S3 },
        { "storage.s3.objectacl", "REGISTRY_STORAGE_S3_OBJECTACL=bucket-owner-full-control", S3 },
        { "storage.s3.useragent", "REGISTRY_STORAGE_S3_USERAGENT=docker", S3 },
        { "storage.s3.forcepathstyle", "REGISTRY_STORAGE_S3_FORCEPATHSTYLE=true", S3 },
        { "storage.s3.accelerate", "REGISTRY_STORAGE_S3_ACCELERATE=true", S3 },
        { "storage.s3.usedualstack", "REGISTRY_STORAGE_S3_USEDUALSTACK=true", S3 },
        { "storage.s3.usefipsendpoint", "REGISTRY_STORAGE_S3_USEFIPSENDPOINT=true", S3 },
        { "storage.azure.accountname", "REGISTRY_STORAGE_AZURE_ACCOUNTNAME=other", Azure },
        { "storage.azure.accountkey", "REGISTRY_STORAGE_AZURE_ACCOUNTKEY=a2V5", Azure },
        { "storage.azure.container", "REGISTRY_STORAGE_AZURE_CONTAINER=other", Azure },
        { "storage.azure.realm", "REGISTRY_STORAGE_AZURE_REALM=core.chinacloudapi.cn", Azure },
        { "storage.azure.connectionstring", "REGISTRY_STORAGE_AZURE_CONNECTIONSTRING=DefaultEndpointsProtocol=httpsSEMIAccountName=aSEMIAccountKey=a2V5", Azure },
        { "storage.azure.credentials.type", "REGISTRY_STORAGE_AZURE_CREDENTIALS_TYPE=managed_identity", Azure },
        { "storage.azure.credentials.clientid", "REGISTRY_STORAGE_AZURE_CREDENTIALS_CLIENTID=c", Azure },
        { "storage.azure.credentials.tenantid", "REGISTRY_STORAGE_AZURE_CREDENTIALS_TENANTID=t", Azure },
        { "storage.azure.credentials.secret", "REGISTRY_STORAGE_AZURE_CREDENTIALS_SECRET=s;REGISTRY_STORAGE_AZURE_CREDENTIALS_TENANTID=t;REGISTRY_STORAGE_AZURE_CREDENTIALS_CLIENTID=c", Azure },
        { "storage.azure.rootdirectory", "REGISTRY_STORAGE_AZURE_ROOTDIRECTORY=/registry", Azure },
        { "storage.azure.serviceurl", "REGISTRY_STORAGE_AZURE_SERVICEURL=http://127.0.0.1:10000/account", Azure },
        { "storage.azure.skipverify", "REGISTRY_STORAGE_AZURE_SKIPVERIFY=true", Azure },
        { "storage.gcs.bucket", "REGISTRY_STORAGE_GCS_BUCKET=other", Gcs },
        { "storage.gcs.keyfile", "REGISTRY_STORAGE_GCS_KEYFILE=PEM", Gcs },
        { "storage.gcs.credentials.*", "REGISTRY_STORAGE_GCS_CREDENTIALS={type: service_account}", Gcs },
        { "storage.gcs.rootdirectory", "REGISTRY_STORAGE_GCS_ROOTDIRECTORY=/registry", Gcs },
        { "storage.gcs.chunksize", "REGISTRY_STORAGE_GCS_CHUNKSIZE=5242880", Gcs },
        { "storage.gcs.maxconcurrency", "REGISTRY_STORAGE_GCS_MAXCONCURRENCY=50", Gcs },
        { "storage.gcs.useragent", "REGISTRY_STORAGE_GCS_USERAGENT=docker", Gcs },
        { "storage.swift.username", "REGISTRY_STORAGE_SWIFT_USERNAME=other", Swift },
        { "storage.swift.password", "REGISTRY_STORAGE_SWIFT_PASSWORD=p;REGISTRY_STORAGE_SWIFT_USERNAME=other", Swift },
        { "storage.swift.authurl", "REGISTRY_STORAGE_SWIFT_AUTHURL=http://other/v3", Swift },
        { "storage.swift.tenant", "REGISTRY_STORAGE_SWIFT_TENANT=t", Swift },
        { "storage.swift.tenantid", "REGISTRY_STORAGE_SWIFT_TENANTID=t", Swift },
        { "storage.swift.domain", "REGISTRY_STORAGE_SWIFT_DOMAIN=d", Swift },
        { "storage.swift.domainid", "REGISTRY_STORAGE_SWIFT_DOMAINID=d", Swift },
        { "storage.swift.tenantdomain", "REGISTRY_STORAGE_SWIFT_TENANTDOMAIN=d", Swift },
        { "storage.swift.tenantdomainid", "REGISTRY_STORAGE_SWIFT_TENANTDOMAINID=d", Swift },
        { "storage.swift.trustid", "REGISTRY_STORAGE_SWIFT_TRUSTID=t", Swift },
        { "storage.swift.region", "REGISTRY_STORAGE_SWIFT_REGION=r", Swift },
        { "storage.swift.authversion", "REGISTRY_STORAGE_SWIFT_AUTHVERSION=1", Swift },
        { "storage.swift.container", "REGISTRY_STORAGE_SWIFT_CONTAINER=other", Swift },
        { "storage.swift.prefix", "REGISTRY_STORAGE_SWIFT_PREFIX=p", Swift },
        { "storage.swift.endpointtype", "REGISTRY_STORAGE_SWIFT_ENDPOINTTYPE=internal", Swift },
        { "storage.swift.insecureskipverify", "REGISTRY_STORAGE_SWIFT_INSECURESKIPVERIFY=true", Swift },
        { "storage.swift.chunksize", "REGISTRY_STORAGE_SWIFT_CHUNKSIZE=5242880", Swift },
        { "storage.swift.secretkey", "REGISTRY_STORAGE_SWIFT_SECRETKEY=s", Swift },
        { "storage.swift.accesskey", "REGISTRY_STORAGE_SWIFT_ACCESSKEY=a", Swift },
        { "storage.swift.tempurlcontainerkey", "REGISTRY_STORAGE_SWIFT_TEMPURLCONTAINERKEY=false", Swift },
        { "storage.swift.tempurlmethods[]", "REGISTRY_STORAGE_SWIFT_TEMPURLMETHODS=[GET, HEAD]", Swift },
        { "storage.delete.enabled", "REGISTRY_STORAGE_DELETE_ENABLED=true", "" },
        { "storage.redirect.disable", "REGISTRY_STORAGE_REDIRECT_DISABLE=true", S3 },
        { "storage.maintenance.uploadpurging.enabled", "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_ENABLED=false", "" },
        { "storage.maintenance.uploadpurging.age", "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE=48h", "" },
        { "storage.maintenance.uploadpurging.interval", "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_INTERVAL=2h", "" },
        { "storage.maintenance.uploadpurging.dryrun", "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_DRYRUN=true", "" },
        { "storage.maintenance.readonly.enabled", "REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED=true", "" },
        { "auth.silly.realm", "REGISTRY_AUTH_SILLY_REALM=other", Silly },
        { "auth.silly.service", "REGISTRY_AUTH_SILLY_SERVICE=other", Silly },
        { "auth.htpasswd.realm", "REGISTRY_AUTH_HTPASSWD_REALM=other", Htpasswd },
        { "auth.htpasswd.path", "REGISTRY_AUTH_HTPASSWD_PATH=/other", Htpasswd },
        { "auth.token.realm", "REGISTRY_AUTH_TOKEN_REALM=other", Token },
        { "auth.token.service", "REGISTRY_AUTH_TOKEN_SERVICE=other", Token },
        { "auth.token.issuer", "REGISTRY_AUTH_TOKEN_ISSUER=other", Token },
        { "auth.token.rootcertbundle", "REGISTRY_AUTH_TOKEN_ROOTCERTBUNDLE=PEM", Token },
        { "auth.token.autoredirect", "REGISTRY_AUTH_TOKEN_AUTOREDIRECT=true", Token },
        { "auth.token.autoredirectpath", "REGISTRY_AUTH_TOKEN_AUTOREDIRECTPATH=/t", Token },
        { "auth.token.jwks", "REGISTRY_AUTH_TOKEN_JWKS=PEM", "REGISTRY_AUTH={token: {realm: r, service: s, issuer: i, rootcertbundle: PEM}}" },
        { "auth.token.signingalgorithms[]", "REGISTRY_AUTH_TOKEN_SIGNINGALGORITHMS=[ES256]", Token },
        { "auth.none", "REGISTRY_AUTH=none", Htpasswd },
        { "middleware.storage[].name", "REGISTRY_MIDDLEWARE_STORAGE_0_NAME=other", CloudFront },
        { "middleware.storage[].disabled", "REGISTRY_MIDDLEWARE_STORAGE_0_DISABLED=true", CloudFront },
        { "middleware.storage[].options.*", "REGISTRY_MIDDLEWARE_STORAGE_0_OPTIONS={baseurl: 'https://d2.cloudfront.net', privatekey: PEM, keypairid: K}", CloudFront },
        { "http.addr", "REGISTRY_HTTP_ADDR=localhost:5000", "" },
        { "http.net", "REGISTRY_HTTP_NET=unix;REGISTRY_HTTP_ADDR=/run/r", "" },
        { "http.host", "REGISTRY_HTTP_HOST=https://registry.example.com", "" },
        { "http.prefix", "REGISTRY_HTTP_PREFIX=/nested/", "" },
        { "http.relativeurls", "REGISTRY_HTTP_RELATIVEURLS=true", "" },
        { "http.draintimeout", "REGISTRY_HTTP_DRAINTIMEOUT=60s", "" },
        { "http.tls.certificate", "REGISTRY_HTTP_TLS_CERTIFICATE=PEM", "REGISTRY_HTTP_TLS_KEY=PEM" },
        { "http.tls.key", "REGISTRY_HTTP_TLS_KEY=PEM", "" },
        { "http.tls.clientcas[]", "REGISTRY_HTTP_TLS_CLIENTCAS_0=PEM", Tls },
        { "http.tls.clientauth", "REGISTRY_HTTP_TLS_CLIENTAUTH=verify-client-cert-if-given", Tls },
        { "http.tls.minimumtls", "REGISTRY_HTTP_TLS_MINIMUMTLS=tls1.3", Tls },
        { "http.tls.ciphersuites[]", "REGISTRY_HTTP_TLS_CIPHERSUITES=[TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]", Tls },
        { "http.headers.*[]", "REGISTRY_HTTP_HEADERS_X-CONTENT-TYPE-OPTIONS=[nosniff]", "" },
        { "http.debug.addr", "REGISTRY_HTTP_DEBUG_ADDR=:5002", "" },
        { "http.debug.prometheus.enabled", "REGISTRY_HTTP_DEBUG_PROMETHEUS_ENABLED=true", "" },
        { "http.debug.prometheus.path", "REGISTRY_HTTP_DEBUG_PROMETHEUS_PATH=/m", "" },
        { "http.http2.disabled", "REGISTRY_HTTP_HTTP2_DISABLED=true", "" },
        { "http.h2c.enabled", "REGISTRY_HTTP_H2C_ENABLED=true", "" },
        { "notifications.events.includereferences", "REGISTRY_NOTIFICATIONS_EVENTCONFIG_INCLUDEREFERENCES=true", "" },
        { "notifications.endpoints[].name", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_NAME=other", "" },
        { "notifications.endpoints[].disabled", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_DISABLED=true", "" },
        { "notifications.endpoints[].url", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_URL=http://other/", "" },
        { "notifications.endpoints[].headers.*[]", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_HEADERS={Authorization: [Bearer x]}", "" },
        { "notifications.endpoints[].timeout", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_TIMEOUT=5s", "" },
        { "notifications.endpoints[].threshold", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_THRESHOLD=3", "" },
        { "notifications.endpoints[].backoff", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_BACKOFF=5s", "" },
        { "notifications.endpoints[].ignoredmediatypes[]", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_IGNOREDMEDIATYPES=[a/b]", "" },
        { "notifications.endpoints[].ignore.mediatypes[]", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_IGNORE_MEDIATYPES=[a/b]", "" },
        { "notifications.endpoints[].ignore.actions[]", "REGISTRY_NOTIFICATIONS_ENDPOINTS_0_IGNORE_ACTIONS=[pull]", "" },
        { "health.storagedriver.enabled", "REGISTRY_HEALTH_STORAGEDRIVER_ENABLED=true", "" },
        { "health.storagedriver.interval", "REGISTRY_HEALTH_STORAGEDRIVER_INTERVAL=20s", "" },
        { "health.storagedriver.threshold", "REGISTRY_HEALTH_STORAGEDRIVER_THRESHOLD=5", "" },
        { "health.file[].file", "REGISTRY_HEALTH_FILECHECKERS_0_FILE=/other", "" },
        { "health.file[].interval", "REGISTRY_HEALTH_FILECHECKERS_0_INTERVAL=20s", "" },
        { "health.file[].threshold", "REGISTRY_HEALTH_FILECHECKERS_0_THRESHOLD=5", "" },
        { "health.http[].uri", "REGISTRY_HEALTH_HTTPCHECKERS_0_URI=http://other/", "" },
        { "health.http[].headers.*[]", "REGISTRY_HEALTH_HTTPCHECKERS_0_HEADERS={A: [b]}", "" },
        { "health.http[].statuscode", "REGISTRY_HEALTH_HTTPCHECKERS_0_STATUSCODE=204", "" },
        { "health.http[].timeout", "REGISTRY_HEALTH_HTTPCHECKERS_0_TIMEOUT=5s", "" },
        { "health.http[].interval", "REGISTRY_HEALTH_HTTPCHECKERS_0_INTERVAL=20s", "" },
        { "health.http[].threshold", "REGISTRY_HEALTH_HTTPCHECKERS_0_THRESHOLD=5", "" },
        { "health.tcp[].addr", "REGISTRY_HEALTH_TCPCHECKERS_0_ADDR=other:1", "" },
        { "health.tcp[].timeout", "REGISTRY_HEALTH_TCPCHECKERS_0_TIMEOUT=5s", "" },
        { "health.tcp[].interval", "REGISTRY_HEALTH_TCPCHECKERS_0_INTERVAL=20s", "" },
        { "health.tcp[].threshold", "REGISTRY_HEALTH_TCPCHECKERS_0_THRESHOLD=5", "" },
        { "catalog.maxentries", "REGISTRY_CATALOG_MAXENTRIES=50", "" },
        { "tags.maxtags", "REGISTRY_TAGS_MAXTAGS=50", "" },
        { "validation.enabled", "REGISTRY_VALIDATION_ENABLED=true", "REGISTRY_VALIDATION_DISABLED=true" },
        { "validation.disabled", "REGISTRY_VALIDATION_DISABLED=true", "" },
        { "validation.manifests.urls.allow[]", "REGISTRY_VALIDATION_MANIFESTS_URLS_ALLOW=['^https://a/']", "" },
        { "validation.manifests.urls.deny[]", "REGISTRY_VALIDATION_MANIFESTS_URLS_DENY=['^https://a/']", "" },
        { "validation.manifests.indexes.platforms", "REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMS=None", "" },
        { "validation.manifests.indexes.platformlist[].os", "REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMLIST_0_OS=windows", "" },
        { "validation.manifests.indexes.platformlist[].architecture", "REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMLIST_0_ARCHITECTURE=arm64", "" },
        { "policy.repository.classes[]", "REGISTRY_POLICY_REPOSITORY_CLASSES=[image]", "" },
    };

    public void Dispose() => File.Delete(file);

    [Theory]
    [InlineData("2.8", "keys-2.8.txt")]
    [InlineData("3", "keys-3.txt")]
    public void The_table_has_exactly_the_keys_of_each_version(string version, string inventory)
    {
        var there = File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "DockerRegistry", inventory));
        var here = DockerRegistryKeys.All.Where(key => key.Versions.Split(", ").Contains(version)).Select(key => key.Path);
        // The one key that the documentation of version 3 shows and its program does not have.
        Assert.Equal(there.Order(StringComparer.Ordinal), here.Where(key => key != "redis.tls.enabled").Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Each_honoured_key_has_a_case_below() =>
        Assert.Equal(
            DockerRegistryKeys.All.Where(key => key.Verdict == DockerRegistryVerdict.Honoured).Select(key => key.Path).Where(key => key != "version"),
            Honoured.Select(row => row.Data.Item1));

    [Theory]
    [MemberData(nameof(Honoured))]
    public void Setting_an_honoured_key_changes_the_settings(string key, string change, string stage)
    {
        var stageOnly = Load(Variables(stage));
        var both = Load(Variables(stage + ";" + change));
        Assert.False(stageOnly.SequenceEqual(both), $"{key} changed nothing");
        var expected = DockerRegistryEnvironment.VariableOf(key);
        if (expected is not null && !key.EndsWith("[]", StringComparison.Ordinal) && key != "auth.none")
            Assert.StartsWith(expected + "=", change, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_other_key_is_named_with_its_reason()
    {
        foreach (var key in DockerRegistryKeys.All.Where(key => key.Verdict != DockerRegistryVerdict.Honoured))
        {
            var problems = new ConfigProblems();
            var yaml = Yaml(key.Path.Replace("*", "name", StringComparison.Ordinal));
            var root = (ConfigMap)YamlTree.Read($"version: 0.1\n{yaml}", line => ConfigOrigin.File("c", line), problems)!;
            var (_, report) = DockerRegistryFile.Map(root, "c", new Dictionary<string, string>(), problems);
            if (key.Verdict == DockerRegistryVerdict.StopsStart)
                Assert.Contains(problems.Items, problem => key.Path.StartsWith(problem.Key, StringComparison.Ordinal) && problem.Message.StartsWith(key.Text, StringComparison.Ordinal));
            else
                Assert.Contains(report.Notices, notice => notice.Key == key.Path.Replace("*", "name", StringComparison.Ordinal).TrimEnd('[', ']') && notice.Text == key.Text);
        }
    }

    [Fact]
    public void The_page_on_migrating_lists_every_key()
    {
        var table = new StringBuilder("| Key of config.yml | In version | In Berth | |\n| --- | --- | --- | --- |\n");
        foreach (var key in DockerRegistryKeys.All)
            table.Append($"| `{key.Path}` | {key.Versions} | {Words(key.Verdict)} | {key.Text} |\n");
        Approval.VerifyPart(table.ToString(), "docs/migrating-from-docker-registry.md", "keys");
    }

    private static string Words(DockerRegistryVerdict verdict) => verdict switch
    {
        DockerRegistryVerdict.Honoured => "honoured",
        DockerRegistryVerdict.NotNeeded => "not needed",
        DockerRegistryVerdict.NotYet => "not yet",
        DockerRegistryVerdict.NotSupported => "not supported",
        _ => "**stops the start**",
    };

    private static string Yaml(string path)
    {
        var (text, indent) = (new StringBuilder(), "");
        foreach (var segment in path.Split('.'))
        {
            var isItem = segment.EndsWith("[]", StringComparison.Ordinal);
            text.Append(text.Length == 0 || text[^1] == ' ' ? "" : "\n" + indent).Append(isItem ? segment[..^2] : segment).Append(':');
            indent += "  ";
            if (isItem)
            {
                text.Append('\n').Append(indent).Append("- ");
                indent += "  ";
            }
        }
        return text.Append(" sample\n").ToString().Replace("-  sample", "- sample", StringComparison.Ordinal);
    }

    private Dictionary<string, string> Variables(string assignments) => assignments.Split(';', StringSplitOptions.RemoveEmptyEntries)
        .Select(assignment => assignment.Split('=', 2)).Aggregate(new Dictionary<string, string>(), (all, pair) =>
        {
            all[pair[0]] = pair[1].Replace("PEM", file, StringComparison.Ordinal).Replace("SEMI", ";", StringComparison.Ordinal);
            return all;
        });

    private IReadOnlyList<string> Load(Dictionary<string, string> environment)
    {
        File.WriteAllText(file, Base);
        var configuration = BerthConfiguration.Load(new ConfigurationSources { File = file, Environment = environment }, out var problems);
        Assert.Empty(problems);
        return configuration!.Settings().Select(row => $"{row.Key}: {row.Value}").ToArray();
    }
}
