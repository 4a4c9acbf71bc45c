using Berth.Scanner.Advisories;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Shelf;
using Berth.Scanner.Tests.Advisories;

namespace Berth.Scanner.Tests.Scan;

public sealed class AdvisoryShelfTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_newest_database_is_used_older_ones_are_kept_for_the_way_back_and_the_oldest_go()
    {
        var shelf = new AdvisoryShelf(folder.Of("shelf"));
        Assert.Null(shelf.Current);
        var paths = Enumerable.Range(0, 5).Select(i => Add(shelf, DateTimeOffset.UnixEpoch.AddDays(i + 1))).ToList();
        Assert.Equal(paths[4], shelf.Current);
        Assert.Equal([paths[4], paths[3], paths[2]], shelf.All);
        Assert.Equal(paths[3], shelf.Rollback());
        Assert.Equal(paths[3], shelf.Current);
        Assert.Equal(paths[2], shelf.Rollback());
        Assert.Null(shelf.Rollback());
        Assert.Equal(paths[2], shelf.Current);
    }

    [Fact]
    public void A_file_that_is_no_database_is_never_used()
    {
        var shelf = new AdvisoryShelf(folder.Of("shelf"));
        var good = Add(shelf, DateTimeOffset.UnixEpoch);
        var bad = shelf.NewPath(DateTimeOffset.UnixEpoch.AddDays(1));
        File.WriteAllText(bad, "no database");
        Assert.ThrowsAny<IOException>(() => UseOrIo(shelf, bad));
        Assert.Equal(good, shelf.Current);
        File.WriteAllText(folder.Of("shelf/current"), "../../etc/passwd");
        Assert.Null(shelf.Current);
    }

    // A file that is too short, or has another head: the reader says either.
    private static void UseOrIo(AdvisoryShelf shelf, string path)
    {
        try
        {
            shelf.Use(path);
        }
        catch (InvalidDataException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static string Add(AdvisoryShelf shelf, DateTimeOffset at)
    {
        var path = shelf.NewPath(at);
        using var builder = new AdvisoryDatabaseBuilder(path);
        builder.Add(new AdvisoryBucket("npm::test", "test"), "left-pad", new Advisory("CVE-2020-1"));
        builder.Complete(at, TestContext.Current.CancellationToken);
        shelf.Use(path);
        return path;
    }
}
