namespace Berth.Client.Tests;

public sealed class ImageReferenceTests
{
    private const string Hash = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Theory]
    [InlineData("debian", "docker.io", "library/debian", "latest")]
    [InlineData("debian:12", "docker.io", "library/debian", "12")]
    [InlineData("shop/web", "docker.io", "shop/web", "latest")]
    [InlineData("docker.io/debian", "docker.io", "library/debian", "latest")]
    [InlineData("index.docker.io/shop/web:1", "docker.io", "shop/web", "1")]
    [InlineData("localhost/x", "localhost", "x", "latest")]
    [InlineData("localhost:5000/x:tag", "localhost:5000", "x", "tag")]
    [InlineData("[::1]:5000/x", "[::1]:5000", "x", "latest")]
    [InlineData("registry.example.com/a/b/c:v1.2_3-x", "registry.example.com", "a/b/c", "v1.2_3-x")]
    [InlineData("127.0.0.1:5000/x", "127.0.0.1:5000", "x", "latest")]
    [InlineData("LOCAL/x", "LOCAL", "x", "latest")]
    [InlineData("debian@" + Hash, "docker.io", "library/debian", Hash)]
    [InlineData("localhost:5000/x:tag@" + Hash, "localhost:5000", "x", Hash)]
    public void What_is_left_out_is_what_Docker_takes(string text, string registry, string repository, string reference)
    {
        var read = ImageReference.Parse(text);
        Assert.Equal((registry, repository, reference), (read.Registry, read.Repository.Value, read.Reference));
        Assert.Equal(read, ImageReference.Parse(read.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Debian")]
    [InlineData("debian:")]
    [InlineData("debian:-x")]
    [InlineData("debian@sha256:12")]
    [InlineData("-host.com/x")]
    [InlineData("host.com:99999/x")]
    [InlineData("host.com:port/x")]
    [InlineData("host.com/")]
    [InlineData("host.com/a//b")]
    [InlineData("http://host.com/x")]
    [InlineData("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    public void What_Docker_refuses_is_refused_with_a_reason(string text)
    {
        Assert.False(ImageReference.TryParse(text, out _, out var error));
        Assert.NotEmpty(error);
        Assert.Throws<FormatException>(() => ImageReference.Parse(text));
    }

    [Theory]
    [InlineData("localhost:5000/x", true)]
    [InlineData("127.0.0.2/x", true)]
    [InlineData("[::1]/x", true)]
    [InlineData("a.localhost/x", true)]
    [InlineData("localhost.example.com/x", false)]
    [InlineData("10.0.0.1/x", false)]
    [InlineData("debian", false)]
    public void Only_this_machine_is_loopback(string text, bool expected) => Assert.Equal(expected, ImageReference.Parse(text).IsLoopback);

    [Theory]
    [InlineData("linux/amd64", "linux/amd64,linux/arm64/v8", 0)]
    [InlineData("linux/arm64", "linux/amd64,linux/arm64/v8", 1)]
    [InlineData("linux/arm64/v8", "linux/amd64,linux/arm64", 1)]
    [InlineData("linux/arm/v7", "linux/arm/v6,linux/arm/v7,linux/arm/v5", 1)]
    [InlineData("linux/arm/v7", "linux/arm/v5,linux/arm/v6", 1)]
    [InlineData("linux/arm/v6", "linux/arm/v7", -1)]
    [InlineData("linux/amd64", "linux/amd64/v3,linux/amd64", 1)]
    [InlineData("linux/s390x", "linux/amd64", -1)]
    [InlineData("linux/x86_64", "windows/amd64,linux/amd64", 1)]
    public void The_platform_that_fits_best_is_chosen(string wanted, string there, int expected)
    {
        Assert.True(ImagePlatform.TryParse(wanted, out var platform));
        var entries = there.Split(',').Select((text, at) =>
        {
            var parts = text.Split('/');
            return new Content.IndexEntry(Oci.Digest.Of([(byte)at]), "", 1) { Platform = new ImagePlatform(parts[0], parts[1], parts.Length > 2 ? parts[2] : "") };
        }).ToList();
        var chosen = Content.IndexEntry.Choose(entries, platform);
        Assert.Equal(expected, chosen is null ? -1 : entries.IndexOf(chosen));
    }

    [Fact]
    public void What_BuildKit_attests_is_never_chosen()
    {
        var attestation = new Content.IndexEntry(Oci.Digest.Of([1]), "", 1) { Platform = new ImagePlatform("unknown", "unknown") };
        var image = new Content.IndexEntry(Oci.Digest.Of([2]), "", 1);
        Assert.Same(image, Content.IndexEntry.Choose([attestation, image], ImagePlatform.OfThisMachine));
        Assert.Null(Content.IndexEntry.Choose([attestation], null));
    }
}
