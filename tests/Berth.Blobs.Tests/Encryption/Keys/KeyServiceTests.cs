using System.Net;
using System.Text.Json.Nodes;
using Berth.Blobs.Encryption.Keys;
using Berth.Blobs.Tests.Http;

namespace Berth.Blobs.Tests.Encryption.Keys;

/// <summary>Master keys that a service holds, against doubles that follow the published requests.</summary>
public sealed class KeyServiceTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Vault_wraps_unwraps_and_brings_keys_to_its_newest_version()
    {
        var version = 1;
        var refused = 0;
        await using var vault = new ScriptedServer((request, body) =>
        {
            if (request.Headers["X-Vault-Token"] != "s.token" || request.Headers["X-Vault-Namespace"] != "team")
            {
                refused++;
                return new ScriptedAnswer(403, """{"errors":["permission denied"]}""");
            }
            var words = request.Url!.AbsolutePath.Split('/');
            Assert.Equal(["", "v1", "keys", "transit"], words[..4]);
            Assert.Equal("berth key", Uri.UnescapeDataString(words[5]));
            var json = JsonNode.Parse(body)!;
            return words[4] switch
            {
                "encrypt" => Data("ciphertext", $"vault:v{version}:{json["plaintext"]}"),
                "decrypt" => Data("plaintext", ((string)json["ciphertext"]!).Split(':')[2]),
                "rewrap" => Data("ciphertext", $"vault:v{version}:{((string)json["ciphertext"]!).Split(':')[2]}"),
                _ => new ScriptedAnswer(404),
            };
        });
        var tokenFile = Path.GetTempFileName();
        await File.WriteAllTextAsync(tokenFile, "s.token\n");
        var options = new VaultKeyOptions { Address = vault.Url.AbsoluteUri, Mount = "keys/transit", Key = "berth key", Namespace = "team", TokenFile = tokenFile };
        using var key = new VaultMasterKey(options, TimeProvider.System);
        var wrapped = await key.WrapAsync(new byte[] { 1, 2, 3 }, None);
        Assert.StartsWith("vault:v1:", System.Text.Encoding.UTF8.GetString(wrapped), StringComparison.Ordinal);
        version = 2;
        var rewrapped = await key.RewrapAsync(wrapped, None);
        Assert.StartsWith("vault:v2:", System.Text.Encoding.UTF8.GetString(rewrapped), StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], await key.UnwrapAsync(rewrapped, None));
        // The token is read for each call, so another one needs no restart.
        await File.WriteAllTextAsync(tokenFile, "s.other");
        var e = await Assert.ThrowsAsync<IOException>(async () => await key.UnwrapAsync(wrapped, None));
        Assert.Contains("check the credentials", e.Message, StringComparison.Ordinal);
        Assert.Equal(1, refused);
        File.Delete(tokenFile);

        static ScriptedAnswer Data(string name, string value) => new(200, new JsonObject { ["data"] = new JsonObject { [name] = value } }.ToJsonString());
    }

    [Fact]
    public async Task A_key_service_holds_data_keys_and_they_outlive_it_in_memory()
    {
        var up = true;
        await using var service = new ScriptedServer((request, body) =>
        {
            if (!up) return new ScriptedAnswer((int)HttpStatusCode.NotImplemented);
            Assert.Equal("Bearer t", request.Headers["Authorization"]);
            var json = JsonNode.Parse(body)!;
            Assert.Equal("k1", (string?)json["key"]);
            var (from, to) = (string?)json["operation"] == "encrypt" ? ("plaintext", "ciphertext") : ("ciphertext", "plaintext");
            var bytes = Convert.FromBase64String((string)json[from]!).Select(b => (byte)(b ^ 0x55)).ToArray();
            return new ScriptedAnswer(200, new JsonObject { [to] = Convert.ToBase64String(bytes) }.ToJsonString());
        });
        var table = new MemoryDataKeyTable();
        using var keys = Open();
        var current = await keys.CurrentAsync(None);
        using var other = Open();
        Assert.Equal(current.Secret.ToArray(), (await other.FindAsync(current.Id, None)).Secret.ToArray());
        up = false;
        Assert.Equal(current.Id, (await keys.FindAsync(current.Id, None)).Id);
        Assert.Equal(current.Id, (await keys.CurrentAsync(None)).Id);
        using var late = Open();
        await Assert.ThrowsAnyAsync<IOException>(async () => await late.FindAsync(current.Id, None));

        DataKeys Open() => new(table, [new KmsMasterKey(new KmsKeyOptions { Url = service.Url.AbsoluteUri, Key = "k1", Token = "t" }, TimeProvider.System)], TimeProvider.System);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("{\"ciphertext\":\"***\"}")]
    [InlineData("[]")]
    public async Task An_answer_that_is_none_is_an_error(string text)
    {
        await using var service = new ScriptedServer((_, _) => new ScriptedAnswer(200, text));
        using var key = new KmsMasterKey(new KmsKeyOptions { Url = service.Url.AbsoluteUri, Key = "k" }, TimeProvider.System);
        await Assert.ThrowsAnyAsync<IOException>(async () => await key.WrapAsync(new byte[] { 1 }, None));
    }
}
