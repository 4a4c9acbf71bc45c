using System.Security.Cryptography;
using Berth.Server.Access;
using Berth.Server.Platform.Secrets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Berth.Server.Tests.Platform.Secrets;

public sealed class InstallationSecretTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_key_is_generated_once_and_only_its_owner_may_read_it()
    {
        var folder = Path.Join(_folder, "new");
        var encrypted = Open(new AccessOptions(), folder).Encrypt([1, 2, 3], "test");
        Assert.Equal([1, 2, 3], Open(new AccessOptions(), folder).Decrypt(encrypted, "test"));
        var file = Assert.Single(Directory.GetFiles(folder));
        Assert.Equal("secret.key", Path.GetFileName(file));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
    }

    [Fact]
    public async Task Processes_that_start_together_agree_on_the_key()
    {
        var secrets = Enumerable.Range(0, 16).Select(_ => Open(new AccessOptions(), _folder)).ToList();
        var encrypted = await Task.WhenAll(secrets.Select(s => Task.Run(() => s.Encrypt([7], "test"))));
        Assert.All(encrypted, e => Assert.All(secrets, s => Assert.Equal([7], s.Decrypt(e, "test"))));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Every_changed_bit_another_purpose_and_another_key_are_noticed()
    {
        var secret = Open(new AccessOptions(), _folder);
        var encrypted = secret.Encrypt([1, 2, 3, 4], "test");
        Assert.Throws<InvalidOperationException>(() => secret.Decrypt(encrypted, "another"));
        for (var i = 0; i < encrypted.Length; i++)
        {
            var changed = encrypted.ToArray();
            changed[i] ^= 1;
            Assert.Throws<InvalidOperationException>(() => secret.Decrypt(changed, "test"));
        }
        Assert.Throws<InvalidOperationException>(() => secret.Decrypt(encrypted[..10], "test"));
        var other = Open(new AccessOptions { SecretKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) }, _folder);
        Assert.Contains("access.secretKey", Assert.Throws<InvalidOperationException>(() => other.Decrypt(encrypted, "test")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_key_may_be_given_by_value_or_by_file()
    {
        var key = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var file = Path.Join(_folder, "given");
        File.WriteAllText(file, key + "\n");
        var encrypted = Open(new AccessOptions { SecretKey = key }, _folder).Encrypt([9], "test");
        Assert.Equal([9], Open(new AccessOptions { SecretKeyFile = file }, _folder).Decrypt(encrypted, "test"));
        Assert.Throws<InvalidOperationException>(() => Open(new AccessOptions { SecretKey = "too short" }, _folder).Encrypt([9], "test"));
        // A named file is never made up.
        Assert.ThrowsAny<IOException>(() => Open(new AccessOptions { SecretKeyFile = file + ".missing" }, _folder).Encrypt([9], "test"));
    }

    private static InstallationSecret Open(AccessOptions options, string folder) => new(options.SecretKey, options.SecretKeyFile, folder, NullLogger<InstallationSecret>.Instance);
}
