namespace Berth.Torture.Cluster;

/// <summary>Compares what the registry serves in the end with what clients know.</summary>
public static class ClusterCheck
{
    private const int Parallel = 8;

    /// <summary>Everything that was lost, came back, or is not whole.</summary>
    public static async Task RunAsync(ClusterModel model, IReadOnlyList<ClusterHttp> replicas, ClusterJournal journal, CancellationToken ct)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = ct };
        var work = model.Tags.Select(t => (Func<ClusterHttp, CancellationToken, Task>)((http, token) => TagAsync(t, http, journal, token)))
            .Concat(model.Manifests.Select(m => (Func<ClusterHttp, CancellationToken, Task>)((http, token) => ManifestAsync(model, m, http, journal, token))))
            .Select((check, n) => (check, replicas[n % replicas.Count]));
        await System.Threading.Tasks.Parallel.ForEachAsync(work, options, async (item, token) => await item.check(item.Item2, token));
    }

    private static async Task TagAsync(ClusterTag tag, ClusterHttp http, ClusterJournal journal, CancellationToken ct)
    {
        var answer = await http.GetAsync(tag.Path, ct);
        if (answer.Status is not (200 or 404)) journal.Found($"{tag} answers {answer.Status}");
        var isPossible = answer.Status == 200 ? tag.Possible.Any(m => m?.Digest.Value == answer.Digest) : tag.Possible.Contains(null) || (tag.Possible.Count > 1 && ClusterModel.IsSwept(tag.Repository));
        if (!isPossible) journal.Found($"{tag} answers {answer.Status} {answer.Digest}; it must be one of: {string.Join(", ", tag.Possible.Select(m => m?.Digest.Value ?? "nothing"))}");
    }

    private static async Task ManifestAsync(ClusterModel model, ClusterManifest manifest, ClusterHttp http, ClusterJournal journal, CancellationToken ct)
    {
        var answer = await http.GetAsync(manifest.Path, ct);
        if (answer.Status is not (200 or 404)) journal.Found($"{manifest} answers {answer.Status}");
        if (answer.Status != 200 && model.MustBeThere(manifest)) journal.Found($"{manifest} was acknowledged and is lost");
        if (answer.Status != 200) return;
        if (manifest.Presence == Presence.Absent && !manifest.IsFrozen) journal.Found(manifest.DeletedAt == default ? $"{manifest} was refused and is there" : $"{manifest} was deleted and is there again");
        journal.Count("manifests checked");
        if (!answer.Body.AsSpan().SequenceEqual(manifest.Content)) journal.Found($"{manifest} has other bytes");
        foreach (var blob in manifest.Blobs)
        {
            var read = await http.GetAsync($"/v2/{manifest.Repository}/blobs/{blob.Digest}", ct);
            if (read.Status != 200) journal.Found($"{manifest} is there, its blob {blob.Digest} answers {read.Status}");
            else if (Oci.Digest.Of(read.Body) != blob.Digest) journal.Found($"{blob.Digest} of {manifest} has other bytes");
        }
        foreach (var child in manifest.Children)
        {
            if ((await http.GetAsync(child.Path, ct)).Status != 200) journal.Found($"{manifest} is there, its child {child} is not");
        }
        if (!model.Manifests.Any(m => m.Subject == manifest)) return;
        foreach (var wrong in ClusterClient.WrongReferrers(model, manifest, await http.GetAsync($"/v2/{manifest.Repository}/referrers/{manifest.Digest}", ct))) journal.Found(wrong);
    }
}
