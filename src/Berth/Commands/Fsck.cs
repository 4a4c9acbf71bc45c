using System.CommandLine;
using Berth.Server.Integrity;

namespace Berth.Commands;

/// <summary><c>berth fsck</c>: compare database and blob stores both ways.</summary>
internal static class Fsck
{
    public static Command Build(CommandEnvironment environment)
    {
        var config = Serve.ConfigOption();
        var data = Backup.DataOption();
        var repair = new Option<bool>("--repair") { Description = "Quarantine blobs whose bytes are missing, heal what can be healed, remove objects that no row names" };
        var rebuild = new Option<bool>("--rebuild") { Description = "Record content that the stores have and the database does not" };
        var json = Json.Option();
        var verb = new Verb("fsck", "Compare database and blob stores both ways, beside a server or without one", """
            berth fsck --config berth.yaml
            berth fsck --config berth.yaml --repair
            berth fsck --config berth.yaml --json | jq .missing
            """)
        {
            config, data, repair, rebuild, json,
        };
        verb.SetAction((parsed, ct) => Backup.RunAsync(
            parsed, Backup.SourcesOf(parsed.GetValue(config), parsed.GetValue(data), environment), "cannot compare", async (storage, output, tell, token) =>
            {
                var options = new FsckOptions { Repair = parsed.GetValue(repair), Rebuild = parsed.GetValue(rebuild) };
                var asJson = parsed.GetValue(json);
                var report = await storage.CheckAsync(options, asJson ? static _ => { } : output.WriteLine, token);
                if (asJson) await output.WriteLineAsync(report.ToJson());
                else Write(output, report);
                return report.IsClean ? ExitCodes.Ok : ExitCodes.Failed;
            }, ct));
        return verb;
    }

    private static void Write(TextWriter output, FsckReport report)
    {
        output.WriteLine($"{report.Blobs} blobs with {report.Bytes} bytes in the database, {report.Objects} objects in the stores");
        output.WriteLine($"{report.Missing.Count} missing, {report.WrongSize.Count} of another size, {report.Orphans.Count} objects that no row names, {report.Quarantined} blobs in quarantine");
        if (report.UnknownUploads > 0) output.WriteLine($"{report.UnknownUploads} uploads that no session names");
        if (report.YoungObjects + report.BackupObjects > 0) output.WriteLine($"left alone: {report.YoungObjects} objects younger than an hour, {report.BackupObjects} of backups");
        if (report.WaitingRemovals > 0) output.WriteLine($"{report.WaitingRemovals} objects with {report.WaitingBytes} bytes wait for garbage collection to remove them");
        if (report.NewlyQuarantined + report.Healed + report.Removed > 0)
            output.WriteLine($"repaired: {report.NewlyQuarantined} quarantined, {report.Healed} healed, {report.Removed} objects let go of");
        if (report.Recorded > 0) output.WriteLine($"recorded: {report.Recorded} blobs");
    }
}
