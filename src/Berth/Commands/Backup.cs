using System.CommandLine;
using System.Data.Common;
using Berth.Server;
using Berth.Server.Backup;
using Berth.Server.Platform.Data;

namespace Berth.Commands;

/// <summary><c>berth backup TARGET</c>: copy database and blobs beside a running server.</summary>
internal static class Backup
{
    public static Command Build(CommandEnvironment environment)
    {
        var target = TargetArgument();
        var config = Serve.ConfigOption();
        var data = DataOption();
        var passphrase = new Option<string?>("--passphrase-file") { Description = "File with a passphrase that seals the secret key into the backup", HelpName = "FILE" };
        var list = new Option<bool>("--list") { Description = "Print the backups that are there, and make none" };
        var json = Json.Option();
        var verb = new Verb("backup", "Copy database and blobs to a folder or another store, beside a running server", """
            berth backup /backup --config berth.yaml --passphrase-file /root/backup.passphrase
            berth backup /backup --config berth.yaml --list
            """)
        {
            target, config, data, passphrase, list, json,
        };
        verb.SetAction((parsed, ct) =>
        {
            var (where, asJson) = (parsed.GetValue(target)!, parsed.GetValue(json));
            return RunAsync(parsed, SourcesOf(parsed.GetValue(config), parsed.GetValue(data), environment), "cannot back up", async (storage, output, tell, token) =>
            {
                if (parsed.GetValue(list))
                {
                    foreach (var id in await storage.ListBackupsAsync(where, token)) await output.WriteLineAsync(id);
                    return ExitCodes.Ok;
                }
                return await BackUpAsync(storage, where, await PassphraseAsync(parsed.GetValue(passphrase), token), output, tell, asJson, token);
            }, ct);
        });
        return verb;
    }

    /// <summary>Where backups lie.</summary>
    public static Argument<string> TargetArgument() => new("TARGET") { Description = "Folder of the backups, or store:NAME for a store of storage.stores" };

    /// <summary>The data folder.</summary>
    public static Option<string?> DataOption() => new("--data", "-d") { Description = "Folder for database, blobs and keys (setting dataFolder)", HelpName = "DIR" };

    /// <summary>Where the settings come from.</summary>
    public static ConfigurationSources SourcesOf(string? config, string? data, CommandEnvironment environment) => new()
    {
        File = config,
        Environment = environment.Variables,
        Flags = data is null ? [] : [("dataFolder", "--data", [data])],
    };

    /// <summary>Reads a passphrase; null without a file.</summary>
    /// <exception cref="IOException">It cannot be read, or is too short.</exception>
    public static async Task<string?> PassphraseAsync(string? file, CancellationToken ct)
    {
        if (file is null) return null;
        var text = (await File.ReadAllTextAsync(file, ct)).TrimEnd('\r', '\n');
        return text.Length >= SecretKeyCopy.MinPassphraseLength ? text : throw new IOException($"the passphrase in {file} is shorter than {SecretKeyCopy.MinPassphraseLength} characters");
    }

    /// <summary>Opens what the settings name, runs, and says what went wrong.</summary>
    public static async Task<int> RunAsync(
        ParseResult parsed, ConfigurationSources sources, string failure, Func<BerthStorage, TextWriter, Action<string>, CancellationToken, Task<int>> run, CancellationToken ct)
    {
        var configuration = BerthConfiguration.Load(sources, out var problems);
        if (configuration is null)
            return CommandLine.Refuse(parsed, problems);
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        try
        {
            await using var storage = await BerthStorage.OpenAsync(configuration.Options, TimeProvider.System, ct);
            return await run(storage, output, error.WriteLine, ct);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException or DbException or DatabaseIsNewerException or RestoreRefusedException)
        {
            await error.WriteLineAsync($"{failure}: {e.Message}");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            await error.WriteLineAsync("interrupted: run it again, it goes on with what is missing");
            return ExitCodes.Failed;
        }
    }

    private static async Task<int> BackUpAsync(
        BerthStorage storage, string where, string? passphrase, TextWriter output, Action<string> tell, bool asJson, CancellationToken ct)
    {
        var report = await storage.BackUpAsync(where, passphrase, tell, ct);
        if (asJson)
        {
            await output.WriteLineAsync(report.ToJson());
        }
        else
        {
            await output.WriteLineAsync($"backup {report.Id}: {report.Blobs} blobs with {report.Bytes} bytes, of which {report.CopiedBlobs} with {report.CopiedBytes} bytes are new; {report.Seconds:F1} s");
        }
        if (!report.HoldsSecretKey && passphrase is null)
            tell("the secret key is not in the backup: keep a copy of it elsewhere (secret.key of the data folder, or access.secretKey), or give --passphrase-file");
        foreach (var digest in report.Lacking) tell($"not in the backup, since its bytes are missing or wrong in the store: {digest}");
        return report.Lacking.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;
    }
}
