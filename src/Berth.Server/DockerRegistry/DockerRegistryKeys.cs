using static Berth.Server.DockerRegistry.DockerRegistryVerdict;

namespace Berth.Server.DockerRegistry;

/// <summary>What becomes of a key of Docker Registry's configuration.</summary>
public enum DockerRegistryVerdict
{
    /// <summary>Does here what it does there.</summary>
    Honoured,

    /// <summary>Accepted; what it tunes does not exist here or needs no tuning.</summary>
    NotNeeded,

    /// <summary>Ignored for now; the text says from which version on it counts.</summary>
    NotYet,

    /// <summary>Ignored; the text says what to use instead.</summary>
    NotSupported,

    /// <summary>Berth does not start with it, because data or secrets would go where nobody expects them.</summary>
    StopsStart,
}

/// <summary>One key: its path (<c>[]</c> for list items, <c>*</c> for free names), the versions that have it, the verdict and what to tell the operator.</summary>
/// <param name="Path">Dotted path in the YAML file.</param>
/// <param name="Versions"><c>2.8</c>, <c>3</c> or <c>2.8, 3</c>.</param>
/// <param name="Verdict">What becomes of it.</param>
/// <param name="Text">For an honoured key the setting of Berth, otherwise the reason.</param>
/// <param name="Group">Section under which start-up messages gather keys with the same text.</param>
public sealed record DockerRegistryKey(string Path, string Versions, DockerRegistryVerdict Verdict, string Text, string Group);

/// <summary>Every key of Docker Registry 2.8 and 3 with its verdict: the source of the mapping's messages and of the migration page.</summary>
public static class DockerRegistryKeys
{
    private const string Both = "2.8, 3";
    private const string Two = "2.8";
    private const string Three = "3";

    private const string NoCopies = "Berth lets no store copy content: an upload is written where it stays";
    private const string Oss = "OSS's own protocol is not spoken (Docker Registry 3 dropped it too); use its S3 interface: storage.s3 with regionendpoint";
    private const string Mail = "no mail is sent on log lines; alert from the JSON log or from the metrics";
    private const string Redis = "Berth needs no Redis: it keeps metadata in its own database";
    private const string Proxy = "the pull-through cache arrives in version 0.5";
    private const string Middleware = "Berth has no plug-ins in Go, and redirects to signed URLs of the object store by itself";
    private const string CloudFront = "cloudfront before storage.s3 becomes storage.cloudFront; other names are ignored, with a warning";
    private const string LetsEncrypt = "certificates are not fetched yet; use an ACME client and http.tls.certificate, Berth takes up renewed files by itself";
    private const string Reporting = "no outside error reporting (Docker Registry 3 dropped it too); use logs, metrics or OpenTelemetry";
    private const string SchemaOne = "schema 1 manifests are not served (Docker Registry 3 dropped them too)";

    private static readonly Lazy<IReadOnlyDictionary<string, DockerRegistryKey>> ByPath =
        new(() => All!.ToDictionary(key => key.Path, StringComparer.OrdinalIgnoreCase));

    /// <summary>The table, in the order of the file.</summary>
    public static IReadOnlyList<DockerRegistryKey> All { get; } =
    [
        Honour(Both, "version", "the mark by which the file is recognised; must be 0.1"),
        Honour(Both, "log.level", "log.level"),
        Honour(Both, "log.formatter", "log.format"),
        Honour(Both, "log.fields.*", "log.fields"),
        Honour(Both, "log.accesslog.disabled", "log.accessLog (the opposite)"),
        .. Rows(Three, "log", "reportcaller", NotNeeded, "log lines name their category instead of a source line"),
        .. Rows(Both, "log.hooks[]", "disabled type levels[] options.smtp.addr options.smtp.username options.smtp.password options.smtp.insecure options.from options.to[]", NotSupported, Mail),
        Honour(Both, "loglevel", "log.level, when log.level is not there"),

        Honour(Both, "storage.filesystem.rootdirectory", "storage.root; dataFolder (with the database berth.db) becomes its subfolder berth; default /var/lib/registry"),
        Honour(Both, "storage.filesystem.maxthreads", "storage.maxThreads, at least 25"),
        Honour(Both, "storage.s3.accesskey", "storage.s3.accessKey"),
        Honour(Both, "storage.s3.secretkey", "storage.s3.secretKey"),
        Honour(Both, "storage.s3.region", "storage.s3.region"),
        Honour(Both, "storage.s3.regionendpoint", "storage.s3.endpoint"),
        Honour(Both, "storage.s3.bucket", "storage.s3.bucket"),
        Honour(Both, "storage.s3.encrypt", "storage.s3.encrypt"),
        Honour(Both, "storage.s3.keyid", "storage.s3.keyId"),
        Honour(Both, "storage.s3.secure", "storage.s3.secure"),
        Honour(Both, "storage.s3.skipverify", "storage.s3.skipVerify"),
        Honour(Both, "storage.s3.chunksize", "storage.s3.partBytes; default 16 MiB"),
        Honour(Both, "storage.s3.rootdirectory", "storage.s3.rootDirectory"),
        Honour(Both, "storage.s3.storageclass", "storageClass"),
        Honour(Both, "storage.s3.objectacl", "storage.s3.objectAcl"),
        Honour(Both, "storage.s3.useragent", "storage.s3.userAgent"),
        .. Rows(Both, "storage.s3", "v4auth", NotNeeded, "requests are always signed by version 4"),
        .. Rows(Both, "storage.s3", "multipartcopychunksize multipartcopymaxconcurrency multipartcopythresholdsize", NotNeeded, NoCopies),
        Honour(Three, "storage.s3.forcepathstyle", "storage.s3.forcePathStyle"),
        Honour(Three, "storage.s3.accelerate", "storage.s3.accelerate"),
        Honour(Three, "storage.s3.usedualstack", "storage.s3.useDualStack"),
        Honour(Three, "storage.s3.usefipsendpoint", "storage.s3.useFips"),
        .. Rows(Three, "storage.s3", "loglevel", NotNeeded, "log.level counts for the store as well"),
        Honour(Both, "storage.azure.accountname", "storage.azure.accountName"),
        Honour(Both, "storage.azure.accountkey", "storage.azure.accountKey"),
        Honour(Both, "storage.azure.container", "storage.azure.container"),
        Honour(Both, "storage.azure.realm", "storage.azure.realm"),
        Honour(Three, "storage.azure.connectionstring", "storage.azure.connectionString"),
        Honour(Three, "storage.azure.credentials.type", "storage.azure.credentialsType"),
        Honour(Three, "storage.azure.credentials.clientid", "storage.azure.clientId"),
        Honour(Three, "storage.azure.credentials.tenantid", "storage.azure.tenantId"),
        Honour(Three, "storage.azure.credentials.secret", "storage.azure.clientSecret"),
        Honour(Three, "storage.azure.rootdirectory", "storage.azure.rootDirectory"),
        Honour(Three, "storage.azure.serviceurl", "storage.azure.serviceUrl"),
        Honour(Three, "storage.azure.skipverify", "storage.azure.skipVerify"),
        .. Rows(Three, "storage.azure", "max_retries retry_delay", NotNeeded, NoCopies),
        Honour(Both, "storage.gcs.bucket", "storage.gcs.bucket"),
        Honour(Both, "storage.gcs.keyfile", "storage.gcs.keyFile"),
        Honour(Both, "storage.gcs.credentials.*", "storage.gcs.credentialsJson, when keyfile is not there"),
        Honour(Both, "storage.gcs.rootdirectory", "storage.gcs.rootDirectory"),
        Honour(Both, "storage.gcs.chunksize", "storage.gcs.partBytes; default 16 MiB"),
        Honour(Both, "storage.gcs.maxconcurrency", "storage.gcs.maxConnections, at least 25; default 256"),
        Honour(Three, "storage.gcs.useragent", "storage.gcs.userAgent"),
        Honour(Two, "storage.swift.username", "storage.swift.username"),
        Honour(Two, "storage.swift.password", "storage.swift.password"),
        Honour(Two, "storage.swift.authurl", "storage.swift.authUrl"),
        Honour(Two, "storage.swift.tenant", "storage.swift.tenant"),
        Honour(Two, "storage.swift.tenantid", "storage.swift.tenantId"),
        Honour(Two, "storage.swift.domain", "storage.swift.domain"),
        Honour(Two, "storage.swift.domainid", "storage.swift.domainId"),
        Honour(Two, "storage.swift.tenantdomain", "storage.swift.tenantDomain"),
        Honour(Two, "storage.swift.tenantdomainid", "storage.swift.tenantDomainId"),
        Honour(Two, "storage.swift.trustid", "storage.swift.trustId"),
        Honour(Two, "storage.swift.region", "storage.swift.region"),
        Honour(Two, "storage.swift.authversion", "storage.swift.authVersion; 2 stops the start, since OpenStack has removed it"),
        Honour(Two, "storage.swift.container", "storage.swift.container"),
        Honour(Two, "storage.swift.prefix", "storage.swift.prefix"),
        Honour(Two, "storage.swift.endpointtype", "storage.swift.endpointType"),
        Honour(Two, "storage.swift.insecureskipverify", "storage.swift.skipVerify"),
        Honour(Two, "storage.swift.chunksize", "storage.swift.partBytes; default 20 MiB"),
        Honour(Two, "storage.swift.secretkey", "storage.swift.secretKey"),
        Honour(Two, "storage.swift.accesskey", "storage.swift.accessKey"),
        Honour(Two, "storage.swift.tempurlcontainerkey", "storage.swift.tempUrlContainerKey"),
        Honour(Two, "storage.swift.tempurlmethods[]", "storage.swift.tempUrlMethods"),
        .. Rows(Two, "storage.oss", "accesskeyid accesskeysecret bucket region endpoint internal encrypt secure chunksize rootdirectory", StopsStart, Oss),
        new("storage.inmemory", Both, StopsStart, "nothing would survive a restart; use storage.filesystem on a tmpfs", "storage.inmemory"),
        Honour(Both, "storage.delete.enabled", "registry.delete; default false"),
        Honour(Both, "storage.redirect.disable", "storage.redirect.enabled (the opposite); blobs below storage.redirect.minBytes, 1 MiB, are served by Berth"),
        .. Rows(Both, "storage.cache", "blobdescriptor layerinfo", NotNeeded, "the database answers without a cache of descriptors"),
        .. Rows(Three, "storage.cache", "blobdescriptorsize", NotNeeded, "the database answers without a cache of descriptors"),
        .. Rows(Three, "storage.tag", "concurrencylimit", NotNeeded, "tags of a manifest are found by one query"),
        Honour(Both, "storage.maintenance.uploadpurging.enabled", "registry.uploadJanitorInterval, 0 when false; default true"),
        Honour(Both, "storage.maintenance.uploadpurging.age", "registry.uploadExpiry; default 168h"),
        Honour(Both, "storage.maintenance.uploadpurging.interval", "registry.uploadJanitorInterval; default 24h"),
        Honour(Both, "storage.maintenance.uploadpurging.dryrun", "registry.uploadJanitorDryRun"),
        Honour(Both, "storage.maintenance.readonly.enabled", "registry.readOnly"),

        Honour(Both, "auth.silly.realm", "access.mode open: any credentials were accepted there"),
        Honour(Both, "auth.silly.service", "access.mode open: any credentials were accepted there"),
        Honour(Both, "auth.htpasswd.realm", "access.realm"),
        Honour(Both, "auth.htpasswd.path", "access.htpasswdFile"),
        Honour(Both, "auth.token.realm", "access.token.realm"),
        Honour(Both, "auth.token.service", "access.token.service"),
        Honour(Both, "auth.token.issuer", "access.token.issuer"),
        Honour(Both, "auth.token.rootcertbundle", "access.token.rootCertBundle"),
        Honour(Both, "auth.token.autoredirect", "access.token.autoRedirect"),
        Honour(Three, "auth.token.autoredirectpath", "access.token.autoRedirectPath; default /auth/token"),
        Honour(Three, "auth.token.jwks", "access.token.jwks"),
        Honour(Three, "auth.token.signingalgorithms[]", "access.token.signingAlgorithms"),
        Honour(Both, "auth.none", "access.mode open"),

        .. Rows(Both, "middleware", "registry[].name registry[].disabled registry[].options.* repository[].name repository[].disabled repository[].options.*", NotSupported, Middleware),
        Honour(Both, "middleware.storage[].name", CloudFront),
        Honour(Both, "middleware.storage[].disabled", CloudFront),
        Honour(Both, "middleware.storage[].options.*", "storage.cloudFront.baseUrl, privateKey, keyPairId and duration, of baseurl, privatekey, keypairid and duration; ipfilteredby is ignored, with a warning"),
        .. Rows(Two, "reporting", "bugsnag.apikey bugsnag.releasestage bugsnag.endpoint newrelic.licensekey newrelic.name newrelic.verbose", NotSupported, Reporting),

        Honour(Both, "http.addr", "http.urls"),
        Honour(Both, "http.net", "http.urls (unix:/path for unix)"),
        Honour(Both, "http.host", "http.publicUrl"),
        Honour(Both, "http.prefix", "http.prefix"),
        .. Rows(Both, "http", "secret", NotNeeded, "upload state is kept in the database, not signed and given to clients"),
        Honour(Both, "http.relativeurls", "http.relativeUrls"),
        Honour(Both, "http.draintimeout", "http.drainTimeout; default 30s"),
        Honour(Both, "http.tls.certificate", "http.tls.certificate; the address in http.urls becomes https"),
        Honour(Both, "http.tls.key", "http.tls.key"),
        Honour(Both, "http.tls.clientcas[]", "http.tls.clientCas"),
        Honour(Three, "http.tls.clientauth", "http.tls.clientAuth"),
        Honour(Both, "http.tls.minimumtls", "http.tls.minimumVersion; tls1.0 and tls1.1 become tls1.2"),
        Honour(Both, "http.tls.ciphersuites[]", "http.tls.cipherSuites; as there, left out when minimumtls is tls1.3"),
        new("http.tls.letsencrypt.cachefile", Both, StopsStart, LetsEncrypt, "http.tls.letsencrypt"),
        .. Rows(Both, "http.tls.letsencrypt", "email hosts[]", NotYet, LetsEncrypt),
        .. Rows(Three, "http.tls.letsencrypt", "directoryurl", NotYet, LetsEncrypt),
        Honour(Both, "http.headers.*[]", "http.headers"),
        Honour(Both, "http.debug.addr", "http.debugAddress (metrics and health; no expvar or pprof)"),
        Honour(Both, "http.debug.prometheus.enabled", "metrics.enabled, when http.debug.addr is set"),
        Honour(Both, "http.debug.prometheus.path", "metrics.path"),
        Honour(Both, "http.http2.disabled", "http.http2 (the opposite)"),
        Honour(Three, "http.h2c.enabled", "http.h2c"),

        Honour(Both, "notifications.events.includereferences", "notifications.includeReferences"),
        Honour(Both, "notifications.endpoints[].name", "notifications.endpoints[].name"),
        Honour(Both, "notifications.endpoints[].disabled", "notifications.endpoints[].disabled"),
        Honour(Both, "notifications.endpoints[].url", "notifications.endpoints[].url"),
        Honour(Both, "notifications.endpoints[].headers.*[]", "notifications.endpoints[].headers"),
        Honour(Both, "notifications.endpoints[].timeout", "notifications.endpoints[].timeout; default 1s"),
        Honour(Both, "notifications.endpoints[].threshold", "notifications.endpoints[].threshold; default 10"),
        Honour(Both, "notifications.endpoints[].backoff", "notifications.endpoints[].backoff; default 1s"),
        Honour(Both, "notifications.endpoints[].ignoredmediatypes[]", "notifications.endpoints[].ignoredMediaTypes"),
        Honour(Both, "notifications.endpoints[].ignore.mediatypes[]", "notifications.endpoints[].ignoredMediaTypes, added to the above"),
        Honour(Both, "notifications.endpoints[].ignore.actions[]", "notifications.endpoints[].ignoredActions"),

        .. Rows(Two, "redis", "addr pool.maxidle pool.maxactive pool.idletimeout", NotNeeded, Redis),
        .. Rows(Both, "redis", "password db dialtimeout readtimeout writetimeout", NotNeeded, Redis),
        .. Rows(Three, "redis", "addrs[] clientname protocol username sentinelusername sentinelpassword maxretries minretrybackoff maxretrybackoff contexttimeoutenabled poolfifo poolsize pooltimeout minidleconns maxidleconns maxactiveconns connmaxidletime connmaxlifetime maxredirects readonly routebylatency routerandomly mastername disableidentity identitysuffix unstableresp3 tls.certificate tls.key tls.rootcas[] tls.enabled", NotNeeded, Redis),

        Honour(Both, "health.storagedriver.enabled", "health.storageEnabled; default false"),
        Honour(Both, "health.storagedriver.interval", "health.storageInterval; default 10s"),
        Honour(Both, "health.storagedriver.threshold", "health.storageThreshold; default 1"),
        Honour(Both, "health.file[].file", "health.files[].file"),
        Honour(Both, "health.file[].interval", "health.files[].interval; default 10s"),
        Honour(Both, "health.file[].threshold", "health.files[].threshold; default 1"),
        Honour(Both, "health.http[].uri", "health.http[].uri"),
        Honour(Both, "health.http[].headers.*[]", "health.http[].headers"),
        Honour(Both, "health.http[].statuscode", "health.http[].statusCode; default 200"),
        Honour(Both, "health.http[].timeout", "health.http[].timeout; default 3s"),
        Honour(Both, "health.http[].interval", "health.http[].interval; default 10s"),
        Honour(Both, "health.http[].threshold", "health.http[].threshold; default 1"),
        Honour(Both, "health.tcp[].addr", "health.tcp[].addr"),
        Honour(Both, "health.tcp[].timeout", "health.tcp[].timeout; default 3s"),
        Honour(Both, "health.tcp[].interval", "health.tcp[].interval; default 10s"),
        Honour(Both, "health.tcp[].threshold", "health.tcp[].threshold; default 1"),

        Honour(Both, "catalog.maxentries", "registry.catalogMaxEntries; default 1000"),
        Honour(Three, "tags.maxtags", "registry.tagsMaxEntries; as in 2.8, no limit when it is not there"),

        new("proxy.remoteurl", Both, StopsStart, Proxy, "proxy"),
        .. Rows(Both, "proxy", "username password", NotYet, Proxy),
        .. Rows(Three, "proxy", "exec.command exec.lifetime ttl cachewritetimeout", NotYet, Proxy),
        .. Rows(Two, "compatibility.schema1", "enabled signingkeyfile", NotSupported, SchemaOne),

        Honour(Both, "validation.enabled", "with it, or without validation.disabled, the three below count"),
        Honour(Both, "validation.disabled", "URLs of foreign layers and children of indexes are not checked"),
        Honour(Both, "validation.manifests.urls.allow[]", "registry.manifestUrlAllow; without allow and deny no URL is accepted"),
        Honour(Both, "validation.manifests.urls.deny[]", "registry.manifestUrlDeny"),
        Honour(Three, "validation.manifests.indexes.platforms", "registry.indexPlatforms; default all"),
        Honour(Three, "validation.manifests.indexes.platformlist[].os", "registry.indexPlatformList"),
        Honour(Three, "validation.manifests.indexes.platformlist[].architecture", "registry.indexPlatformList"),
        Honour(Both, "policy.repository.classes[]", "registry.repositoryClasses"),
    ];

    /// <summary>The row of a path as it is met in a file (free names are not yet <c>*</c>), or null.</summary>
    public static DockerRegistryKey? Find(string path)
    {
        if (ByPath.Value.TryGetValue(path, out var key) || ByPath.Value.TryGetValue(path + "[]", out key))
            return key;
        return All.FirstOrDefault(candidate => candidate.Path.Contains('*', StringComparison.Ordinal) && MatchesFree(candidate.Path, path));
    }

    private static bool MatchesFree(string pattern, string path)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        return path.Length > star && path.StartsWith(pattern[..star], StringComparison.OrdinalIgnoreCase);
    }

    private static DockerRegistryKey Honour(string versions, string path, string text) => new(path, versions, Honoured, text, path);

    private static IEnumerable<DockerRegistryKey> Rows(string versions, string group, string names, DockerRegistryVerdict verdict, string text) =>
        names.Split(' ').Select(name => new DockerRegistryKey($"{group}.{name}", versions, verdict, text, group));
}
