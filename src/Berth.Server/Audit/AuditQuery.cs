using System.Data.Common;
using System.Globalization;
using System.Text;
using Berth.Server.Api;
using Berth.Server.Platform.Data;

namespace Berth.Server.Audit;

/// <summary>
/// A list of audit entries that fits a request. Pages are read over an index: of the project, of the time, of the actor. How many rows fit is counted up to
/// <see cref="CountedBeyondPage"/> rows behind the page: exact up to there, and never a walk through millions of rows.
/// </summary>
internal sealed class AuditQuery
{
    /// <summary>Rows behind the wanted page that are still counted.</summary>
    public const long CountedBeyondPage = 100_000;

    private readonly StringBuilder _where = new();
    private readonly List<object?> _values = [];
    private string _order = "at DESC, id DESC";

    /// <summary>Only entries of some projects.</summary>
    public AuditQuery In(IReadOnlyCollection<long> projects)
    {
        if (projects.Count == 0) Add("1 = 0");
        else Add($"project_id IN ({string.Join(", ", projects.Select(p => p.ToString(CultureInfo.InvariantCulture)))})");
        return this;
    }

    /// <summary>Adds what a request asks for; the sentence says what is wrong with it, or is null. Unknown keys are left out, as Harbor does.</summary>
    public string? TryAdd(ApiList list)
    {
        foreach (var filter in list.Filters)
        {
            if (!TryAdd(filter)) return $"invalid query condition: {filter.Key}: it does not compare with such a value";
        }
        if (list.Sort.Count > 0 && list.Sort.Select(s => ColumnOf(s.Key) is { } column ? column + (s.IsDescending ? " DESC" : "") : null).OfType<string>().ToList() is { Count: > 0 } order)
        {
            // Rows of one millisecond keep the order of the wish.
            if (order.TrueForAll(o => o is not ("id" or "id DESC"))) order.Add(order[0].EndsWith(" DESC", StringComparison.Ordinal) ? "id DESC" : "id");
            _order = string.Join(", ", order.Distinct());
        }
        return null;
    }

    /// <summary>Reads a page and counts.</summary>
    public async ValueTask<(List<AuditEntry> Page, long Total)> ReadAsync(DbSession session, ApiPage page, CancellationToken ct)
    {
        var rows = new List<AuditEntry>();
        await using (var command = CommandOf(session, string.Create(CultureInfo.InvariantCulture, $"SELECT {AuditRows.Columns} FROM audit_entries{_where} ORDER BY {_order} LIMIT {page.Size} OFFSET {page.Offset}")))
        {
            await using var reader = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
            while (await reader.ReadAsync(ct).ConfigureAwait(false)) rows.Add(AuditRows.Read(reader));
        }
        // The last page has told it.
        if (rows.Count > 0 && rows.Count < page.Size) return (rows, page.Offset + rows.Count);
        await using var count = CommandOf(session, string.Create(CultureInfo.InvariantCulture, $"SELECT count(*) FROM (SELECT 1 FROM audit_entries{_where} LIMIT {page.Offset + page.Size + CountedBeyondPage}) AS fits"));
        return (rows, Convert.ToInt64(await count.ExecuteScalarAsync(ct).ConfigureAwait(false), CultureInfo.InvariantCulture));
    }

    private bool TryAdd(ApiFilter filter)
    {
        if (ColumnOf(filter.Key) is not { } column) return true;
        switch (column)
        {
            case "at":
                if (filter.Times is not { } times) return false;
                if (filter.Kind == FilterKind.Range) Add($"at >= ? AND at <= ?", times.From, times.To);
                else Add("at = ?", times.From);
                return true;
            case "id" or "project_id":
                if (filter.Numbers is not { Count: > 0 } numbers || filter.Kind is not (FilterKind.Exact or FilterKind.AnyOf)) return false;
                AddAnyOf(column, [.. numbers.Select(n => (object?)n)]);
                return true;
            case "is_successful":
                if (filter.Kind != FilterKind.Exact || filter.Value is not ("true" or "false" or "1" or "0")) return false;
                Add("is_successful = ?", filter.Value is "true" or "1");
                return true;
        }
        if (filter.Kind == FilterKind.Fuzzy) AddContains(column, filter.Value);
        else if (filter.Kind is FilterKind.Exact or FilterKind.AnyOf) AddAnyOf(column, [.. filter.Values]);
        else return false;
        return true;
    }

    // Harbor takes the names of its columns and of its fields.
    private static string? ColumnOf(string key) => key.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant() switch
    {
        "id" => "id",
        "optime" or "creationtime" => "at",
        "projectid" => "project_id",
        "operation" => "operation",
        "resourcetype" => "resource_type",
        "resource" => "resource",
        "username" => "actor",
        "operationdescription" or "opdesc" => "description",
        "operationresult" or "opresult" or "issuccessful" => "is_successful",
        "address" => "address",
        "requestid" => "request_id",
        _ => null,
    };

    private void AddAnyOf(string column, object?[] values)
    {
        if (values.Length == 0) Add("1 = 0");
        else if (values.Length == 1) Add($"{column} = ?", values);
        else Add($"{column} IN ({string.Join(", ", values.Select(_ => "?"))})", values);
    }

    private void AddContains(string column, string text) => Add($"LOWER({column}) LIKE ? ESCAPE '!'", ListSql.Containing(text));

    private void Add(string condition, params ReadOnlySpan<object?> values)
    {
        _where.Append(_where.Length == 0 ? " WHERE " : " AND ");
        var next = 0;
        foreach (var c in condition)
        {
            if (c != '?')
            {
                _where.Append(c);
                continue;
            }
            _where.Append(CultureInfo.InvariantCulture, $"@{_values.Count}");
            _values.Add(values[next++]);
        }
    }

    // Not a prepared statement of the session: there are more shapes of questions than worth remembering.
    private DbCommand CommandOf(DbSession session, string sql)
    {
        var command = session.Connection.CreateCommand();
        command.Transaction = session.Transaction;
        command.CommandText = sql;
        for (var i = 0; i < _values.Count; i++)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = "@" + i;
            parameter.Value = _values[i] is string text ? text.Replace('\0', ' ') : _values[i] ?? DBNull.Value;
            command.Parameters.Add(parameter);
        }
        return command;
    }
}
