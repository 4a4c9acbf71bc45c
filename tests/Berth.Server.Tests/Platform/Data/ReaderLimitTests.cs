using Berth.Server.Platform.Data;
using Berth.Server.Tests.Registry;

namespace Berth.Server.Tests.Platform.Data;

public sealed class ReaderLimitTests
{
    public static TheoryData<DatabaseKind> Kinds => TestDatabase.Kinds;

    [Theory, MemberData(nameof(Kinds))]
    public async Task A_server_with_one_reader_serves_pushes_and_pulls(DatabaseKind kind)
    {
        await using var app = await RegistryApp.StartAsync(kind, more: static o => o with { Database = o.Database with { MaxReaders = 1 } });
        var image = TestImage.New();
        await app.PushImageAsync("library/one", "1", image);
        var pulls = Enumerable.Range(0, 8).Select(_ => app.PullAsync("library/one", "1"));
        Assert.All(await Task.WhenAll(pulls), manifest => Assert.Equal(image.Manifest, manifest));
    }
}
