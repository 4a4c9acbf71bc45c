using System.Net;
using System.Net.Mail;
using System.Net.Security;
using System.Text.RegularExpressions;
using Berth.Scanner.Advisories.Updates;
using Berth.Server.Access;
using Berth.Server.Audit;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Berth.Server.Platform.Jobs;
using Berth.Server.Platform.Options;
using Berth.Server.Platform.Settings;
using Berth.Server.Platform.Storage;
using Berth.Server.Registry;
using Berth.Server.Scanning.Scanners;
using Berth.Server.Scanning.Updates;
using Berth.Server.Trash;

namespace Berth.Server;

/// <summary>What must hold between and within settings before a server starts. Everything wrong is reported together.</summary>
internal sealed class BerthOptionsRules
{
    private readonly ConfigMap tree;
    private readonly ConfigProblems problems;

    private BerthOptionsRules(ConfigMap tree, ConfigProblems problems)
    {
        this.tree = tree;
        this.problems = problems;
    }

    public static void Check(BerthOptions options, ConfigMap tree, ConfigProblems problems)
    {
        var rules = new BerthOptionsRules(tree, problems);
        if (string.IsNullOrWhiteSpace(options.DataFolder))
            rules.Add("dataFolder", "must name a folder");
        rules.CheckHttp(options.Http);
        rules.CheckTls(options.Http);
        rules.CheckData(options);
        rules.CheckRegistry(options.Registry);
        rules.CheckGarbage(options.Gc);
        rules.CheckTrash(options.Trash);
        rules.AtLeast("lifecycle.expiryNotice", options.Lifecycle.ExpiryNotice, TimeSpan.Zero);
        rules.AtLeast("scrub.bytesPerSecond", options.Scrub.BytesPerSecond, 0);
        rules.AtLeast("scrub.interval", options.Scrub.Interval, TimeSpan.FromMinutes(1));
        rules.CheckAdvisories(options.Advisories);
        rules.CheckAccess(options.Access);
        rules.CheckIdentity(options);
        rules.CheckNotifications(options);
        rules.CheckJobs(options.Jobs);
        rules.CheckWebhooks(options);
        rules.CheckScanners(options.Scanners);
        rules.CheckHealth(options);
        rules.CheckTelemetry(options);
        rules.CheckSettings(options.Settings);
        rules.CheckAudit(options.Audit);
    }

    /// <summary>True when the text is an address that a server can listen on: <c>http(s)://host[:port]</c> or <c>unix:/path</c>.</summary>
    internal static bool IsListenAddress(string url)
    {
        if (url.StartsWith("unix:", StringComparison.OrdinalIgnoreCase))
            return url.Length > 6 && url[5] == '/';
        var plain = url.Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal);
        return Uri.TryCreate(plain, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.PathAndQuery == "/" && uri.UserInfo.Length == 0;
    }

    private void CheckHttp(HttpOptions http)
    {
        if (http.Urls.Count == 0)
            Add("http.urls", "must name at least one address such as http://localhost:5000");
        for (var i = 0; i < http.Urls.Count; i++)
        {
            if (!IsListenAddress(http.Urls[i]))
                Add($"http.urls[{i}]", $"\"{http.Urls[i]}\" must be http://host:port, https://host:port or unix:/path", "http.urls");
        }
        if (http.PublicUrl is { Length: > 0 } url && !IsWebAddress(url))
            Add("http.publicUrl", $"\"{url}\" must be an address such as https://registry.example.com");
        if (http.Prefix.Length > 0 && (http.Prefix[0] != '/' || http.Prefix.EndsWith('/') || http.Prefix.AsSpan().IndexOfAny("?#% ") >= 0))
            Add("http.prefix", $"\"{http.Prefix}\" must start with a slash and not end with one, such as /registry");
        for (var i = 0; i < http.TrustedProxies.Count; i++)
        {
            if (!IPAddress.TryParse(http.TrustedProxies[i], out _) && !IPNetwork.TryParse(http.TrustedProxies[i], out _))
                Add($"http.trustedProxies[{i}]", $"\"{http.TrustedProxies[i]}\" must be an address or a network such as 10.0.0.0/8", "http.trustedProxies");
        }
        AtLeast("http.drainTimeout", http.DrainTimeout, TimeSpan.Zero);
        AtLeast("http.minBodyBytesPerSecond", http.MinBodyBytesPerSecond, 0);
        AtLeast("http.maxConnections", http.MaxConnections, 1);
        if (http.DebugAddress is { Length: > 0 } debug && !IsListenAddress($"http://{debug}"))
            Add("http.debugAddress", $"\"{debug}\" must be host:port, such as localhost:5001");
    }

    private void CheckTls(HttpOptions http)
    {
        var tls = http.Tls;
        var hasCertificate = !string.IsNullOrEmpty(tls.Certificate);
        if (!hasCertificate && http.Urls.Any(url => url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)))
            Add("http.tls.certificate", "is needed for the https address in http.urls; name a PEM file");
        if (hasCertificate && string.IsNullOrEmpty(tls.Key))
            Add("http.tls.key", "is needed beside http.tls.certificate; name the PEM file of the private key");
        FileExists("http.tls.certificate", tls.Certificate);
        FileExists("http.tls.key", tls.Key);
        for (var i = 0; i < tls.ClientCas.Count; i++)
            FileExists($"http.tls.clientCas[{i}]", tls.ClientCas[i]);
        if (tls.MinimumVersion is not ("tls1.2" or "tls1.3"))
            Add("http.tls.minimumVersion", $"\"{tls.MinimumVersion}\" must be tls1.2 or tls1.3");
        for (var i = 0; i < tls.CipherSuites.Count; i++)
        {
            if (!Enum.TryParse<TlsCipherSuite>(tls.CipherSuites[i], out _))
                Add($"http.tls.cipherSuites[{i}]", $"\"{tls.CipherSuites[i]}\" is not the IANA name of a cipher suite", "http.tls.cipherSuites");
        }
    }

    private void CheckData(BerthOptions options)
    {
        if (options.Database.Kind == DatabaseKind.Postgres && string.IsNullOrEmpty(options.Database.ConnectionString))
            Add("database.connectionString", "is needed for postgres, such as Host=db;Database=berth;Username=berth");
        if (options.Database.Kind == DatabaseKind.Sqlite && !string.IsNullOrEmpty(options.Database.ConnectionString))
            Add("database.connectionString", "belongs to postgres; set database.kind to postgres or remove it");
        AtLeast("database.maxReaders", options.Database.MaxReaders, 1);
        AtLeast("storage.minFreeBytes", options.Storage.MinFreeBytes, 0);
        AtLeast("storage.maxThreads", options.Storage.MaxThreads, 0);
        AtLeast("storage.uploadMemoryBytes", options.Storage.UploadMemoryBytes, 16L << 20);
        StoreRules.Check(options.Storage, Add);
    }

    private void CheckGarbage(GarbageOptions gc)
    {
        AtLeast("gc.delay", gc.Delay, TimeSpan.FromSeconds(1));
        AtLeast("gc.interval", gc.Interval, TimeSpan.FromMilliseconds(100));
        AtLeast("gc.batchSize", gc.BatchSize, 1);
        AtLeast("gc.untaggedDays", gc.UntaggedDays, -1);
    }

    private void CheckTrash(TrashOptions trash)
    {
        AtLeast("trash.days", trash.Days, 0);
        if (trash.Days > TrashWindow.MaxDays) Add("trash.days", $"must be at most {TrashWindow.MaxDays}");
    }

    private void CheckAdvisories(AdvisoryOptions advisories)
    {
        for (var i = 0; i < advisories.Sources.Count; i++)
        {
            if (!AdvisorySource.TryParse(advisories.Sources[i], out _, out var wrong)) Add($"advisories.sources[{i}]", wrong, "advisories.sources");
        }
        for (var i = 0; i < advisories.Keys.Count; i++)
        {
            if (!File.Exists(advisories.Keys[i])) Add($"advisories.keys[{i}]", $"there is no file {advisories.Keys[i]}", "advisories.keys");
        }
        if (!CronExpression.TryParse(advisories.Schedule, out _, out var problem)) Add("advisories.schedule", problem);
        if (string.IsNullOrEmpty(advisories.Username) != string.IsNullOrEmpty(advisories.Password)) Add("advisories.username", "must be set together with advisories.password");
        AtLeast("advisories.warnAfter", advisories.WarnAfter, TimeSpan.FromMinutes(1));
    }

    private void CheckRegistry(RegistryOptions registry)
    {
        AtLeast("registry.maxManifestBytes", registry.MaxManifestBytes, 1024);
        AtLeast("registry.maxBlobBytes", registry.MaxBlobBytes, 1);
        AtLeast("registry.chunkMinBytes", registry.ChunkMinBytes, 0);
        AtLeast("registry.maxUploadsPerCaller", registry.MaxUploadsPerCaller, 1);
        AtLeast("registry.uploadExpiry", registry.UploadExpiry, TimeSpan.FromSeconds(1));
        AtLeast("registry.uploadJanitorInterval", registry.UploadJanitorInterval, TimeSpan.Zero);
        AtLeast("registry.catalogMaxEntries", registry.CatalogMaxEntries, 1);
        AtLeast("registry.catalogDefaultEntries", registry.CatalogDefaultEntries, 1);
        if (registry.CatalogDefaultEntries > registry.CatalogMaxEntries)
            Add("registry.catalogDefaultEntries", $"must not be more than registry.catalogMaxEntries ({registry.CatalogMaxEntries})");
        AtLeast("registry.tagsMaxEntries", registry.TagsMaxEntries, 0);
        AtLeast("registry.referrersMaxEntries", registry.ReferrersMaxEntries, 1);
        AtLeast("registry.maxTagsPerPut", registry.MaxTagsPerPut, 1);
        AtLeast("registry.contentCacheBytes", registry.ContentCacheBytes, 0);
        AtLeast("registry.requestsPerSecond", registry.RequestsPerSecond, 0);
        AtLeast("registry.pullsPerMinutePerCaller", registry.PullsPerMinutePerCaller, 0);
        AtLeast("registry.pushesPerMinutePerCaller", registry.PushesPerMinutePerCaller, 0);
        AtLeast("registry.pullsPerMinute", registry.PullsPerMinute, 0);
        AtLeast("registry.pushesPerMinute", registry.PushesPerMinute, 0);
        Expressions("registry.manifestUrlAllow", registry.ManifestUrlAllow);
        Expressions("registry.manifestUrlDeny", registry.ManifestUrlDeny);
        if (registry.IndexPlatforms == IndexPlatforms.List && registry.IndexPlatformList.Count == 0)
            Add("registry.indexPlatformList", "must name platforms such as linux/amd64 when registry.indexPlatforms is list");
        for (var i = 0; i < registry.IndexPlatformList.Count; i++)
        {
            if (registry.IndexPlatformList[i].Split('/') is not [{ Length: > 0 }, { Length: > 0 }, ..])
                Add($"registry.indexPlatformList[{i}]", $"\"{registry.IndexPlatformList[i]}\" must be os/architecture, such as linux/amd64", "registry.indexPlatformList");
        }
    }

    private void CheckAccess(AccessOptions access)
    {
        if (string.IsNullOrWhiteSpace(access.RobotNamePrefix) || access.RobotNamePrefix.Contains(':') || access.RobotNamePrefix.Any(char.IsControl))
            Add("access.robotNamePrefix", "must not be empty and must not hold a colon: robots sign in with it");
        if (access.SigningKeyLifetime < TimeSpan.Zero)
            Add("access.signingKeyLifetime", "must be 0, which never makes another key, or more");
        if (access.Mode == AccessMode.Htpasswd && string.IsNullOrEmpty(access.HtpasswdFile))
            Add("access.htpasswdFile", "is needed when access.mode is htpasswd");
        if (access.Mode == AccessMode.Token)
        {
            Needed("access.token.realm", access.Token.Realm, "the address of the token server");
            Needed("access.token.service", access.Token.Service, "the name of this registry in tokens");
            Needed("access.token.issuer", access.Token.Issuer, "the issuer that tokens name");
            if (string.IsNullOrEmpty(access.Token.RootCertBundle) && string.IsNullOrEmpty(access.Token.Jwks))
                Add("access.token.rootCertBundle", "either this or access.token.jwks is needed: the keys that tokens are signed with");
            FileExists("access.token.rootCertBundle", access.Token.RootCertBundle);
            FileExists("access.token.jwks", access.Token.Jwks);
        }
        AtLeast("access.tokenLifetime", access.TokenLifetime, TimeSpan.FromSeconds(60));
        AtLeast("access.refreshTokenLifetime", access.RefreshTokenLifetime, TimeSpan.FromSeconds(60));
        AtLeast("access.credentialCacheTime", access.CredentialCacheTime, TimeSpan.Zero);
        AtLeast("access.failuresBeforeDelay", access.FailuresBeforeDelay, 1);
        AtLeast("access.maxFailureDelay", access.MaxFailureDelay, TimeSpan.Zero);
    }

    private void CheckIdentity(BerthOptions options)
    {
        foreach (var (key, message) in options.Identity.Check(options.Http.Tls.ClientCas)) Add(key, message);
        var isUsed = options.Identity.Ldap.IsConfigured || options.Identity.Oidc.Count > 0 || options.Identity.ProxyHeader.IsConfigured || options.Identity.ClientCertificate.Enabled;
        if (isUsed && options.Access.Mode != AccessMode.Local)
            Add("identity", "works with access.mode local only: remove the section, or the mode");
    }

    private void CheckNotifications(BerthOptions options)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < options.Notifications.Endpoints.Count; i++)
        {
            var endpoint = options.Notifications.Endpoints[i];
            var key = $"notifications.endpoints[{i}]";
            if (endpoint.Name.Length == 0)
                Add($"{key}.name", "is needed; deliveries are kept under it", key);
            else if (!names.Add(endpoint.Name))
                Add($"{key}.name", $"\"{endpoint.Name}\" is the name of another endpoint; names must differ");
            if (!endpoint.Disabled && !IsWebAddress(endpoint.Url))
                Add($"{key}.url", $"\"{endpoint.Url}\" must be an http or https address", key);
            AtLeast($"{key}.timeout", endpoint.Timeout, TimeSpan.FromMilliseconds(1));
            AtLeast($"{key}.threshold", endpoint.Threshold, 1);
            AtLeast($"{key}.backoff", endpoint.Backoff, TimeSpan.FromMilliseconds(1));
        }
    }

    private void CheckSettings(SettingsOptions settings)
    {
        foreach (var (name, text) in settings.Fixed)
        {
            if (RuntimeSettingTable.Find(name) is not { } setting)
                Add($"settings.fixed.{name}", $"there is no such setting; did you mean \"{NearestKey.Find(name, RuntimeSettingTable.All.Select(s => s.Name))}\"?");
            else if (setting.Check(text) is { } problem)
                Add($"settings.fixed.{name}", problem);
        }
    }

    private void CheckAudit(AuditOptions audit)
    {
        AtLeast("audit.pullFlushInterval", audit.PullFlushInterval, TimeSpan.FromMilliseconds(10));
        AtLeast("audit.forwardBatch", audit.ForwardBatch, 1);
        AtLeast("audit.forwardTimeout", audit.ForwardTimeout, TimeSpan.FromMilliseconds(100));
        if (audit.ForwardTo is { Length: > 0 } target && AuditTarget.TryParse(target) is null)
            Add("audit.forwardTo", $"\"{target}\" must be host:port, syslog://host:port, syslog+tls://host:port or an http or https address");
        FileExists("audit.forwardCa", audit.ForwardCa);
    }

    private void CheckJobs(JobOptions jobs)
    {
        AtLeast("jobs.maxConcurrent", jobs.MaxConcurrent, 1);
        AtLeast("jobs.keepFinished", jobs.KeepFinished, TimeSpan.Zero);
        AtLeast("jobs.maxFinished", jobs.MaxFinished, 0);
    }

    private void CheckWebhooks(BerthOptions options)
    {
        var (webhooks, smtp) = (options.Webhooks, options.Webhooks.Smtp);
        AtLeast("webhooks.maxAttempts", webhooks.MaxAttempts, 1);
        AtLeast("webhooks.timeout", webhooks.Timeout, TimeSpan.FromMilliseconds(1));
        AtLeast("webhooks.maxConcurrent", webhooks.MaxConcurrent, 1);
        if (smtp.Host.Length > 0 && !MailAddress.TryCreate(smtp.From, out _))
            Add("webhooks.smtp.from", $"\"{smtp.From}\" must be the address that mails come from, such as berth@example.com");
        if (smtp.Port is < 1 or > 65535)
            Add("webhooks.smtp.port", "must be a port, 1 to 65535");
        CheckAllowed("outgoing.allow", options.Outgoing.Allow);
    }

    private void CheckScanners(ScannersOptions scanners)
    {
        var api = scanners.Api;
        CheckAllowed("scanners.allow", scanners.Allow);
        CheckAllowed("scanners.api.allow", api.Allow);
        AtLeast("scanners.timeout", scanners.Timeout, TimeSpan.FromMilliseconds(100));
        AtLeast("scanners.maxDuration", scanners.MaxDuration, TimeSpan.FromSeconds(1));
        AtLeast("scanners.maxConcurrent", scanners.MaxConcurrent, 1);
        AtLeast("scanners.maxReportBytes", scanners.MaxReportBytes, 1024);
        AtLeast("scanners.api.maxImageBytes", api.MaxImageBytes, 1);
        AtLeast("scanners.api.maxWaiting", api.MaxWaiting, 1);
        AtLeast("scanners.api.maxConcurrent", api.MaxConcurrent, 1);
        AtLeast("scanners.api.timeout", api.Timeout, TimeSpan.FromSeconds(1));
        AtLeast("scanners.api.keepReports", api.KeepReports, TimeSpan.FromMinutes(1));
        if (scanners.InternalUrl is { Length: > 0 } url && !(Uri.TryCreate(url, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"))
            Add("scanners.internalUrl", $"\"{url}\" must be an address such as http://berth:5000");
        if (api.Username.Length > 0 != api.Password.Length > 0)
            Add("scanners.api.password", "user name and password go together");
        if (api.Enabled && api.ApiKey.Length == 0 && api.Username.Length == 0)
            Add("scanners.api.enabled", "the scanner API needs scanners.api.apiKey, or scanners.api.username and scanners.api.password: it is open to nobody without");
    }

    private void CheckAllowed(string key, IReadOnlyList<string> allow)
    {
        for (var i = 0; i < allow.Count; i++)
        {
            if (!OutgoingGuard.IsAllowEntry(allow[i]))
                Add($"{key}[{i}]", $"\"{allow[i]}\" must be a host name, an address or a network such as 10.1.0.0/16", key);
        }
    }

    private void CheckHealth(BerthOptions options)
    {
        var health = options.Health;
        CheckProbe("health.storage", "Interval", health.StorageInterval, "Threshold", health.StorageThreshold);
        for (var i = 0; i < health.Files.Count; i++)
        {
            Needed($"health.files[{i}].file", health.Files[i].File, "the path to look at");
            CheckProbe($"health.files[{i}].", "interval", health.Files[i].Interval, "threshold", health.Files[i].Threshold);
        }
        for (var i = 0; i < health.Http.Count; i++)
        {
            if (!IsWebAddress(health.Http[i].Uri))
                Add($"health.http[{i}].uri", $"\"{health.Http[i].Uri}\" must be an http or https address", $"health.http[{i}]");
            CheckProbe($"health.http[{i}].", "interval", health.Http[i].Interval, "threshold", health.Http[i].Threshold);
            AtLeast($"health.http[{i}].timeout", health.Http[i].Timeout, TimeSpan.FromMilliseconds(1));
        }
        for (var i = 0; i < health.Tcp.Count; i++)
        {
            if (!IsListenAddress($"http://{health.Tcp[i].Addr}"))
                Add($"health.tcp[{i}].addr", $"\"{health.Tcp[i].Addr}\" must be host:port", $"health.tcp[{i}]");
            CheckProbe($"health.tcp[{i}].", "interval", health.Tcp[i].Interval, "threshold", health.Tcp[i].Threshold);
            AtLeast($"health.tcp[{i}].timeout", health.Tcp[i].Timeout, TimeSpan.FromMilliseconds(1));
        }
    }

    private void CheckProbe(string prefix, string intervalKey, TimeSpan interval, string thresholdKey, int threshold)
    {
        AtLeast(prefix + intervalKey, interval, TimeSpan.FromMilliseconds(10));
        AtLeast(prefix + thresholdKey, threshold, 1);
    }

    private void CheckTelemetry(BerthOptions options)
    {
        if (!options.Metrics.Path.StartsWith('/') || options.Metrics.Path.Length < 2)
            Add("metrics.path", $"\"{options.Metrics.Path}\" must be a path such as /metrics");
        if (options.Tracing.OtlpEndpoint is { Length: > 0 } endpoint && !IsWebAddress(endpoint))
            Add("tracing.otlpEndpoint", $"\"{endpoint}\" must be an address such as http://localhost:4318");
        if (options.Tracing.SampleRatio is not (>= 0 and <= 1))
            Add("tracing.sampleRatio", "must be between 0 and 1");
        AtLeast("log.slowQuery", options.Log.SlowQuery, TimeSpan.Zero);
        AtLeast("log.slowStorage", options.Log.SlowStorage, TimeSpan.Zero);
        AtLeast("metrics.maxProjects", options.Metrics.MaxProjects, 0);
    }

    private void Expressions(string key, IReadOnlyList<string> expressions)
    {
        for (var i = 0; i < expressions.Count; i++)
        {
            try
            {
                _ = new Regex(expressions[i], RegexOptions.CultureInvariant);
            }
            catch (ArgumentException)
            {
                Add($"{key}[{i}]", $"\"{expressions[i]}\" is not a regular expression", key);
            }
        }
    }

    private void FileExists(string key, string? path)
    {
        if (!string.IsNullOrEmpty(path) && !File.Exists(path))
            Add(key, $"the file {path} does not exist or cannot be seen by this user");
    }

    private void Needed(string key, string? value, string what)
    {
        if (string.IsNullOrEmpty(value))
            Add(key, $"is needed: {what}");
    }

    private void AtLeast(string key, long value, long least)
    {
        if (value < least)
            Add(key, $"must be at least {least}");
    }

    private void AtLeast(string key, TimeSpan value, TimeSpan least)
    {
        if (value < least)
            Add(key, $"must be at least {ConfigText.Duration(least)}");
    }

    private static bool IsWebAddress(string text) => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0;

    private void Add(string key, string message, string? originKey = null)
    {
        var origin = tree.Find(key)?.Origin ?? (originKey is null ? null : tree.Find(originKey)?.Origin) ?? ConfigOrigin.Default;
        problems.Add(key, origin, message);
    }
}
