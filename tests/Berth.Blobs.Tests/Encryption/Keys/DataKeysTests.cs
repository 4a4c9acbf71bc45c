using Berth.Blobs.Encryption.Keys;

namespace Berth.Blobs.Tests.Encryption.Keys;

public sealed class DataKeysTests
{
    private const string OneKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private const string OtherKey = "/////////////////////////////////////////v8=";
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly MemoryDataKeyTable _table = new();

    [Fact]
    public async Task The_first_key_is_made_when_it_is_wanted_and_found_by_all()
    {
        using var one = Open(OneKey);
        using var two = Open(OneKey);
        var key = await one.CurrentAsync(None);
        Assert.Equal(32, key.Secret.Length);
        Assert.Equal(key.Id, (await one.CurrentAsync(None)).Id);
        foreach (var found in new[] { await two.CurrentAsync(None), await two.FindAsync(key.Id, None) })
        {
            Assert.Equal(key.Id, found.Id);
            Assert.True(key.Secret.Span.SequenceEqual(found.Secret.Span));
        }
        var row = Assert.Single(await _table.AllAsync(None));
        Assert.Equal(-1, row.Wrapped.Span.IndexOf(key.Secret.Span[..8]));
        Assert.DoesNotContain(Convert.ToHexString(key.Secret.Span), key.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Replicas_that_want_the_first_key_at_once_get_the_same()
    {
        var replicas = Enumerable.Range(0, 8).Select(_ => Open(OneKey)).ToArray();
        var keys = await Task.WhenAll(replicas.Select(r => Task.Run(async () => await r.CurrentAsync(None))));
        Assert.Single(keys.Select(k => k.Id).Distinct());
        Assert.Single(await _table.AllAsync(None));
        foreach (var replica in replicas) replica.Dispose();
    }

    [Fact]
    public async Task A_rotated_data_key_is_followed_by_other_replicas_after_a_minute()
    {
        var time = new SteppedTime();
        using var one = Open(OneKey);
        using var two = new DataKeys(_table, [new LocalMasterKey(OneKey)], time);
        var first = await two.CurrentAsync(None);
        var second = await one.RotateAsync(None);
        Assert.NotEqual(first.Id, second.Id);
        Assert.Equal(second.Id, (await one.CurrentAsync(None)).Id);
        Assert.Equal(first.Id, (await two.CurrentAsync(None)).Id);
        time.Step(TimeSpan.FromMinutes(2));
        Assert.Equal(second.Id, (await two.CurrentAsync(None)).Id);
        // The former one stays for what it encrypted.
        Assert.Equal(first.Secret.ToArray(), (await one.FindAsync(first.Id, None)).Secret.ToArray());
    }

    [Fact]
    public async Task A_new_master_key_takes_over_all_data_keys_and_the_old_one_is_not_needed_any_more()
    {
        DataKey[] keys;
        using (var before = Open(OneKey)) keys = [await before.CurrentAsync(None), await before.RotateAsync(None), await before.RotateAsync(None)];
        using (var both = Open(OtherKey, OneKey)) Assert.Equal(3, await both.RewrapAsync(None));
        using (var after = Open(OtherKey))
        {
            foreach (var key in keys) Assert.Equal(key.Secret.ToArray(), (await after.FindAsync(key.Id, None)).Secret.ToArray());
            Assert.Equal(keys[2].Id, (await after.CurrentAsync(None)).Id);
        }
        using var old = Open(OneKey);
        var e = await Assert.ThrowsAsync<DataKeyMissingException>(async () => await old.CurrentAsync(None));
        Assert.Contains("former master keys", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_row_that_was_changed_or_moved_does_not_unwrap()
    {
        using (var keys = Open(OneKey))
        {
            await keys.CurrentAsync(None);
            await keys.RotateAsync(None);
        }
        var rows = await _table.AllAsync(None);
        using var reader = Open(OneKey);
        await _table.ReplaceAsync([rows[0] with { Wrapped = rows[1].Wrapped }], None);
        await Assert.ThrowsAsync<DataKeyMissingException>(async () => await reader.FindAsync(rows[0].Id, None));
        var bad = rows[0].Wrapped.ToArray();
        bad[20] ^= 1;
        await _table.ReplaceAsync([rows[0] with { Wrapped = bad }], None);
        await Assert.ThrowsAnyAsync<IOException>(async () => await reader.FindAsync(rows[0].Id, None));
        await Assert.ThrowsAsync<DataKeyMissingException>(async () => await reader.FindAsync(default, None));
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("AAECAwQFBgcICQoLDA0ODw==")]
    [InlineData("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v")]
    public void A_master_key_that_is_none_says_how_to_make_one(string base64) =>
        Assert.Contains("openssl rand", Assert.Throws<FormatException>(() => new LocalMasterKey(base64)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_master_key_has_the_same_name_wherever_it_comes_from()
    {
        var file = Path.GetTempFileName();
        File.WriteAllText(file, OneKey + "\n");
        using var fromFile = LocalMasterKey.FromFile(file);
        using var fromValue = new LocalMasterKey(OneKey);
        using var other = new LocalMasterKey(OtherKey);
        File.Delete(file);
        Assert.Equal(fromValue.Id, fromFile.Id);
        Assert.NotEqual(fromValue.Id, other.Id);
    }

    [Fact]
    public async Task Many_threads_unwrap_and_wrap_at_once()
    {
        using var master = new LocalMasterKey(OneKey);
        await Parallel.ForAsync(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, ct) =>
        {
            var secret = BitConverter.GetBytes((long)i);
            Assert.Equal(secret, await master.UnwrapAsync(await master.WrapAsync(secret, ct), ct));
        });
    }

    [Fact]
    public void Settings_are_checked_as_a_whole()
    {
        Assert.Empty(MasterKeys.Check(new EncryptionOptions()));
        Assert.Single(MasterKeys.Check(new EncryptionOptions { Enabled = true }));
        Assert.Empty(MasterKeys.Check(new EncryptionOptions { Enabled = true, MasterKey = new MasterKeyOptions { File = "/key" } }));
        var wrong = MasterKeys.Check(new EncryptionOptions
        {
            Enabled = true,
            MasterKey = new MasterKeyOptions { File = "/key", Value = "x" },
            FormerMasterKeys = [new MasterKeyOptions { Vault = new VaultKeyOptions() }, new MasterKeyOptions { Kms = new KmsKeyOptions { Url = "https://k", Key = "k" } }],
        });
        Assert.Equal(4, wrong.Count);
    }

    private DataKeys Open(params string[] masterKeys) => new(_table, [.. masterKeys.Select(k => new LocalMasterKey(k))], TimeProvider.System);

    private sealed class SteppedTime : TimeProvider
    {
        private long _ticks = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Step(TimeSpan by) => _ticks += by.Ticks;
    }
}
