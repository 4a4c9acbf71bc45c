namespace Berth.Torture.Cluster;

/// <summary>Brings blobs to a repository in the ways that clients do. Each request of an upload may meet another replica.</summary>
public sealed class BlobPusher(ClusterHttp http)
{
    private const int Tries = 5;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(300);

    /// <summary>Pushes a blob; true when the registry has said that it holds it.</summary>
    public async Task<bool> PushAsync(string repository, string otherRepository, Bytes blob, Random random, CancellationToken ct)
    {
        var way = random.Next(100);
        var cuts = new Random(random.Next());
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            if (attempt > 0) await Task.Delay(s_pause * attempt, TimeProvider.System, ct);
            var isThere = way switch
            {
                < 35 => await CheckAsync(repository, blob, ct) || await WholeAsync(repository, blob, ct),
                < 55 => await MountAsync(repository, otherRepository, blob, cuts, ct),
                < 75 => await WholeAsync(repository, blob, ct),
                _ => await ChunkedAsync(repository, null, blob, cuts, ct),
            };
            if (isThere) return true;
            // What the check had said may be what has changed.
            way = 60 + random.Next(40);
        }
        return false;
    }

    /// <summary>Begins an upload, sends some of it, and cancels it or leaves it.</summary>
    public async Task AbandonAsync(string repository, Bytes blob, Random random, CancellationToken ct)
    {
        var start = await http.SendAsync(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/", ct);
        if (start.Status != 202) return;
        var session = start.Location!.ToString();
        await http.SendAsync(HttpMethod.Patch, session, ct, blob.Content[..random.Next(1, blob.Size)]);
        if (random.Next(2) == 0) await http.SendAsync(HttpMethod.Delete, session, ct);
    }

    private async Task<bool> CheckAsync(string repository, Bytes blob, CancellationToken ct) =>
        (await http.SendAsync(HttpMethod.Head, $"/v2/{repository}/blobs/{blob.Digest}", ct)).Status == 200;

    private async Task<bool> WholeAsync(string repository, Bytes blob, CancellationToken ct) =>
        (await http.SendAsync(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/?digest={blob.Digest}", ct, blob.Content)).Status == 201;

    private async Task<bool> MountAsync(string repository, string from, Bytes blob, Random cuts, CancellationToken ct)
    {
        var answer = await http.SendAsync(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/?mount={blob.Digest}&from={from}", ct);
        return answer.Status == 201 || (answer.Status == 202 && await ChunkedAsync(repository, answer.Location!.ToString(), blob, cuts, ct));
    }

    /// <summary>POST, PATCH …, PUT; after a failure it asks where the upload stands and goes on from there.</summary>
    private async Task<bool> ChunkedAsync(string repository, string? session, Bytes blob, Random cuts, CancellationToken ct)
    {
        if (session is null)
        {
            var start = await http.SendAsync(HttpMethod.Post, $"/v2/{repository}/blobs/uploads/", ct);
            if (start.Status != 202) return false;
            session = start.Location!.ToString();
        }
        var content = blob.Content;
        var failures = 0;
        var pieces = cuts.Next(1, 4);
        for (var offset = 0; offset < content.Length;)
        {
            var size = Math.Min(content.Length - offset, Math.Max(2, content.Length / pieces + cuts.Next(100)));
            var answer = await http.SendAsync(HttpMethod.Patch, session, ct, content[offset..(offset + size)], contentRange: $"{offset}-{offset + size - 1}");
            if (answer.Status == 202)
            {
                offset += size;
                session = answer.Location!.ToString();
                continue;
            }
            if (++failures > Tries) return false;
            await Task.Delay(s_pause * failures, TimeProvider.System, ct);
            var status = await http.GetAsync(session, ct);
            if (status.Status == 404) return false;
            // "0-0" is what both nothing and one byte look like; no piece has one byte.
            if (status.Status == 204 && status.Range is { } range && int.TryParse(range[(range.IndexOf('-') + 1)..], out var last)) offset = last == 0 ? 0 : last + 1;
        }
        var separator = session.Contains('?', StringComparison.Ordinal) ? '&' : '?';
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            var end = await http.SendAsync(HttpMethod.Put, $"{session}{separator}digest={blob.Digest}", ct);
            if (end.Status == 201) return true;
            if (!end.IsUnclear) return false;
            await Task.Delay(s_pause * (attempt + 1), TimeProvider.System, ct);
        }
        return false;
    }
}
