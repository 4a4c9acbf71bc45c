using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text;
using Berth.Server.Api;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;
using Microsoft.AspNetCore.Http;

namespace Berth.Server.Audit;

/// <summary>
/// Streams the entries of a time, oldest first. It reads by key, a few thousand rows at a time, so it holds neither memory nor a transaction however much there is.
/// </summary>
internal sealed class AuditExport(Database database)
{
    private const int BatchSize = 2000;

    /// <summary>Answers <c>GET /api/berth/v1/audit/export?from=&amp;to=&amp;format=jsonl|csv</c>.</summary>
    public Task<ApiResult> RunAsync(ApiCall call, CancellationToken ct)
    {
        var (from, to, format) = (call.Query("from"), call.Query("to"), call.Query("format"));
        var range = new ApiFilter("time", FilterKind.Range, [from, to]).Times;
        if (range is not { } times) return Task.FromResult(ApiResult.BadRequest("from and to must be times such as 2026-01-31 or 2026-01-31T08:00:00Z"));
        if (format is not ("" or "jsonl" or "csv")) return Task.FromResult(ApiResult.BadRequest("format must be jsonl or csv"));
        var asCsv = format == "csv";
        return Task.FromResult(ApiResult.Stream(asCsv ? "text/csv; charset=utf-8" : "application/jsonl", (context, token) => WriteAsync(context, times.From, times.To, asCsv, token)));
    }

    private async Task WriteAsync(HttpContext context, long from, long to, bool asCsv, CancellationToken ct)
    {
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"audit.{(asCsv ? "csv" : "jsonl")}\"";
        var body = context.Response.BodyWriter;
        if (asCsv) body.Write("id,time,operation,resource_type,resource,project_id,actor,address,request_id,description,successful,count\r\n"u8);
        var (at, id) = (from, 0L);
        while (true)
        {
            var batch = await database.ReadAsync((at, id, to), static (session, q, token) => ReadAsync(session, q.at, q.id, q.to, token), ct).ConfigureAwait(false);
            foreach (var entry in batch)
            {
                if (asCsv) WriteCsv(body, entry);
                else WriteJson(body, entry);
            }
            if ((await body.FlushAsync(ct).ConfigureAwait(false)).IsCompleted || batch.Count < BatchSize) return;
            (at, id) = (batch[^1].At, batch[^1].Id);
        }
    }

    private static void WriteJson(IBufferWriter<byte> body, AuditEntry entry)
    {
        using (var json = new Utf8JsonWriter(body)) JsonSerializer.Serialize(json, AuditRecord.Of(entry), AuditJson.Default.AuditRecord);
        body.Write("\n"u8);
    }

    private static void WriteCsv(IBufferWriter<byte> body, AuditEntry entry)
    {
        string[] fields =
        [
            entry.Id.ToString(CultureInfo.InvariantCulture), UtcText.Of(entry.At), entry.Operation, entry.ResourceType, entry.Resource,
            entry.ProjectId?.ToString(CultureInfo.InvariantCulture) ?? "", entry.Actor, entry.Address, entry.RequestId, entry.Description,
            entry.IsSuccessful ? "true" : "false", entry.Count.ToString(CultureInfo.InvariantCulture),
        ];
        Encoding.UTF8.GetBytes(string.Join(',', fields.Select(Field)) + "\r\n", body);
    }

    // RFC 4180. A text that a spreadsheet would take for a formula gets a quote before it.
    private static string Field(string text)
    {
        if (text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t') text = "'" + text;
        return text.AsSpan().IndexOfAny("\",\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static async ValueTask<List<AuditEntry>> ReadAsync(DbSession session, long at, long id, long to, CancellationToken ct)
    {
        var batch = new List<AuditEntry>(BatchSize);
        await using var reader = await session.Command(SelectBatch, at, id, to, (long)BatchSize).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await reader.ReadAsync(ct).ConfigureAwait(false)) batch.Add(AuditRows.Read(reader));
        return batch;
    }

    private static readonly Statement SelectBatch = new(
        $"SELECT {AuditRows.Columns} FROM audit_entries WHERE at >= @0 AND (at > @0 OR id > @1) AND at <= @2 ORDER BY at, id LIMIT @3");
}
