using System.Buffers;
using Berth.Oci;
using Berth.Server.Platform.Events;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// PUT of a manifest (OCI distribution spec, "Pushing Manifests"): 1. reference and tags, 2. the bytes, 3. the digest, 4. the document and
/// what the settings allow, 5. one transaction that checks and writes everything (<see cref="ManifestCommit"/>), 6. the answer.
/// </summary>
internal sealed class Push(ManifestCommit commit, ManifestPolicy policy, RegistryOptions options, HttpOptions http, DomainEvents domainEvents, TimeProvider time)
{
    public async Task ManifestAsync(RegistryRequest request, string referenceText)
    {
        // 1.
        var tags = new List<string>();
        if (ReadTags(request, referenceText, out var reference, tags) is { } badReference)
        {
            await request.FailAsync(badReference).ConfigureAwait(false);
            return;
        }

        // 2.
        var content = await ReadBodyAsync(request).ConfigureAwait(false);
        if (content is null)
        {
            await request.FailAsync(OciError.TooLarge, $"a manifest may have {options.MaxManifestBytes} bytes").ConfigureAwait(false);
            return;
        }

        // 3.
        var digest = Digest.Of(content, reference.IsDigest ? reference.Digest.Algorithm : DigestAlgorithm.Sha256);
        if (reference.IsDigest && digest != reference.Digest)
        {
            await request.FailAsync(OciError.DigestInvalid, $"the manifest has the digest {digest}").ConfigureAwait(false);
            return;
        }

        // 4.
        if (!TryReadDocument(request, content, out var document, out var problem))
        {
            await request.FailAsync(OciError.ManifestInvalid, problem).ConfigureAwait(false);
            return;
        }

        // 5.
        var expiresAt = TagExpiry.EndOf(document, time.GetUtcNow(), out var expiryProblem);
        var change = new ManifestChange(digest, document, content, tags, TagCondition.Of(request.Http.Request)) { ExpiresAt = expiresAt };
        var outcome = await commit.CommitAsync(request, change).ConfigureAwait(false);

        // 6.
        if (outcome.AfterRollback is { } refused) await domainEvents.RaiseAsync(refused, request.Aborted).ConfigureAwait(false);
        if (outcome.Error is { } error) await request.FailAsync(error, outcome.Details).ConfigureAwait(false);
        else Created(request, reference, change, expiryProblem is null ? outcome.Warnings : [.. outcome.Warnings, expiryProblem]);
    }

    // The tag of the path, or the tags of the query beside a digest.
    private OciError? ReadTags(RegistryRequest request, string text, out ManifestReference reference, List<string> tags)
    {
        if (ManifestReference.TryParse(text, out reference) is { } error) return error;
        if (!reference.IsDigest) tags.Add(reference.Tag);
        if (!request.Http.Request.QueryString.HasValue) return null;
        foreach (var tag in request.Http.Request.Query["tag"])
        {
            if (!TagName.IsValid(tag)) return OciError.TagInvalid;
            if (!tags.Contains(tag!)) tags.Add(tag!);
        }
        return tags.Count > options.MaxTagsPerPut ? OciError.TooManyTags : null;
    }

    private async ValueTask<byte[]?> ReadBodyAsync(RegistryRequest request)
    {
        if (request.Http.Request.ContentLength > options.MaxManifestBytes) return null;
        var body = request.Http.Request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync(request.Aborted).ConfigureAwait(false);
            if (read.Buffer.Length > options.MaxManifestBytes)
            {
                body.AdvanceTo(read.Buffer.End);
                return null;
            }
            if (read.IsCompleted)
            {
                var content = read.Buffer.ToArray();
                body.AdvanceTo(read.Buffer.End);
                request.Facts.BytesReceived += content.Length;
                return content;
            }
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private bool TryReadDocument(RegistryRequest request, byte[] content, out ManifestDocument document, out string problem)
    {
        var contentType = MediaTypes.WithoutParameters(request.Http.Request.ContentType ?? "");
        // Types that say nothing: the document speaks for itself.
        if (contentType is "application/json" or "application/octet-stream") contentType = "";
        if (!ManifestReader.TryRead(content, contentType, out document, out problem)) return false;
        if (document.MediaType.Length == 0) problem = "neither Content-Type nor the manifest names a media type";
        else if (!MediaTypes.IsValid(document.MediaType)) problem = "the media type is malformed";
        else problem = policy.Check(document);
        return problem.Length == 0;
    }

    // A quoted-string of visible ASCII (RFC 9110 section 5.6.4).
    private static string Quotable(string text) => string.Concat(text.Select(c => c is >= ' ' and < (char)127 and not ('"' or '\\') ? c : '\''));

    private void Created(RegistryRequest request, ManifestReference reference, ManifestChange change, IReadOnlyList<string> warnings)
    {
        var response = request.Http.Response;
        response.StatusCode = 201;
        response.ContentLength = 0;
        response.Headers.Location = request.Link(http, $"{request.Repository}/manifests/{reference}");
        response.Headers["Docker-Content-Digest"] = change.Digest.Value;
        response.Headers.ETag = $"\"{change.Digest}\"";
        if (change.Document.Subject is { } subject) response.Headers["OCI-Subject"] = subject.Digest.Value;
        if (reference.IsDigest && change.Tags.Count > 0) response.Headers["OCI-Tag"] = string.Join(", ", change.Tags);
        // RFC 7234 section 5.5.7: 299 is any warning that lasts; the agent may stay unnamed.
        foreach (var warning in warnings) response.Headers.Append("Warning", $"299 - \"{Quotable(warning)}\"");
    }
}

/// <summary>A manifest that is to be written.</summary>
internal sealed record ManifestChange(Digest Digest, ManifestDocument Document, byte[] Content, IReadOnlyList<string> Tags, TagCondition Condition)
{
    /// <summary>When its tags end, in Unix milliseconds; null for never. Archived manifests, and tags that may not be deleted, do not.</summary>
    public long? ExpiresAt { get; init; }
}

/// <summary>Compare-and-swap of a tag: If-Match and If-None-Match on PUT (RFC 9110 section 13.1).</summary>
/// <param name="MustBe">ETags that the tag must point to now; null for no such condition.</param>
/// <param name="MustNotExist">The tag must not exist.</param>
internal sealed record TagCondition(string? MustBe, bool MustNotExist)
{
    public static TagCondition Of(HttpRequest request) => new(
        request.Headers.IfMatch.Count > 0 ? request.Headers.IfMatch.ToString() : null,
        request.Headers.IfNoneMatch.ToString().Trim() == "*");

    /// <summary>Whether a tag that points to a digest, or does not exist, may be written.</summary>
    public bool Holds(string? current)
    {
        if (MustNotExist && current is not null) return false;
        if (MustBe is null) return true;
        if (current is null) return false;
        return MustBe.Trim() == "*" || MustBe.Split(',').Any(part => part.Trim().Trim('"') == current);
    }
}

/// <summary>Outcome of writing a manifest.</summary>
/// <param name="Error">Null when it is written.</param>
/// <param name="Details">What exactly is wrong.</param>
internal sealed record ManifestOutcome(OciError? Error, IReadOnlyList<string> Details)
{
    /// <summary>What is to be told although nothing was written.</summary>
    public DomainEvent? AfterRollback { get; init; }

    /// <summary>What is to be told although it is written.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public static readonly ManifestOutcome Written = new(null, []);
}
