using Berth.Scanner.Secrets;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;

namespace Berth.Server.Scanning.Contents;

/// <summary>What a scan of an image looks for beside packages.</summary>
/// <param name="Secrets">Looks for secrets; null leaves them out.</param>
/// <param name="Misconfiguration">Whether the configuration is checked.</param>
/// <param name="PreferAttachedSbom">Whether the packages of an attached bill of materials count in place of those of the layers.</param>
internal sealed record ContentSettings(SecretScanner? Secrets, bool Misconfiguration, bool PreferAttachedSbom)
{
    /// <summary>The settings of a project; where it says nothing, those of the installation.</summary>
    public static async Task<ContentSettings> ReadAsync(Database database, RuntimeSettings settings, SecretRules rules, long projectId, CancellationToken ct)
    {
        var own = await database.ReadAsync(projectId, static async ValueTask<Dictionary<string, bool>> (session, id, token) =>
        {
            var found = new Dictionary<string, bool>(StringComparer.Ordinal);
            await using var rows = await session.Command(Select, id).ExecuteReaderAsync(token).ConfigureAwait(false);
            while (await rows.ReadAsync(token).ConfigureAwait(false)) found[rows.GetString(0)] = rows.GetString(1) == "true";
            return found;
        }, ct).ConfigureAwait(false);
        var all = await settings.ReadAsync(ct).ConfigureAwait(false);
        var secrets = own.TryGetValue(ProjectSettings.ScanSecrets, out var wanted) ? wanted : all.Of(RuntimeSettingTable.ScanSecrets);
        var misconfiguration = own.TryGetValue(ProjectSettings.ScanMisconfiguration, out var check) ? check : all.Of(RuntimeSettingTable.ScanMisconfiguration);
        return new ContentSettings(secrets ? rules.Current() : null, misconfiguration, own.GetValueOrDefault(ProjectSettings.PreferAttachedSbom));
    }

    private static readonly Statement Select = new($"""
        SELECT name, value FROM project_metadata WHERE project_id = @0
            AND name IN ('{ProjectSettings.PreferAttachedSbom}', '{ProjectSettings.ScanSecrets}', '{ProjectSettings.ScanMisconfiguration}')
        """);
}
