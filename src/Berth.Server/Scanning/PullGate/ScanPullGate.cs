using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Registry;
using Berth.Server.Scanning.Exceptions;

namespace Berth.Server.Scanning.PullGate;

/// <summary>
/// Keeps images with known vulnerabilities, or without a scan, from being pulled, where a project says so (<c>prevent_vul</c>): 1. whether the gate is up and the caller has to pass it, 2. whether it is an
/// image, 3. the verdict, which is believed for two seconds, 4. what follows from it. A project without a gate pays for one look-up in its settings.
/// </summary>
internal sealed class ScanPullGate(Database database, GateJudge judge, ScanExceptions exceptions, GateAudit audit, GateCounters counters, TimeProvider time) : IPullGate
{
    private static readonly TimeSpan s_believed = TimeSpan.FromSeconds(2);

    private readonly RecentMap<(string Repository, Digest Digest), Entry> _verdicts = new(8192);

    /// <inheritdoc/>
    public ValueTask<OciError?> CheckAsync(RegistryRequest request, string tag, CachedContent manifest) =>
        // 1.
        request.Rights.Project is { } project && GatePolicy.Of(project) is { } policy && !IsExempt(request) ? CheckAsync(request, tag, manifest, policy) : default;

    private async ValueTask<OciError?> CheckAsync(RegistryRequest request, string tag, CachedContent manifest, GatePolicy policy)
    {
        if (Find(request.Repository, manifest.Digest, policy) is not { } verdict)
        {
            // 2.
            if (!ManifestReader.TryRead(manifest.Bytes, manifest.MediaType.ToString(), out var document, out _) || !document.IsIndex && !GateImages.IsRunnable(document)) return null;
            // 3.
            var (at, version) = (time.GetTimestamp(), exceptions.Version);
            var images = await database.ReadAsync((request.Repository, manifest.Digest, GateImages.LeftOut(document)), static (session, q, ct) =>
                GateImages.OfAsync(session, q.Repository, q.Digest.Value, q.Item3, ct), request.Aborted).ConfigureAwait(false);
            verdict = await judge.JudgeAsync(policy, images, request.Aborted).ConfigureAwait(false);
            _verdicts.Set((request.Repository, manifest.Digest), new Entry(verdict, at, version));
        }
        if (verdict.IsOpen)
        {
            counters.CountPassed();
            return null;
        }
        // 4.
        var sentence = verdict.Sentence(tag.Length > 0 ? $"{request.Repository}:{tag}" : $"{request.Repository}@{manifest.Digest}");
        // RFC 9111 section 5.5; the OCI distribution spec has clients show it. A HEAD has no other place for it.
        request.Http.Response.Headers.Warning = $"299 - \"{Quoted(sentence)}\"";
        var isRefused = policy.Mode == GateMode.Enforce;
        if (isRefused) counters.CountRefused();
        else counters.CountWarned();
        await audit.TellAsync(request, tag, manifest.Digest, isRefused, sentence).ConfigureAwait(false);
        return isRefused ? OciError.PolicyViolation with { Message = sentence } : null;
    }

    /// <summary>
    /// Scanners have to read what they judge. Who may push asks by HEAD what is there before pushing over it or attaching to it, and is told; as in Harbor, cosign reads what it is to sign. Neither gets an image past the gate
    /// that the same caller could not have pushed.
    /// </summary>
    private static bool IsExempt(RegistryRequest request) =>
        request.Caller.IsScanner
        || (request.IsHead || request.Http.Request.Headers.UserAgent.ToString().Contains("cosign", StringComparison.OrdinalIgnoreCase)) && request.Rights.MayAccountPush;

    // While the database is away, what it said last is believed as long as anything else.
    private GateVerdict? Find(string repository, Digest digest, GatePolicy policy) =>
        _verdicts.TryGet((repository, digest), out var entry) && ReferenceEquals(entry.Verdict.Policy, policy) && !(entry.Verdict.ValidUntil <= time.GetUtcNow())
            && (exceptions.IsCurrent(entry.Version) && time.GetElapsedTime(entry.At) < s_believed || database.Outage.MayBelieve(entry.At))
            ? entry.Verdict
            : null;

    // A quoted string of a header: ASCII, with quotes and backslashes taken out.
    private static string Quoted(string text) => string.Create(text.Length, text, static (to, from) =>
    {
        for (var i = 0; i < to.Length; i++) to[i] = from[i] is >= ' ' and <= '~' and not ('"' or '\\') ? from[i] : '?';
    });

    private sealed record Entry(GateVerdict Verdict, long At, long Version);
}
