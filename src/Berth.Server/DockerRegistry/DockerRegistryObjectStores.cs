using System.Text.Json.Nodes;
using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>Blocks <c>s3</c>, <c>azure</c>, <c>gcs</c> and <c>swift</c> of section <c>storage</c>: the same buckets and containers, below the same prefix.</summary>
internal static class DockerRegistryObjectStores
{
    /// <summary>Fewest connections to Google; a smaller number is raised to it, as there.</summary>
    private const int MinGcsConcurrency = 25;

    private static readonly string[] Drivers = ["s3", "azure", "gcs", "swift"];

    /// <summary>True for the name of a block that becomes an object store of Berth.</summary>
    public static bool Knows(string driver) => Drivers.Contains(driver, StringComparer.OrdinalIgnoreCase);

    /// <summary>The block that is there, or null.</summary>
    public static string? Of(DockerRegistryReader reader) => Drivers.FirstOrDefault(driver => reader.Section("storage")?.Contains(driver) == true);

    /// <summary>Gives the driver's second name, <c>s3aws</c>, its first one, unless both are there.</summary>
    public static void RenameAlias(ConfigMap root)
    {
        if (root["storage"] is not ConfigMap storage || storage["s3aws"] is null || storage.Contains("s3"))
            return;
        var renamed = new ConfigMap(storage.Origin);
        foreach (var (key, value) in storage.Entries)
            renamed.Set(string.Equals(key, "s3aws", StringComparison.OrdinalIgnoreCase) ? "s3" : key, value);
        root.Set("storage", renamed);
    }

    public static void Map(DockerRegistryReader reader, string driver)
    {
        // The section stands even where it says nothing, so that what is missing is named.
        reader.Target.SetPath($"storage.{driver}", new ConfigMap(reader.Origin($"storage.{driver}")));
        switch (driver)
        {
            case "s3":
                MapS3(reader);
                break;
            case "azure":
                MapAzure(reader);
                break;
            case "gcs":
                MapGcs(reader);
                break;
            default:
                MapSwift(reader);
                break;
        }
    }

    private static void MapS3(DockerRegistryReader reader)
    {
        Texts(reader, "storage.s3", ("bucket", "bucket"), ("region", "region"), ("regionendpoint", "endpoint"), ("accesskey", "accessKey"), ("secretkey", "secretKey"),
            ("keyid", "keyId"), ("rootdirectory", "rootDirectory"), ("storageclass", "storageClass"), ("objectacl", "objectAcl"), ("useragent", "userAgent"));
        Switches(reader, "storage.s3", ("encrypt", "encrypt"), ("secure", "secure"), ("skipverify", "skipVerify"), ("forcepathstyle", "forcePathStyle"),
            ("accelerate", "accelerate"), ("usedualstack", "useDualStack"), ("usefipsendpoint", "useFips"));
        Number(reader, "storage.s3.chunksize", "storage.s3.partBytes");
    }

    private static void MapAzure(DockerRegistryReader reader)
    {
        Texts(reader, "storage.azure", ("container", "container"), ("accountname", "accountName"), ("accountkey", "accountKey"), ("connectionstring", "connectionString"),
            ("realm", "realm"), ("serviceurl", "serviceUrl"), ("rootdirectory", "rootDirectory"), ("credentials.type", "credentialsType"),
            ("credentials.clientid", "clientId"), ("credentials.tenantid", "tenantId"), ("credentials.secret", "clientSecret"));
        Switches(reader, "storage.azure", ("skipverify", "skipVerify"));
    }

    private static void MapGcs(DockerRegistryReader reader)
    {
        Texts(reader, "storage.gcs", ("bucket", "bucket"), ("keyfile", "keyFile"), ("rootdirectory", "rootDirectory"), ("useragent", "userAgent"));
        Number(reader, "storage.gcs.chunksize", "storage.gcs.partBytes");
        const string concurrency = "storage.gcs.maxconcurrency";
        if (reader.Number(concurrency, 0) is > 0 and var most)
            reader.Put("storage.gcs.maxConnections", Math.Max(MinGcsConcurrency, most), reader.Origin(concurrency));
        const string credentials = "storage.gcs.credentials";
        if (reader.Text("storage.gcs.keyfile") is { Length: > 0 } || reader.Node(credentials) is not { } node)
            return; // The file wins, as there.
        if (node is ConfigMap map)
            reader.Put("storage.gcs.credentialsJson", Json(map).ToJsonString(), node.Origin);
        else
            reader.Problems.Add(credentials, node.Origin, "must be the entries of a key file");
    }

    private static void MapSwift(DockerRegistryReader reader)
    {
        Texts(reader, "storage.swift", ("authurl", "authUrl"), ("username", "username"), ("password", "password"), ("container", "container"), ("prefix", "prefix"),
            ("region", "region"), ("tenant", "tenant"), ("tenantid", "tenantId"), ("domain", "domain"), ("domainid", "domainId"), ("tenantdomain", "tenantDomain"),
            ("tenantdomainid", "tenantDomainId"), ("trustid", "trustId"), ("endpointtype", "endpointType"), ("secretkey", "secretKey"), ("accesskey", "accessKey"));
        Switches(reader, "storage.swift", ("insecureskipverify", "skipVerify"), ("tempurlcontainerkey", "tempUrlContainerKey"));
        Number(reader, "storage.swift.chunksize", "storage.swift.partBytes");
        Number(reader, "storage.swift.authversion", "storage.swift.authVersion");
        if (reader.Items("storage.swift.tempurlmethods").Count > 0)
            reader.Copy("storage.swift.tempurlmethods", "storage.swift.tempUrlMethods");
    }

    // Empty text means there what a missing key means.
    private static void Texts(DockerRegistryReader reader, string section, params (string From, string To)[] keys)
    {
        foreach (var (from, to) in keys)
        {
            if (reader.Text($"{section}.{from}") is { Length: > 0 } text)
                reader.Put($"{section}.{to}", text, reader.Origin($"{section}.{from}"));
        }
    }

    private static void Switches(DockerRegistryReader reader, string section, params (string From, string To)[] keys)
    {
        foreach (var (from, to) in keys)
        {
            if (reader.Text($"{section}.{from}") is { Length: > 0 })
                reader.CopySwitch($"{section}.{from}", $"{section}.{to}");
        }
    }

    private static void Number(DockerRegistryReader reader, string from, string to)
    {
        if (reader.Text(from) is { Length: > 0 })
            reader.Put(to, reader.Number(from, 0), reader.Origin(from));
    }

    private static JsonObject Json(ConfigMap map)
    {
        var json = new JsonObject();
        foreach (var (key, value) in map.Entries)
            json[key] = value switch
            {
                ConfigMap inner => Json(inner),
                ConfigScalar { Text: { } text } => JsonValue.Create(text),
                _ => null,
            };
        return json;
    }
}
