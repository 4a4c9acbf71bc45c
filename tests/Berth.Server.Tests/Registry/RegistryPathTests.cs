using Berth.Oci;
using Berth.Server.Registry;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Server.Tests.Registry;

public sealed class RegistryPathTests
{
    [Theory]
    [InlineData("", RegistryRoute.Version, "", "")]
    [InlineData("/", RegistryRoute.Version, "", "")]
    [InlineData("/_catalog", RegistryRoute.Catalog, "", "")]
    [InlineData("/a/manifests/latest", RegistryRoute.Manifest, "a", "latest")]
    [InlineData("/a/b/c/manifests/sha256:0", RegistryRoute.Manifest, "a/b/c", "sha256:0")]
    [InlineData("/manifests/manifests/manifests", RegistryRoute.Manifest, "manifests", "manifests")]
    [InlineData("/a/blobs/x", RegistryRoute.Blob, "a", "x")]
    [InlineData("/a/blobs/uploads", RegistryRoute.Uploads, "a", "")]
    [InlineData("/a/blobs/uploads/", RegistryRoute.Uploads, "a", "")]
    [InlineData("/a/blobs/uploads/id", RegistryRoute.Upload, "a", "id")]
    [InlineData("/a/blobs/uploads/blobs/uploads/id", RegistryRoute.Upload, "a/blobs/uploads", "id")]
    [InlineData("/a/tags/list", RegistryRoute.Tags, "a", "")]
    [InlineData("/a/referrers/sha256:0", RegistryRoute.Referrers, "a", "sha256:0")]
    [InlineData("//manifests/x", RegistryRoute.None, "", "")]
    [InlineData("/manifests/x", RegistryRoute.None, "", "")]
    [InlineData("/a/tags/other", RegistryRoute.None, "", "")]
    [InlineData("/uploads/x", RegistryRoute.None, "", "")]
    [InlineData("/a/uploads/x", RegistryRoute.None, "", "")]
    [InlineData("/blobs/uploads/x", RegistryRoute.None, "", "")]
    public void A_path_is_read_from_its_end(string path, RegistryRoute route, string name, string reference)
    {
        var parsed = RegistryPath.Parse(path);
        Assert.Equal((route, name, reference), (parsed.Route, parsed.Name.ToString(), parsed.Reference.ToString()));
    }

    [Fact]
    public void What_is_put_together_is_taken_apart()
    {
        var words = Gen.Elements("a", "b-c", "manifests", "blobs", "uploads", "tags", "list", "referrers", "v2", "0");
        var names = words.NonEmptyListOf().Select(w => string.Join('/', w)).Where(n => n.Length <= RepositoryName.MaxLength && !n.EndsWith("blobs/uploads", StringComparison.Ordinal));
        Prop.ForAll(names.ToArbitrary(), name =>
        {
            var manifest = RegistryPath.Parse($"/{name}/manifests/latest");
            Assert.Equal((RegistryRoute.Manifest, name), (manifest.Route, manifest.Name.ToString()));
            var upload = RegistryPath.Parse($"/{name}/blobs/uploads/id");
            Assert.Equal((RegistryRoute.Upload, name), (upload.Route, upload.Name.ToString()));
            var tags = RegistryPath.Parse($"/{name}/tags/list");
            Assert.Equal((RegistryRoute.Tags, name), (tags.Route, tags.Name.ToString()));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void No_text_breaks_the_reader()
    {
        var pieces = Gen.Elements("/", "//", "a", "manifests", "blobs", "uploads", "tags", "list", "referrers", "_catalog", "%2e", "..", "\0", "é", ":", " ");
        Prop.ForAll(pieces.ListOf().Select(p => "/" + string.Concat(p)).ToArbitrary(), path =>
        {
            var parsed = RegistryPath.Parse(path);
            // Name and reference are pieces of the path, nothing else.
            Assert.True(parsed.Name.IsEmpty || path.StartsWith($"/{parsed.Name}", StringComparison.Ordinal));
            Assert.True(parsed.Reference.IsEmpty || path.EndsWith(parsed.Reference.ToString(), StringComparison.Ordinal));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData("latest", null)]
    [InlineData("sha256:6c3c624b58dbbcd3c0dd82b4c53f04194d1247c6eebdaab7c610cf7d66709b3b", null)]
    [InlineData("sha256:6c3c", "DIGEST_INVALID")]
    [InlineData(":", "DIGEST_INVALID")]
    [InlineData("", "TAG_INVALID")]
    [InlineData("a b", "TAG_INVALID")]
    public void A_reference_is_a_tag_or_a_digest(string text, string? code)
    {
        var error = ManifestReference.TryParse(text, out var reference);
        Assert.Equal(code, error?.Code);
        if (code is null) Assert.Equal(text, reference.ToString());
    }
}
