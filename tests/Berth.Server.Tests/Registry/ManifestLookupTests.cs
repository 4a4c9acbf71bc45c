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
        await SearchesByDigestAsync(database, ManifestReferences.SelectLinkedBlobs);
        await SearchesByDigestAsync(database, ManifestReferences.SelectManifests);
    }

    [Fact]
    public async Task What_lists_show_is_looked_up_by_the_ids_of_manifests_and_not_by_repository()
    {
        await using var database = await TestDatabase.NewAsync(DatabaseKind.Sqlite);
        foreach (var statement in new[] { ListedManifests.Show, ListedManifests.Hide, ManifestRemoval.SelectChildren })
        {
            var steps = await PlanAsync(database, statement, 1L, "[]");
            Assert.DoesNotContain(steps, step => step.Contains("repository_id=?)", StringComparison.Ordinal));
            Assert.DoesNotContain(steps, step => step.StartsWith("SCAN m", StringComparison.Ordinal));
        }
    }

    private static async Task SearchesByDigestAsync(TestDatabase database, Statement statement)
    {
        var steps = await PlanAsync(database, statement, 1L, "[]");
        Assert.StartsWith("SCAN j ", steps[0], StringComparison.Ordinal);
        Assert.Contains("digest=?", steps[1], StringComparison.Ordinal);
        Assert.All(steps.Skip(1), step => Assert.StartsWith("SEARCH ", step, StringComparison.Ordinal));
    }

    private static async Task<List<string>> PlanAsync(TestDatabase database, Statement statement, params object?[] values)
    {
        var plan = new Statement("EXPLAIN QUERY PLAN " + statement.Sqlite);
        return await database.Current.ReadAsync((plan, values), static async (session, query, ct) =>
        {
            var found = new List<string>();
            await using DbDataReader reader = await session.Command(query.plan, query.values).ExecuteReaderAsync(ct);
            while (await reader.ReadAsync(ct)) found.Add(reader.GetString(3));
            return found;
        }, CancellationToken.None);
    }
}
