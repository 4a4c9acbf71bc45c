using System.Data.Common;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;

namespace Berth.Server.Tests.Registry;

/// <summary>What a pushed manifest refers to is looked up by digest, however much its repository holds.</summary>
public sealed class ManifestLookupTests
{
    [Fact]
    public async Task Blobs_and_manifests_are_searched_by_digest_and_not_listed_by_repository()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        // Once a query: of one that is listed, each row of the repository would be compared with each entry of the list.
        await SearchesByDigestAsync(database, ManifestCommit.SelectLinkedBlobs);
        await SearchesByDigestAsync(database, ManifestCommit.SelectManifests);
    }

    private static async Task SearchesByDigestAsync(TestDatabase database, Statement statement)
    {
        var plan = new Statement("EXPLAIN QUERY PLAN " + statement.Sqlite);
        var steps = await database.Current.ReadAsync(plan, static async (session, explain, ct) =>
        {
            var found = new List<string>();
            await using DbDataReader reader = await session.Command(explain, 1L, "[]").ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct)) found.Add(reader.GetString(3));
            return found;
        }, CancellationToken.None);
        Assert.StartsWith("SCAN j ", steps[0], StringComparison.Ordinal);
        Assert.Contains("digest=?", steps[1], StringComparison.Ordinal);
        Assert.All(steps.Skip(1), step => Assert.StartsWith("SEARCH ", step, StringComparison.Ordinal));
    }
}
