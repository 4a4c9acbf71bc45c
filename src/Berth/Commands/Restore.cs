using System.CommandLine;
using Berth.Server.Backup;

namespace Berth.Commands;

/// <summary><c>berth restore TARGET</c>: put a backup into an empty database and the default store.</summary>
internal static class Restore
{
    public static Command Build(CommandEnvironment environment)
    {
        var target = Backup.TargetArgument();
        var config = Serve.ConfigOption();
        var data = Backup.DataOption();
        var id = new Option<string?>("--id") { Description = "Which backup; else the latest (berth backup TARGET --list)", HelpName = "ID" };
        var passphrase = new Option<string?>("--passphrase-file") { Description = "File with the passphrase that the secret key was sealed with", HelpName = "FILE" };
        var withoutKey = new Option<bool>("--without-secret-key") { Description = "The secret key is lost: leave out the keys that it encrypts; new ones are made" };
        var verify = new Option<bool>("--verify") { Description = "Read every blob back from the store and compare its digest" };
        var force = new Option<bool>("--force") { Description = "Replace everything that is in the database" };
        var json = Json.Option();
        var verb = new Verb("restore", "Put a backup into the database and the default store of the settings, while no server runs", """
            berth restore /backup --config berth.yaml --passphrase-file /root/backup.passphrase --verify
            berth restore /backup --config berth.yaml --id 20261122T031500000Z
            """)
        {
            target, config, data, id, passphrase, withoutKey, verify, force, json,
        };
        verb.SetAction((parsed, ct) => Backup.RunAsync(
            parsed, Backup.SourcesOf(parsed.GetValue(config), parsed.GetValue(data), environment), "cannot restore", async (storage, output, tell, token) =>
            {
                var options = new RestoreOptions
                {
                    Id = parsed.GetValue(id),
                    Force = parsed.GetValue(force),
                    Verify = parsed.GetValue(verify),
                    WithoutSecretKey = parsed.GetValue(withoutKey),
                    Passphrase = await Backup.PassphraseAsync(parsed.GetValue(passphrase), token),
                };
                var report = await storage.RestoreAsync(parsed.GetValue(target)!, options, tell, token);
                await output.WriteLineAsync(parsed.GetValue(json) ? report.ToJson()
                    : $"backup {report.Id} of {DateTimeOffset.FromUnixTimeMilliseconds(report.TakenAt):u} restored: {report.Rows} rows, {report.Blobs} blobs, {report.CopiedBlobs} copied, {report.VerifiedBlobs} verified");
                foreach (var digest in report.Lacking) tell($"the backup lacks {digest}: push it again");
                return ExitCodes.Ok;
            }, ct));
        return verb;
    }
}
