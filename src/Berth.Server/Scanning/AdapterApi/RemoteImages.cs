using Berth.Client;
using Berth.Client.Content;
using Berth.Client.Credentials;
using Berth.Scanner.Scan;
using Berth.Server.Access;
using Berth.Server.Platform.Http;
using Berth.Server.Scanning.Scanners;

namespace Berth.Server.Scanning.AdapterApi;

/// <summary>An image of another registry, and the connection that its layers are read by.</summary>
internal sealed class RemoteImage(RegistryClient client, ImageContent content) : IDisposable
{
    /// <summary>The image as a scan takes it; its layers can be opened until this is disposed.</summary>
    public ImageContent Content => content;

    public void Dispose() => client.Dispose();
}

/// <summary>
/// Opens images of other registries for a scan: connections go to allowed addresses only, redirects too; layers are streamed; documents and the sum of the layers are bounded. An index is resolved to the
/// image of linux/amd64, else the one of this machine, else its first.
/// </summary>
internal sealed class RemoteImages(OutgoingGuard guard, ScannerApiOptions options, TimeProvider time)
{
    private const int MaxConfigBytes = 16 << 20;
    private const int MaxLayers = 1000;

    private static readonly TimeSpan s_connect = TimeSpan.FromSeconds(15);
    private static readonly ImagePlatform s_usual = new("linux", "amd64");

    /// <summary>Opens the image of a request.</summary>
    /// <exception cref="RegistryException">The registry does not give it.</exception>
    /// <exception cref="ImageRefusedException">It is none that can be scanned.</exception>
    public async Task<RemoteImage> OpenAsync(AdapterScan scan, string authorization, CancellationToken ct)
    {
        var address = new Uri(scan.RegistryUrl);
        // With its port, so that it is a registry's name whatever it looks like.
        if (!ImageReference.TryParse($"{address.Host}:{address.Port}/{scan.Repository}@{scan.Digest}", out var reference, out var wrong)) throw new ImageRefusedException(wrong);
        var client = new RegistryClient(new RegistryClientOptions
        {
            UserAgent = "berth/" + BuiltInScanner.Version,
            UsesPlainHttp = address.Scheme == "http",
            NewHandler = () => guard.NewHandler(verifyCertificates: true, s_connect),
            MaxAttempts = 3,
        }, new GivenCredential(CredentialOf(authorization), reference.Registry), time);
        try
        {
            return new RemoteImage(client, await ReadAsync(client, reference, scan, ct).ConfigureAwait(false));
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private async Task<ImageContent> ReadAsync(RegistryClient client, ImageReference reference, AdapterScan scan, CancellationToken ct)
    {
        var manifest = await ImageAsync(client, reference, ct).ConfigureAwait(false);
        if (manifest.Document.Config is not { } config) throw new ImageRefusedException("the manifest is not that of an image");
        var layers = manifest.Document.Layers;
        if (layers.Count > MaxLayers) throw new ImageRefusedException($"the image has {layers.Count} layers, up to {MaxLayers} are read");
        if (layers.Any(static layer => layer.Size < 0) || layers.Sum(static layer => (decimal)layer.Size) > options.MaxImageBytes)
            throw new ImageRefusedException($"the image is larger than the {options.MaxImageBytes} bytes that are pulled (scanners.api.maxImageBytes)");
        var configuration = await client.BlobAsync(manifest.Reference, config, MaxConfigBytes, ct).ConfigureAwait(false);
        var diffIds = StoredImages.DiffIdsOf(configuration);
        if (diffIds.Length != layers.Count) throw new ImageRefusedException($"the manifest names {layers.Count} layers, the configuration {diffIds.Length}");
        return new ImageContent($"{scan.Repository}@{scan.Digest}")
        {
            Digest = manifest.Digest.Value,
            ImageId = config.Digest.Value,
            MediaType = manifest.MediaType,
            RepoTags = scan.Tag.Length > 0 ? [$"{scan.Repository}:{scan.Tag}"] : [],
            RepoDigests = [$"{scan.Repository}@{manifest.Digest}"],
            Config = configuration,
            Layers =
            [
                .. layers.Select((layer, at) => (Layer: layer, DiffId: diffIds[at])).Where(static one => one.Layer.MediaType.Contains("tar", StringComparison.Ordinal))
                    .Select(one => new ImageLayer(one.DiffId, one.Layer.Digest.Value, one.Layer.Size, async token => await client.OpenBlobAsync(manifest.Reference, one.Layer, token).ConfigureAwait(false))),
            ],
        };
    }

    private static async Task<RegistryManifest> ImageAsync(RegistryClient client, ImageReference reference, CancellationToken ct)
    {
        try
        {
            return await client.ImageAsync(reference, s_usual, ct).ConfigureAwait(false);
        }
        catch (RegistryException e) when (e.Failure == RegistryFailure.NotFound)
        {
            return await client.ImageAsync(reference, null, ct).ConfigureAwait(false);
        }
    }

    /// <summary>The credential in the value of an Authorization header; null for none.</summary>
    /// <exception cref="ImageRefusedException">It is of another scheme.</exception>
    private static RegistryCredential? CredentialOf(string authorization)
    {
        if (authorization.Length == 0) return null;
        if (Bearer.IsBearer(authorization)) return new RegistryCredential { RegistryToken = Bearer.TokenOf(authorization) };
        return BasicCredentials.TryParse(authorization, out var basic)
            ? new RegistryCredential { UserName = basic.Name, Password = basic.Password }
            : throw new ImageRefusedException("registry.authorization is neither Basic nor Bearer");
    }
}
