using System.Security.Cryptography;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Oci.Tests;

public sealed class DigestTests
{
    private const string Sha256OfNothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    [Fact]
    public void The_digest_of_content_is_the_frameworks_hash()
    {
        Prop.ForAll(ArbMap.Default.GeneratorFor<byte[]>().ToArbitrary(), content =>
        {
            Assert.Equal("sha256:" + Convert.ToHexStringLower(SHA256.HashData(content)), Digest.Of(content).Value);
            Assert.Equal("sha512:" + Convert.ToHexStringLower(SHA512.HashData(content)), Digest.Of(content, DigestAlgorithm.Sha512).Value);
        }).QuickCheckThrowOnFailure();
        Assert.Equal(Sha256OfNothing, Digest.Of([]).Value);
    }

    [Fact]
    public void A_digest_is_read_back_as_it_was_written()
    {
        Prop.ForAll(ArbMap.Default.GeneratorFor<byte[]>().ToArbitrary(), content =>
        {
            foreach (var algorithm in new[] { DigestAlgorithm.Sha256, DigestAlgorithm.Sha512 })
            {
                var digest = Digest.Of(content, algorithm);
                Assert.True(Digest.TryParse(digest.Value, out var parsed));
                Assert.Equal(digest, parsed);
                Assert.Equal(digest.GetHashCode(), parsed.GetHashCode());
                Assert.Equal(algorithm, parsed.Algorithm);
                Assert.Equal(algorithm.Prefix + parsed.Hex.ToString(), parsed.ToString());
                Assert.Equal(digest, Digest.FromHash(algorithm, Convert.FromHexString(digest.Hex)));
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void One_changed_character_is_no_digest_or_another_one()
    {
        var changes = Gen.Choose(0, Sha256OfNothing.Length - 1).SelectMany(_ => Gen.Choose(0, 0x2ff), (at, c) => (At: at, Char: (char)c));
        Prop.ForAll(changes.ToArbitrary(), change =>
        {
            var text = Sha256OfNothing[..change.At] + change.Char + Sha256OfNothing[(change.At + 1)..];
            var isDigest = Digest.TryParse(text, out var digest);
            Assert.Equal(text.StartsWith("sha256:", StringComparison.Ordinal) && text[7..].All(char.IsAsciiHexDigitLower), isDigest);
            if (isDigest) Assert.Equal(text == Sha256OfNothing, digest == Digest.Parse(Sha256OfNothing));
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("sha256")]
    [InlineData("sha256:")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85")]
    [InlineData("sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555")]
    [InlineData("sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha384:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData(" sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    [InlineData("sha256:../../../../../../../../../../../../../../../../../../../etc/passwd")]
    public void Anything_else_is_no_digest(string? text)
    {
        Assert.False(Digest.TryParse(text, out var digest));
        Assert.True(digest.IsDefault);
        if (text is not null) Assert.Throws<FormatException>(() => Digest.Parse(text));
    }

    [Fact]
    public void The_default_digest_has_no_value_and_equals_itself_only()
    {
        Assert.Throws<InvalidOperationException>(() => default(Digest).Value);
        Assert.Equal("", default(Digest).ToString());
        Assert.True(default == new Digest());
        Assert.NotEqual(default, Digest.Of([]));
        Assert.Throws<ArgumentException>(() => Digest.FromHash(DigestAlgorithm.Sha512, new byte[32]));
    }

    [Theory]
    [InlineData("sha256", 32)]
    [InlineData("sha512", 64)]
    public void An_algorithm_is_found_by_its_name(string name, int bytes)
    {
        Assert.True(DigestAlgorithm.TryParse(name, out var algorithm));
        Assert.Equal((name, bytes, name + ":"), (algorithm.Name, algorithm.HashBytes, algorithm.Prefix));
        Assert.False(DigestAlgorithm.TryParse(name.ToUpperInvariant(), out _));
        Assert.False(DigestAlgorithm.TryParse(name + " ", out _));
    }
}
