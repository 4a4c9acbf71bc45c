using Berth.Server.Platform.Options;

namespace Berth.Server.DockerRegistry;

/// <summary>Section <c>middleware.storage</c>: <c>cloudfront</c> before a bucket of S3. Others are named as ignored.</summary>
internal static class DockerRegistryMiddleware
{
    private const string Section = "middleware.storage";
    private const string Target = "storage.cloudFront";

    public static void Map(DockerRegistryReader reader)
    {
        for (var i = 0; i < reader.Items(Section).Count; i++)
        {
            var item = $"{Section}[{i}]";
            var name = reader.Text($"{item}.name") ?? "";
            if (reader.Switch($"{item}.disabled", missing: false)) continue;
            if (!string.Equals(name, "cloudfront", StringComparison.OrdinalIgnoreCase))
                reader.Report.Warn(item, reader.Origin(item), $"the middleware \"{name}\" is ignored: Berth redirects to signed URLs of the object store by itself");
            else if (DockerRegistryObjectStores.Of(reader) != "s3")
                reader.Report.Warn(item, reader.Origin(item), "the middleware cloudfront is ignored, as there: it stands before a bucket of S3, and there is none");
            else
                MapCloudFront(reader, $"{item}.options");
        }
    }

    private static void MapCloudFront(DockerRegistryReader reader, string options)
    {
        reader.Target.SetPath(Target, new ConfigMap(reader.Origin(options)));
        foreach (var (from, to) in new[] { ("baseurl", "baseUrl"), ("privatekey", "privateKey"), ("keypairid", "keyPairId") })
        {
            if (reader.Text($"{options}.{from}") is { Length: > 0 } text)
                reader.Put($"{Target}.{to}", text, reader.Origin($"{options}.{from}"));
            else // There the start fails as well; without them clients would go to the bucket.
                reader.Problems.Add($"{options}.{from}", reader.Origin(options), "is missing, and the middleware cloudfront needs it");
        }
        if (reader.Duration($"{options}.duration", TimeSpan.Zero) is { } duration && duration > TimeSpan.Zero)
            reader.Put($"{Target}.duration", duration, reader.Origin($"{options}.duration"));
        if (reader.Text($"{options}.ipfilteredby") is { Length: > 0 } filter && !string.Equals(filter, "none", StringComparison.OrdinalIgnoreCase))
        {
            reader.Report.Warn($"{options}.ipfilteredby", reader.Origin($"{options}.ipfilteredby"),
                "Berth downloads no list of AWS's addresses: clients within AWS go to CloudFront too; networks that are not to be redirected stand in storage.redirect.exceptNetworks");
        }
    }
}
