using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Notifications;

internal static class SampleEvents
{
    public const string Digest1 = "sha256:1111111111111111111111111111111111111111111111111111111111111111";
    public const string Digest2 = "sha256:2222222222222222222222222222222222222222222222222222222222222222";
    public const string ImageManifest = "application/vnd.oci.image.manifest.v1+json";

    public static EventRequest Request { get; } =
        new("7a1c", "192.0.2.7:40312", "registry.example.com", "PUT", "docker/28.0.1 go/go1.23 (linux) & \"quoted\"", "https://registry.example.com/");

    public static RegistryEvent ManifestPush(string tag) => new()
    {
        Action = RegistryEventAction.Push,
        Repository = "library/test",
        Digest = Digest1,
        Tag = tag,
        MediaType = ImageManifest,
        Size = 708,
        Actor = "alice",
        Request = Request,
        References =
        [
            new Descriptor { MediaType = "application/vnd.oci.image.config.v1+json", Digest = Digest.Parse(Digest2), Size = 1470 },
            new Descriptor { MediaType = ImageManifest, Digest = Digest.Parse(Digest1), Size = 5, Os = "linux", Architecture = "arm64", Urls = ["https://example.com/x"] },
        ],
    };

    public static RegistryEvent BlobPull => new()
    {
        Action = RegistryEventAction.Pull,
        Repository = "library/test",
        Digest = Digest2,
        MediaType = "application/octet-stream",
        Size = 1470,
        IsBlob = true,
        Actor = "",
        Request = Request with { Method = "GET" },
    };

    public static RegistryEvent BlobMount => BlobPull with
    {
        Action = RegistryEventAction.Mount,
        FromRepository = "library/base",
        Actor = "alice",
        Request = Request with { Method = "POST" },
    };

    public static RegistryEvent ManifestDelete => ManifestPush("latest") with
    {
        Action = RegistryEventAction.Delete,
        Tag = null,
        Request = Request with { Method = "DELETE" },
    };

    public static RegistryEvent TagDelete => ManifestDelete with { Digest = null, Tag = "latest" };
}
