using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Access;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Http;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Registry;

/// <summary>
/// The lists of the protocol: tags, repositories, referrers. All page by key: <c>n</c> entries after <c>last</c>, and a Link header with
/// the next page (RFC 8288). Order is that of bytes.
/// </summary>
internal sealed class Listings(Database database, ICallerSource access, RegistryOptions options, HttpOptions http, TimeProvider time)
{
    /// <summary>GET <c>tags/list</c>.</summary>
    public async Task TagsAsync(RegistryRequest request)
    {
        if (!TryReadPage(request.Http.Request, 0, options.TagsMaxEntries, out var page))
        {
            await request.FailAsync(OciError.PaginationInvalid).ConfigureAwait(false);
            return;
        }
        var tags = await database.ReadAsync((request.Repository, page, now: time.GetUtcNow().ToUnixTimeMilliseconds()), static (s, q, ct) => SelectTagsAsync(s, q.Repository, q.page, q.now, ct), request.Aborted).ConfigureAwait(false);
        if (tags is null)
        {
            await request.FailAsync(OciError.NameUnknown, request.Repository).ConfigureAwait(false);
            return;
        }
        if (tags.Next is not null) Link(request.Http, page, tags.Next, "");
        var body = new ArrayBufferWriter<byte>(tags.QuotedNames.Length + request.Repository.Length + 32);
        Write(body, "{\"name\":\"", request.Repository, "\",\"tags\":[", tags.QuotedNames, "]}");
        await SendAsync(request.Http, "application/json; charset=utf-8", body).ConfigureAwait(false);
    }

    /// <summary>GET <c>_catalog</c>: the repositories that hold a manifest and that the caller may list.</summary>
    public async Task CatalogAsync(HttpContext context, Caller caller)
    {
        if (!TryReadPage(context.Request, options.CatalogDefaultEntries, options.CatalogMaxEntries, out var page))
        {
            await OciErrors.WriteAsync(context, OciError.PaginationInvalid).ConfigureAwait(false);
            return;
        }
        var names = new List<string>(page.Size);
        var last = page.Last;
        var hasMore = page.Size > 0;
        while (hasMore && names.Count <= page.Size)
        {
            var batch = await database.ReadAsync((last, page.Size + 1), static (s, q, ct) => SelectNamesAsync(s, q.last, q.Item2, ct), context.RequestAborted).ConfigureAwait(false);
            hasMore = batch.Count == page.Size + 1;
            if (batch.Count > 0) last = batch[^1];
            foreach (var name in batch)
            {
                if (await access.MayListAsync(caller, name, context.RequestAborted).ConfigureAwait(false)) names.Add(name);
            }
        }
        if (names.Count > page.Size)
        {
            names.RemoveRange(page.Size, names.Count - page.Size);
            if (page.Size > 0) Link(context, page, names[^1], "");
        }
        var body = new ArrayBufferWriter<byte>(4096);
        Write(body, "{\"repositories\":[", names.Count == 0 ? "" : "\"" + string.Join("\",\"", names) + "\"", "]}");
        await SendAsync(context, "application/json; charset=utf-8", body).ConfigureAwait(false);
    }

    /// <summary>GET <c>referrers/&lt;digest&gt;</c>: an index of the manifests whose subject it is; empty when there are none.</summary>
    public async Task ReferrersAsync(RegistryRequest request, string digestText)
    {
        if (!Digest.TryParse(digestText, out var digest))
        {
            await request.FailAsync(OciError.DigestInvalid, digestText).ConfigureAwait(false);
            return;
        }
        if (!TryReadPage(request.Http.Request, options.ReferrersMaxEntries, options.ReferrersMaxEntries, out var page))
        {
            await request.FailAsync(OciError.PaginationInvalid).ConfigureAwait(false);
            return;
        }
        var filter = request.Http.Request.Query["artifactType"].ToString();
        // No type holds a NUL (ManifestReader), and PostgreSQL takes none: the replacement character finds as little.
        var query = new ReferrersQuery(request.Repository, digest.Value, filter.Replace('\0', '\uFFFD'), page.Last, page.Size + 1);
        var referrers = await database.ReadAsync(query, static (s, q, ct) => SelectReferrersAsync(s, q, ct), request.Aborted).ConfigureAwait(false);
        if (filter.Length > 0) request.Http.Response.Headers["OCI-Filters-Applied"] = "artifactType";
        if (referrers.Count > page.Size)
        {
            referrers.RemoveAt(page.Size);
            Link(request.Http, page, referrers[^1].Digest, filter.Length > 0 ? $"&artifactType={Uri.EscapeDataString(filter)}" : "");
        }
        var body = new ArrayBufferWriter<byte>(1024);
        WriteIndex(body, referrers);
        await SendAsync(request.Http, MediaTypes.OciIndex, body).ConfigureAwait(false);
    }

    // ---- pages ----

    private readonly record struct Page(int Size, string Last, bool IsWhole);

    // A size of 0 as maximum means that a client without n gets everything.
    private static bool TryReadPage(HttpRequest request, int defaultSize, int maxSize, out Page page)
    {
        page = new Page(defaultSize > 0 ? defaultSize : maxSize, "", IsWhole: defaultSize == 0 && maxSize == 0);
        if (!request.QueryString.HasValue) return true;
        var size = request.Query["n"];
        page = page with { Last = UntilNul(request.Query["last"].ToString()) };
        if (size.Count == 0) return true;
        if (!int.TryParse(size.ToString(), out var n) || n < 0) return false;
        page = page with { Size = maxSize > 0 ? Math.Min(n, maxSize) : Math.Min(n, 100_000), IsWhole = false };
        return true;
    }

    // PostgreSQL takes no NUL in a text; what follows one changes nothing, because no name holds any.
    private static string UntilNul(string text) => text.IndexOf('\0', StringComparison.Ordinal) is var end and >= 0 ? text[..end] : text;

    private void Link(HttpContext context, Page page, string last, string more)
    {
        var path = context.Request.PathBase.Value + context.Request.Path.Value;
        if (!http.RelativeUrls && http.PublicUrl is { Length: > 0 } url) path = url.TrimEnd('/') + path;
        context.Response.Headers.Link = $"<{path}?n={page.Size}&last={Uri.EscapeDataString(last)}{more}>; rel=\"next\"";
    }

    // ---- queries ----

    // Names as they stand between the brackets of a JSON list: no tag or repository name has a character that JSON escapes.
    private sealed record TagPage(string QuotedNames, string? Next);

    private static async ValueTask<TagPage?> SelectTagsAsync(DbSession session, string repository, Page page, long now, CancellationToken ct)
    {
        if (await Rows.FindRepositoryAsync(session, repository, ct).ConfigureAwait(false) is not { } id) return null;
        if (page.IsWhole)
        {
            await using var whole = await session.Command(SelectAllTags, id, page.Last, now).ExecuteReaderAsync(ct).ConfigureAwait(false);
            await whole.ReadAsync(ct).ConfigureAwait(false);
            return new TagPage(whole.IsDBNull(0) ? "" : whole.GetString(0), null);
        }
        if (page.Size == 0) return new TagPage("", null);
        var names = new List<string>(Math.Min(page.Size, 1000) + 1);
        await using var reader = await session.Command(SelectTagPage, id, page.Last, page.Size + 1L, now).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) names.Add(reader.GetString(0));
        var hasMore = names.Count > page.Size;
        if (hasMore) names.RemoveAt(page.Size);
        return new TagPage(names.Count == 0 ? "" : "\"" + string.Join("\",\"", names) + "\"", hasMore ? names[^1] : null);
    }

    private static async ValueTask<List<string>> SelectNamesAsync(DbSession session, string last, int size, CancellationToken ct)
    {
        var names = new List<string>(size);
        await using var reader = await session.Command(SelectRepositories, last, (long)size).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) names.Add(reader.GetString(0));
        return names;
    }

    private readonly record struct ReferrersQuery(string Repository, string Subject, string ArtifactType, string Last, int Size);

    private sealed record Referrer(string Digest, string MediaType, string? ArtifactType, int Size, string? Annotations);

    private static async ValueTask<List<Referrer>> SelectReferrersAsync(DbSession session, ReferrersQuery query, CancellationToken ct)
    {
        var found = new List<Referrer>();
        var command = query.ArtifactType.Length == 0
            ? session.Command(SelectReferrers, query.Repository, query.Subject, query.Last, (long)query.Size)
            : session.Command(SelectReferrersOfType, query.Repository, query.Subject, query.Last, (long)query.Size, query.ArtifactType);
        await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new Referrer(
                reader.GetString(0), reader.GetString(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.GetInt32(3),
                reader.IsDBNull(4) ? null : reader.GetString(4)));
        }
        return found;
    }

    // ---- answers ----

    // A plus in a media type stays a plus: nothing here ends up inside HTML.
    private static readonly JsonWriterOptions PlainText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static void WriteIndex(ArrayBufferWriter<byte> body, List<Referrer> referrers)
    {
        using var json = new Utf8JsonWriter(body, PlainText);
        json.WriteStartObject();
        json.WriteNumber("schemaVersion", 2);
        json.WriteString("mediaType", MediaTypes.OciIndex);
        json.WriteStartArray("manifests");
        foreach (var referrer in referrers)
        {
            json.WriteStartObject();
            json.WriteString("mediaType", referrer.MediaType);
            json.WriteString("digest", referrer.Digest);
            json.WriteNumber("size", referrer.Size);
            if (!string.IsNullOrEmpty(referrer.ArtifactType)) json.WriteString("artifactType", referrer.ArtifactType);
            if (referrer.Annotations is { } annotations)
            {
                json.WritePropertyName("annotations");
                json.WriteRawValue(annotations);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(ArrayBufferWriter<byte> body, params ReadOnlySpan<string> parts)
    {
        foreach (var part in parts)
        {
            var written = System.Text.Encoding.UTF8.GetBytes(part, body.GetSpan(System.Text.Encoding.UTF8.GetMaxByteCount(part.Length)));
            body.Advance(written);
        }
    }

    private static async Task SendAsync(HttpContext context, string contentType, ArrayBufferWriter<byte> body)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.WrittenCount;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await context.Response.BodyWriter.WriteAsync(body.WrittenMemory, context.RequestAborted).ConfigureAwait(false);
    }

    // Lock 8 hides a tag (TagLocks.List); one whose time has come is gone.
    private static readonly Statement SelectTagPage = new("SELECT name FROM tags WHERE repository_id = @0 AND name > @1 AND (locks & 8) = 0 AND (expires_at IS NULL OR expires_at > @3) ORDER BY name LIMIT @2");

    // One row however many tags: joined where they are read.
    private static readonly Statement SelectAllTags = new(
        """SELECT '"' || group_concat(name, '","') || '"' FROM (SELECT name FROM tags WHERE repository_id = @0 AND name > @1 AND (locks & 8) = 0 AND (expires_at IS NULL OR expires_at > @2) ORDER BY name)""",
        """SELECT '"' || string_agg(name, '","' ORDER BY name) || '"' FROM tags WHERE repository_id = @0 AND name > @1 AND (locks & 8) = 0 AND (expires_at IS NULL OR expires_at > @2)""");

    private static readonly Statement SelectRepositories = new("""
        SELECT name FROM repositories r WHERE name > @0 AND EXISTS (SELECT 1 FROM manifests m WHERE m.repository_id = r.id) ORDER BY name LIMIT @1
        """);

    private static readonly Statement SelectReferrers = new("""
        SELECT m.digest, m.media_type, m.artifact_type, m.size, m.annotations FROM repositories r
        JOIN manifests m ON m.repository_id = r.id AND m.subject = @1 AND m.digest > @2
        WHERE r.name = @0 ORDER BY m.digest LIMIT @3
        """);

    private static readonly Statement SelectReferrersOfType = new("""
        SELECT m.digest, m.media_type, m.artifact_type, m.size, m.annotations FROM repositories r
        JOIN manifests m ON m.repository_id = r.id AND m.subject = @1 AND m.digest > @2
        WHERE r.name = @0 AND m.artifact_type = @4 ORDER BY m.digest LIMIT @3
        """);
}
