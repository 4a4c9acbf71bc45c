using System.Data.Common;
using Berth.Server.Platform.Data;

namespace Berth.Server.Scanning.Scanners;

/// <summary>Rows of scanners and of what projects have chosen.</summary>
internal static class ScannerRows
{
    /// <summary>All scanners that were entered, the oldest first.</summary>
    public static ValueTask<List<ScannerRegistration>> ListAsync(DbSession session, CancellationToken ct) => ReadAsync(session.Command(SelectAll), ct);

    /// <summary>A scanner by its id; null when there is none.</summary>
    public static async ValueTask<ScannerRegistration?> FindAsync(DbSession session, string id, CancellationToken ct) =>
        (await ReadAsync(session.Command(SelectOne, id.ToLowerInvariant()), ct).ConfigureAwait(false)).FirstOrDefault();

    /// <summary>The scanner of a project: its choice, else the default; null for the built-in one.</summary>
    public static async ValueTask<ScannerRegistration?> OfProjectAsync(DbSession session, long projectId, CancellationToken ct)
    {
        string? chosen;
        await using (var row = await session.Command(SelectChoice, projectId).ExecuteReaderAsync(ct).ConfigureAwait(false))
            chosen = await row.ReadAsync(ct).ConfigureAwait(false) ? row.GetString(0) : null;
        if (chosen == BuiltInScanner.Uuid) return null;
        // Whose choice is gone is scanned by the default.
        if (chosen is not null && await FindAsync(session, chosen, ct).ConfigureAwait(false) is { } scanner) return scanner;
        return (await ReadAsync(session.Command(SelectDefault), ct).ConfigureAwait(false)).FirstOrDefault();
    }

    /// <summary>Adds a scanner; false when its name is taken.</summary>
    public static async ValueTask<bool> AddAsync(DbSession session, ScannerRegistration one, CancellationToken ct) => await session.ExecuteAsync(Insert,
    [
        one.Id, one.Name, one.Description, one.Url, one.Kind, one.Auth, one.Credential, one.SkipCertVerify, one.IsDisabled, one.UseInternalAddress, one.CreatedAt,
    ], ct).ConfigureAwait(false) > 0;

    /// <summary>Writes what can be changed.</summary>
    public static async ValueTask UpdateAsync(DbSession session, ScannerRegistration one, CancellationToken ct) => await session.ExecuteAsync(Update,
    [
        one.Id, one.Name, one.Description, one.Url, one.Kind, one.Auth, one.Credential, one.SkipCertVerify, one.IsDisabled, one.UseInternalAddress, one.UpdatedAt,
    ], ct).ConfigureAwait(false);

    /// <summary>Whether another scanner has a name.</summary>
    public static async ValueTask<bool> IsTakenAsync(DbSession session, string name, string exceptId, CancellationToken ct) =>
        await session.ScalarAsync(CountNamed, [name, exceptId], ct).ConfigureAwait(false) > 0;

    /// <summary>Removes a scanner; projects that had chosen it go back to the default.</summary>
    public static async ValueTask DeleteAsync(DbSession session, string id, CancellationToken ct)
    {
        await session.ExecuteAsync(DeleteChoices, [id], ct).ConfigureAwait(false);
        await session.ExecuteAsync(Delete, [id], ct).ConfigureAwait(false);
    }

    /// <summary>Makes a scanner the default; the id of the built-in one makes that the default.</summary>
    public static async ValueTask SetDefaultAsync(DbSession session, string id, CancellationToken ct) => await session.ExecuteAsync(SetDefault, [id], ct).ConfigureAwait(false);

    /// <summary>Notes what a project has chosen.</summary>
    public static async ValueTask ChooseAsync(DbSession session, long projectId, string id, CancellationToken ct) => await session.ExecuteAsync(Choose, [projectId, id], ct).ConfigureAwait(false);

    private static async ValueTask<List<ScannerRegistration>> ReadAsync(DbCommand command, CancellationToken ct)
    {
        var found = new List<ScannerRegistration>();
        await using var row = await command.ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await row.ReadAsync(ct).ConfigureAwait(false))
        {
            found.Add(new ScannerRegistration
            {
                Id = row.GetString(0),
                Name = row.GetString(1),
                Description = row.GetString(2),
                Url = row.GetString(3),
                Kind = row.GetString(4),
                Auth = row.GetString(5),
                Credential = row.IsDBNull(6) ? null : row.GetFieldValue<byte[]>(6),
                SkipCertVerify = row.GetBoolean(7),
                IsDisabled = row.GetBoolean(8),
                UseInternalAddress = row.GetBoolean(9),
                IsDefault = row.GetBoolean(10),
                CreatedAt = row.GetInt64(11),
                UpdatedAt = row.GetInt64(12),
            });
        }
        return found;
    }

    private const string Select = """
        SELECT id, name, description, url, kind, auth, credential, skip_cert_verify, is_disabled, use_internal_address, is_default, created_at, updated_at FROM scanner_registrations
        """;

    private static readonly Statement SelectAll = new(Select + " ORDER BY created_at, id");
    private static readonly Statement SelectOne = new(Select + " WHERE id = @0");
    private static readonly Statement SelectDefault = new(Select + " WHERE is_default LIMIT 1");
    private static readonly Statement SelectChoice = new("SELECT scanner_id FROM project_scanners WHERE project_id = @0");

    private static readonly Statement Insert = new("""
        INSERT INTO scanner_registrations (id, name, description, url, kind, auth, credential, skip_cert_verify, is_disabled, use_internal_address, is_default, created_at, updated_at)
        VALUES (@0, @1, @2, @3, @4, @5, @6, @7, @8, @9, FALSE, @10, @10) ON CONFLICT (name) DO NOTHING
        """);

    private static readonly Statement Update = new("""
        UPDATE scanner_registrations SET name = @1, description = @2, url = @3, kind = @4, auth = @5, credential = @6, skip_cert_verify = @7, is_disabled = @8,
            use_internal_address = @9, updated_at = @10
        WHERE id = @0
        """);

    private static readonly Statement CountNamed = new("SELECT COUNT(*) FROM scanner_registrations WHERE name = @0 AND id <> @1");
    private static readonly Statement DeleteChoices = new("DELETE FROM project_scanners WHERE scanner_id = @0");
    private static readonly Statement Delete = new("DELETE FROM scanner_registrations WHERE id = @0");
    private static readonly Statement SetDefault = new("UPDATE scanner_registrations SET is_default = (id = @0)");

    private static readonly Statement Choose = new("""
        INSERT INTO project_scanners (project_id, scanner_id) VALUES (@0, @1) ON CONFLICT (project_id) DO UPDATE SET scanner_id = excluded.scanner_id
        """);
}
