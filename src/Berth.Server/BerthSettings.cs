using System.Text;
using Berth.Server.Access;
using Berth.Server.Identity.Sessions;
using Berth.Server.Platform.Secrets;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Settings;
using Berth.Server.Projects;
using Microsoft.Extensions.DependencyInjection;

namespace Berth.Server;

/// <summary>
/// Registers the settings that can be changed while the server runs, with what the configuration file fixes of them: whatever stands in its section
/// <c>settings</c>, and what its other sections say differently from their defaults.
/// </summary>
internal static class BerthSettings
{
    private const string Purpose = "setting";

    public static IServiceCollection AddSettings(this IServiceCollection services, BerthOptions options) =>
        services.AddSingleton(p => options.Access.Mode == AccessMode.Local
            ? new RuntimeSettings(p.GetRequiredService<Database>(), CipherOf(p.GetRequiredService<InstallationSecret>()), FixedBy(options))
            : RuntimeSettings.Constant(FixedBy(options)));

    /// <summary>What the file fixes, by Harbor's names.</summary>
    internal static IReadOnlyDictionary<string, string> FixedBy(BerthOptions options)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        var (projects, access) = (options.Projects, options.Access);
        if (projects.Creators != new ProjectOptions().Creators) texts[RuntimeSettingTable.ProjectCreationRestriction.Name] = projects.Creators == ProjectCreators.Everyone ? "everyone" : "adminonly";
        if (projects.DefaultQuotaBytes != new ProjectOptions().DefaultQuotaBytes) texts[RuntimeSettingTable.StoragePerProject.Name] = $"{projects.DefaultQuotaBytes}";
        if (access.TokenLifetime != new AccessOptions().TokenLifetime) texts[RuntimeSettingTable.TokenExpiration.Name] = $"{Math.Max(1, (long)access.TokenLifetime.TotalMinutes)}";
        if (access.RobotNamePrefix != new AccessOptions().RobotNamePrefix) texts[RuntimeSettingTable.RobotNamePrefix.Name] = access.RobotNamePrefix;
        var idle = options.Identity.Sessions.IdleTimeout;
        if (idle != new SessionOptions().IdleTimeout) texts[RuntimeSettingTable.SessionTimeout.Name] = $"{Math.Max(1, (long)idle.TotalMinutes)}";
        if (options.Identity.SelfRegistration) texts[RuntimeSettingTable.SelfRegistration.Name] = "true";
        if (options.Registry.ReadOnly) texts[RuntimeSettingTable.ReadOnly.Name] = "true";
        foreach (var (name, text) in options.Settings.Fixed) texts[name] = text;
        return texts;
    }

    private static SettingCipher CipherOf(InstallationSecret secret) => new(
        plain => Convert.ToBase64String(secret.Encrypt(Encoding.UTF8.GetBytes(plain), Purpose)),
        stored => Encoding.UTF8.GetString(secret.Decrypt(Convert.FromBase64String(stored), Purpose)));
}
