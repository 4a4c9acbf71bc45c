using Berth.Server.Identity.Ldap;
using Berth.Server.Platform.Data;
using Berth.Server.Platform.Jobs;
using Microsoft.Extensions.Hosting;

namespace Berth.Server.SignIn;

/// <summary>Brings groups and admin flags of the directory's people up to date, every hour while the server runs.</summary>
internal sealed class LdapSyncJob(LdapUsers users) : IJobHandler
{
    /// <summary>Name of the kind, and key of its schedule.</summary>
    public const string Name = "ldap_sync";

    public string Kind => Name;

    public int MaxConcurrent => 1;

    public int? MaxConcurrentOverall => 1;

    public async Task<JobOutcome> RunAsync(JobRun run, CancellationToken ct)
    {
        try
        {
            var (seen, gone) = await users.SyncAsync(ct).ConfigureAwait(false);
            run.Log($"{seen} users looked up, {gone} of them unknown to the directory");
            return JobOutcome.Done;
        }
        catch (LdapUnavailableException e)
        {
            return JobOutcome.Retry(e.ForLog);
        }
    }
}

/// <summary>Sets the schedule of <see cref="LdapSyncJob"/> once.</summary>
internal sealed class LdapSyncSchedule(Database database, JobSchedules schedules) : IHostedService
{
    private const string Hourly = "0 17 * * * *";

    public Task StartAsync(CancellationToken cancellationToken) => database.WriteAsync(Durability.Relaxed, async (session, token) =>
    {
        if (await JobSchedules.FindAsync(session, LdapSyncJob.Name, LdapSyncJob.Name, token).ConfigureAwait(false) is not null) return false;
        if (!CronExpression.TryParse(Hourly, out var cron, out var problem)) throw new InvalidOperationException(problem);
        await schedules.PutAsync(session, new NewSchedule { Kind = LdapSyncJob.Name, VendorKey = LdapSyncJob.Name, Cron = cron }, token).ConfigureAwait(false);
        return true;
    }, cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
