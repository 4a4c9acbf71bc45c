using System.Text.Json;

namespace Berth.Torture.Cluster;

/// <summary>
/// One client: does its operations one after the other on repositories that it shares with others, with tags and manifests of its own and layers that others have too.
/// It writes down what was acknowledged, and what became of requests that were cut off is open for ever.
/// </summary>
public sealed class ClusterClient(int number, ClusterPlan plan, ClusterContent content, ClusterHttp http, ClusterJournal journal)
{
    private const int Tries = 4;
    private const int TagsOfRepository = 6;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(400);

    // What another replica remembers of content (ten seconds), and some more.
    private static readonly TimeSpan s_remembered = TimeSpan.FromSeconds(15);

    private readonly BlobPusher _blobs = new(http);

    /// <summary>Repositories of all clients: in two projects, one of which removes manifests without a tag.</summary>
    public static readonly IReadOnlyList<string> Repositories = ["kept/a", "kept/b", $"{ClusterModel.SweptProject}/a", $"{ClusterModel.SweptProject}/b"];

    public ClusterModel Model { get; } = new();

    /// <summary>Goes on until it is told to end; the operation under way is finished.</summary>
    public async Task RunAsync(CancellationToken end, CancellationToken ct)
    {
        for (var n = 0; !end.IsCancellationRequested; n++)
        {
            var operation = plan.OperationOf(number, n);
            await DoAsync(operation, new Random(operation.Seed), ct);
            journal.Count("operations");
        }
    }

    private Task DoAsync(Operation operation, Random random, CancellationToken ct) => operation.Kind switch
    {
        OperationKind.Push => PushAsync(operation, random, ct),
        OperationKind.PushIndex => PushIndexAsync(operation, random, ct),
        OperationKind.PushReferrer => PushReferrerAsync(operation, random, ct),
        OperationKind.Retag => RetagAsync(operation, random, ct),
        OperationKind.Pull => PullAsync(operation, random, ct),
        OperationKind.ReadDeleted => ReadDeletedAsync(operation, random, ct),
        OperationKind.DeleteTag => DeleteTagAsync(random, ct),
        OperationKind.DeleteManifest => DeleteManifestAsync(random, ct),
        OperationKind.LooseBlob => _blobs.PushAsync(Repository(random), Repository(random), Bytes.Of($"{operation.Seed} loose", random.Next(100, 20_000)), random, ct),
        OperationKind.AbandonUpload => _blobs.AbandonAsync(Repository(random), Bytes.Of($"{operation.Seed} left", random.Next(100, 400_000)), random, ct),
        _ => throw new InvalidOperationException($"{operation.Kind} is not known"),
    };

    // ---- pushes ----

    private async Task PushAsync(Operation operation, Random random, CancellationToken ct)
    {
        var repository = Repository(random);
        var image = ClusterContent.Image(repository, Label(operation, 0), Layers(operation, random));
        await PushWholeAsync(image, TagOf(repository, random), random, ct);
    }

    private async Task PushIndexAsync(Operation operation, Random random, CancellationToken ct)
    {
        var repository = Repository(random);
        var tag = TagOf(repository, random);
        var children = new List<ClusterManifest>();
        for (var n = 0; n < 2; n++)
        {
            var child = ClusterContent.Image(repository, Label(operation, n), Layers(operation, random));
            if (!await PushWholeAsync(child, null, random, ct)) return;
            children.Add(child);
        }
        await PushWholeAsync(ClusterContent.Index(repository, Label(operation, 2), children), tag, random, ct);
    }

    private async Task PushReferrerAsync(Operation operation, Random random, CancellationToken ct)
    {
        var subjects = Model.Manifests.Where(m => !m.IsFrozen && m.Subject is null && Model.MustBeThere(m)).ToList();
        if (subjects.Count == 0) return;
        var subject = subjects[random.Next(subjects.Count)];
        var referrer = ClusterContent.Referrer(subject.Repository, Label(operation, 0), content.Layer(random, Label(operation, 1)), subject);
        await PushWholeAsync(referrer, null, random, ct);
        await CheckReferrersAsync(operation, subject, ct);
    }

    /// <summary>Blobs, then the manifest; from the beginning when garbage collection was faster than the client.</summary>
    private async Task<bool> PushWholeAsync(ClusterManifest manifest, ClusterTag? tag, Random random, CancellationToken ct)
    {
        Model.Manifests.Add(manifest);
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            foreach (var blob in manifest.Blobs)
            {
                if (!await _blobs.PushAsync(manifest.Repository, Repository(random), blob, random, ct)) return GiveUp();
                journal.Count("blobs pushed");
            }
            if (await PutAsync(manifest, tag, ct) is { } isDone) return isDone;
            // A child that went meanwhile does not come back by itself.
            if (manifest.Children.Count > 0) return GiveUp();
            journal.Count("pushes begun again");
        }
        return GiveUp();

        bool GiveUp()
        {
            journal.Count("pushes given up");
            return false;
        }
    }

    /// <summary>PUT of a manifest; null when it was refused since something that it names is not there.</summary>
    private async Task<bool?> PutAsync(ClusterManifest manifest, ClusterTag? tag, CancellationToken ct)
    {
        var isPending = false;
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            if (attempt > 0) await Task.Delay(s_pause * attempt, TimeProvider.System, ct);
            var answer = await http.SendAsync(HttpMethod.Put, tag?.Path ?? manifest.Path, ct, manifest.Content, manifest.MediaType);
            if (answer.Status == 201)
            {
                journal.Count("manifests acknowledged");
                ClusterModel.Pushed(manifest, tag, isPending || answer.WasRetried);
                return true;
            }
            if (answer.IsUnclear)
            {
                isPending = true;
                journal.Count("answers missing");
                continue;
            }
            if (!answer.Text.Contains("UNKNOWN", StringComparison.Ordinal)) journal.Found($"PUT {manifest} was refused: {answer.Status} {answer.Text}");
            if (!isPending) return null;
            break;
        }
        ClusterModel.PushInDoubt(manifest, tag);
        journal.Count("in doubt");
        return false;
    }

    private async Task RetagAsync(Operation operation, Random random, CancellationToken ct)
    {
        var images = Model.Manifests.Where(m => !m.IsFrozen && Model.MustBeThere(m)).ToList();
        if (images.Count == 0) return;
        var image = images[random.Next(images.Count)];
        var tag = TagOf(image.Repository, random);
        if (await PutAsync(image, tag, ct) is null && Model.MustBeThere(image)) journal.Found($"{operation}: {image} is there, but cannot be tagged {tag}: something that it names is gone");
    }

    // ---- reads ----

    private async Task PullAsync(Operation operation, Random random, CancellationToken ct)
    {
        var tags = Model.Tags.Where(t => t.Only is not null).ToList();
        if (tags.Count == 0) return;
        var tag = tags[random.Next(tags.Count)];
        var image = tag.Only!;
        var answer = await http.GetAsync(tag.Path, ct);
        if (answer.Status == 200 && answer.Digest != image.Digest.Value && !(journal.ReadsMayBeOld && tag.History.Any(d => d.Value == answer.Digest)))
            journal.Found($"{operation}: {tag} is {answer.Digest}, not {image.Digest}");
        if (answer.Status is >= 400 and < 500) journal.Found($"{operation}: {tag} answers {answer.Status}, it must be {image}");
        foreach (var blob in image.Blobs.Take(2))
        {
            var read = await http.GetAsync($"/v2/{image.Repository}/blobs/{blob.Digest}", ct);
            if (read.Status == 200 && Oci.Digest.Of(read.Body) != blob.Digest) journal.Found($"{operation}: {blob.Digest} of {image} has other bytes");
            if (read.Status is >= 400 and < 500) journal.Found($"{operation}: {blob.Digest} of {image} answers {read.Status}");
        }
        journal.Count("pulls");
    }

    private async Task ReadDeletedAsync(Operation operation, Random random, CancellationToken ct)
    {
        var paths = Model.Tags.Where(t => !t.IsFrozen && t.Only is null && t.Possible.Count == 1 && t.History.Count > 0).Select(t => t.Path)
            .Concat(Model.Manifests.Where(m => !m.IsFrozen && m.Presence == Presence.Absent && m.DeletedAt != default && m.DeletedAt < journal.Now - s_remembered).Select(m => m.Path)).ToList();
        if (paths.Count == 0) return;
        var path = paths[random.Next(paths.Count)];
        var mayBeOld = journal.ReadsMayBeOld;
        var answer = await http.GetAsync(path, ct);
        if (answer.Status == 200 && !mayBeOld && !journal.ReadsMayBeOld) journal.Found($"{operation}: {path} was deleted and answers 200");
    }

    private async Task CheckReferrersAsync(Operation operation, ClusterManifest subject, CancellationToken ct)
    {
        var mayBeOld = journal.ReadsMayBeOld;
        var answer = await http.GetAsync($"/v2/{subject.Repository}/referrers/{subject.Digest}", ct);
        if (answer.Status != 200 || mayBeOld || journal.ReadsMayBeOld) return;
        foreach (var wrong in WrongReferrers(Model, subject, answer)) journal.Found($"{operation}: {wrong}");
    }

    /// <summary>Referrers of a subject that have to be listed and are not, and that must not be and are.</summary>
    public static IEnumerable<string> WrongReferrers(ClusterModel model, ClusterManifest subject, Answer answer)
    {
        var listed = JsonDocument.Parse(answer.Body).RootElement.GetProperty("manifests").EnumerateArray().Select(d => d.GetProperty("digest").GetString()).ToHashSet();
        foreach (var referrer in model.Manifests.Where(m => m.Subject == subject))
        {
            if (model.MustBeThere(referrer) && !listed.Contains(referrer.Digest.Value)) yield return $"{referrer} is not listed as a referrer of {subject}";
            if (referrer.Presence == Presence.Absent && listed.Contains(referrer.Digest.Value)) yield return $"{referrer} is gone and listed as a referrer of {subject}";
        }
    }

    // ---- deletions ----

    private async Task DeleteTagAsync(Random random, CancellationToken ct)
    {
        var tags = Model.Tags.Where(t => !t.IsFrozen && t.Only is not null).ToList();
        if (tags.Count == 0) return;
        var tag = tags[random.Next(tags.Count)];
        if (await DeleteAsync(tag.Path, ct) is not { } isPending)
        {
            tag.MayBecome(null);
            return;
        }
        tag.Set(null);
        tag.IsFrozen |= isPending;
    }

    private async Task DeleteManifestAsync(Random random, CancellationToken ct)
    {
        var manifests = Model.Manifests.Where(m => m.Presence == Presence.Present && Model.MayDelete(m)).ToList();
        if (manifests.Count == 0) return;
        var manifest = manifests[random.Next(manifests.Count)];
        if (await DeleteAsync(manifest.Path, ct) is { } isPending) Model.Deleted(manifest, isPending, journal.Now);
        else Model.DeleteInDoubt(manifest);
    }

    /// <summary>Deletes; whether an earlier try may still be carried out, null when nobody knows whether it is gone.</summary>
    private async Task<bool?> DeleteAsync(string path, CancellationToken ct)
    {
        var isPending = false;
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            if (attempt > 0) await Task.Delay(s_pause * attempt, TimeProvider.System, ct);
            var answer = await http.SendAsync(HttpMethod.Delete, path, ct);
            // Not there: an earlier try has done it, or garbage collection.
            if (answer.Status is 202 or 404)
            {
                journal.Count("deletions acknowledged");
                return isPending || answer.WasRetried;
            }
            if (!answer.IsUnclear) journal.Found($"DELETE {path} was refused: {answer.Status} {answer.Text}");
            isPending = true;
            journal.Count("answers missing");
        }
        journal.Count("in doubt");
        return null;
    }

    // ---- names ----

    private static string Repository(Random random) => Repositories[random.Next(Repositories.Count)];

    private string Label(Operation operation, int part) => $"{number}-{operation.Number}-{part}";

    private List<Bytes> Layers(Operation operation, Random random) =>
        [.. Enumerable.Range(0, random.Next(1, 4)).Select(n => content.Layer(random, Label(operation, 100 + n))).DistinctBy(l => l.Digest)];

    /// <summary>One of few tags of a repository; instead of one that is in doubt, one with a new name.</summary>
    private ClusterTag TagOf(string repository, Random random)
    {
        var name = $"c{number}-t{random.Next(TagsOfRepository)}";
        var known = Model.Tags.Where(t => t.Repository == repository && t.Name.StartsWith(name + ".", StringComparison.Ordinal)).ToList();
        if (known.Find(t => !t.IsFrozen) is { } usable) return usable;
        var tag = new ClusterTag(repository, $"{name}.{known.Count}");
        Model.Tags.Add(tag);
        return tag;
    }
}
