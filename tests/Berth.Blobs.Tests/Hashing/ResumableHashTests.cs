using Berth.Blobs.Hashing;
using Berth.Oci;
using FsCheck;
using FsCheck.Fluent;

namespace Berth.Blobs.Tests.Hashing;

public sealed class ResumableHashTests
{
    public static TheoryData<string> Algorithms => ["sha256", "sha512"];

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void However_the_bytes_are_split_and_the_state_carried_over_the_hash_is_the_frameworks(string name)
    {
        Assert.True(DigestAlgorithm.TryParse(name, out var algorithm));
        var cases = Gen.Choose(0, 2000).SelectMany(_ => Gen.Choose(1, 200).ListOf(), (seed, pieces) => (Seed: seed, Pieces: pieces));
        Prop.ForAll(cases.ToArbitrary(), c =>
        {
            var content = new byte[c.Pieces.Sum()];
            new Random(c.Seed).NextBytes(content);
            var hash = ResumableHash.Start(algorithm);
            var at = 0;
            foreach (var piece in c.Pieces)
            {
                hash.Append(content.AsSpan(at, piece));
                at += piece;
                // A look at the digest changes nothing.
                Assert.Equal(Digest.Of(content.AsSpan(0, at), algorithm), hash.Current());
                if (hash.Save() is not { } state || piece % 2 == 0) continue;
                hash.Dispose();
                Assert.True(ResumableHash.TryResume(algorithm, state, out var resumed));
                hash = resumed;
            }
            Assert.Equal(Digest.Of(content, algorithm), hash.Current());
            Assert.Equal(algorithm, hash.Algorithm);
            hash.Dispose();
        }).QuickCheckThrowOnFailure();
    }

    [Theory]
    [MemberData(nameof(Algorithms))]
    public void A_saved_state_is_a_moment_not_a_view(string name)
    {
        Assert.SkipUnless(ResumableHash.CanSave, "libcrypto is not found here");
        Assert.True(DigestAlgorithm.TryParse(name, out var algorithm));
        using var hash = ResumableHash.Start(algorithm);
        hash.Append("abc"u8);
        var state = hash.Save()!;
        hash.Append("def"u8);
        Assert.True(ResumableHash.TryResume(algorithm, state, out var resumed));
        using (resumed) Assert.Equal(Digest.Of("abc"u8, algorithm), resumed.Current());
        Assert.Equal(Digest.Of("abcdef"u8, algorithm), hash.Current());
    }

    [Fact]
    public void A_state_of_another_kind_is_not_taken_up()
    {
        Assert.SkipUnless(ResumableHash.CanSave, "libcrypto is not found here");
        using var hash = ResumableHash.Start(DigestAlgorithm.Sha256);
        hash.Append("abc"u8);
        var state = hash.Save()!;
        Assert.False(ResumableHash.TryResume(DigestAlgorithm.Sha512, state, out _));
        Assert.False(ResumableHash.TryResume(DigestAlgorithm.Sha256, state.AsSpan(1), out _));
        Assert.False(ResumableHash.TryResume(DigestAlgorithm.Sha256, [], out _));
        state[0] ^= 1;
        Assert.False(ResumableHash.TryResume(DigestAlgorithm.Sha256, state, out _));
    }

    [Fact]
    public void The_hash_of_nothing_is_one() => Assert.Equal(Digest.Of([]), ResumableHash.Start(DigestAlgorithm.Sha256).Current());
}
