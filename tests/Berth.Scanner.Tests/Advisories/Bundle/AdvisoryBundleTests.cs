using System.Diagnostics;
using System.Formats.Tar;
using System.Security.Cryptography;
using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Database;

namespace Berth.Scanner.Tests.Advisories.Bundle;

public sealed class AdvisoryBundleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ECDsa _pair = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        _pair.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_signed_bundle_gives_the_database_back()
    {
        var bundle = await BundleAsync(sign: true);
        using var key = BundleKey.Parse(_pair.ExportSubjectPublicKeyInfoPem());
        var manifest = await AdvisoryBundle.ExtractAsync(new MemoryStream(bundle), [key], _folder.Of("out.db"), TestContext.Current.CancellationToken);
        Assert.Equal(1, manifest.Metadata.Advisories);
        Assert.Equal(File.ReadAllBytes(_folder.Of("in.db")), File.ReadAllBytes(_folder.Of("out.db")));
    }

    [Fact]
    public async Task With_keys_a_bundle_of_nobody_or_of_somebody_else_is_refused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = BundleKey.Parse(other.ExportSubjectPublicKeyInfoPem());
        await RefusedAsync(await BundleAsync(sign: true), [key], "not signed with a trusted key");
        await RefusedAsync(await BundleAsync(sign: false), [key], "not signed");
        await AdvisoryBundle.ExtractAsync(new MemoryStream(await BundleAsync(sign: false)), [], _folder.Of("unsigned.db"), TestContext.Current.CancellationToken);
        Assert.True(File.Exists(_folder.Of("unsigned.db")));
    }

    [Fact]
    public async Task No_bit_of_a_signed_bundle_can_be_changed_unseen()
    {
        var bundle = await BundleAsync(sign: true);
        using var key = BundleKey.Parse(_pair.ExportSubjectPublicKeyInfoPem());
        var random = new Random(17);
        for (var i = 0; i < 200; i++)
        {
            var damaged = (byte[])bundle.Clone();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                await AdvisoryBundle.ExtractAsync(new MemoryStream(damaged), [key], _folder.Of("out.db"), TestContext.Current.CancellationToken);
                // Times and padding of the tar carry nothing.
                Assert.Equal(File.ReadAllBytes(_folder.Of("in.db")), File.ReadAllBytes(_folder.Of("out.db")));
                File.Delete(_folder.Of("out.db"));
            }
            catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
            {
                Assert.False(File.Exists(_folder.Of("out.db")));
            }
        }
    }

    [Fact]
    public async Task A_bundle_that_was_cut_off_leaves_the_old_database()
    {
        var bundle = await BundleAsync(sign: true);
        using var key = BundleKey.Parse(_pair.ExportSubjectPublicKeyInfoPem());
        File.WriteAllText(_folder.Of("out.db"), "old");
        foreach (var length in (int[])[0, 100, 512, 2000, bundle.Length / 2, bundle.Length - 2000])
        {
            await Assert.ThrowsAnyAsync<IOException>(async () =>
            {
                try
                {
                    await AdvisoryBundle.ExtractAsync(new MemoryStream(bundle[..length]), [key], _folder.Of("out.db"), TestContext.Current.CancellationToken);
                }
                catch (InvalidDataException e)
                {
                    throw new IOException(e.Message, e);
                }
            });
            Assert.Equal("old", File.ReadAllText(_folder.Of("out.db")));
        }
    }

    [Fact]
    public void Keys_of_other_kinds_are_refused()
    {
        Assert.Throws<CryptographicException>(() => BundleKey.Parse("no key"));
        using var large = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<CryptographicException>(() => BundleKey.Parse(large.ExportSubjectPublicKeyInfoPem()));
        using var key = BundleKey.Parse(_pair.ExportPkcs8PrivateKeyPem());
        using var publicKey = BundleKey.Parse(_pair.ExportSubjectPublicKeyInfoPem());
        Assert.Equal(key.Id, publicKey.Id);
        Assert.True(publicKey.Verify("text"u8, key.Sign("text"u8)));
    }

    [Fact]
    public async Task A_signature_can_be_checked_with_openssl()
    {
        await using (var file = File.Create(_folder.Of("advisories.tar")))
            await file.WriteAsync(await BundleAsync(sign: true), TestContext.Current.CancellationToken);
        TarFile.ExtractToDirectory(_folder.Of("advisories.tar"), _folder.Path, overwriteFiles: true);
        File.WriteAllText(_folder.Of("bundle.pub"), _pair.ExportSubjectPublicKeyInfoPem());
        var start = new ProcessStartInfo("openssl", ["dgst", "-sha256", "-verify", "bundle.pub", "-signature", "manifest.sig", "manifest.json"])
        {
            WorkingDirectory = _folder.Path,
            RedirectStandardOutput = true,
        };
        Assert.SkipUnless(File.Exists("/usr/bin/openssl"), "needs /usr/bin/openssl");
        using var openssl = Process.Start(start)!;
        Assert.Contains("Verified OK", await openssl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        await openssl.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, openssl.ExitCode);
    }

    private async Task RefusedAsync(byte[] bundle, IReadOnlyList<BundleKey> keys, string reason)
    {
        var refusal = await Assert.ThrowsAsync<InvalidDataException>(() => AdvisoryBundle.ExtractAsync(new MemoryStream(bundle), keys, _folder.Of("refused.db"), TestContext.Current.CancellationToken));
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(_folder.Of("refused.db")));
    }

    private async Task<byte[]> BundleAsync(bool sign)
    {
        using (var builder = new AdvisoryDatabaseBuilder(_folder.Of("in.db")))
        {
            builder.Add(new AdvisoryBucket("debian 12", "debian"), "openssl", new Advisory("CVE-2024-1") { FixedVersion = "1" });
            builder.Complete(DateTimeOffset.UnixEpoch, TestContext.Current.CancellationToken);
        }
        using var key = BundleKey.Parse(_pair.ExportPkcs8PrivateKeyPem());
        var bundle = new MemoryStream();
        await AdvisoryBundle.WriteAsync(_folder.Of("in.db"), sign ? key : null, bundle, TestContext.Current.CancellationToken);
        return bundle.ToArray();
    }
}
