using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Platform.Data;

public sealed class DataFolderLockTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("berth-lock-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Only_one_holds_the_lock_and_it_is_free_again_afterwards()
    {
        Assert.False(DataFolderLock.IsHeld(_folder));
        using (await DataFolderLock.TryAcquireAsync(_folder, TimeProvider.System, CancellationToken.None))
        {
            Assert.True(DataFolderLock.IsHeld(_folder));
            Assert.Null(await DataFolderLock.TryAcquireAsync(_folder, TimeProvider.System, CancellationToken.None));
        }
        Assert.False(DataFolderLock.IsHeld(_folder));
        Assert.Equal($"{Environment.ProcessId}\n", await File.ReadAllTextAsync(Path.Join(_folder, DataFolderLock.FileName)));
        using var again = await DataFolderLock.TryAcquireAsync(_folder, TimeProvider.System, CancellationToken.None);
        Assert.NotNull(again);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_an_error()
    {
        await Assert.ThrowsAsync<DirectoryNotFoundException>(() =>
            DataFolderLock.TryAcquireAsync(Path.Join(_folder, "absent"), TimeProvider.System, CancellationToken.None));
    }
}
