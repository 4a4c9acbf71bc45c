using System.CommandLine;
using System.Security.Cryptography;
using Berth.Client;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Updates;

namespace Berth.Commands.Db;

/// <summary><c>berth db export</c>: the database as one signed file, for machines without a network, or as an artifact of a registry.</summary>
internal static class Export
{
    public static Command Command(CommandEnvironment environment)
    {
        var registry = new RegistryFlags();
        var bundle = new Argument<string?>("BUNDLE") { Description = "File to write", Arity = ArgumentArity.ZeroOrOne };
        var push = new Option<string?>("--push") { Description = "Push the bundle as an artifact of a registry, for berth db update elsewhere", HelpName = "REF" };
        var place = AdvisoryPlace.Option();
        var key = new Option<string?>("--sign-key") { Description = "Private key (PEM, ECDSA on P-256, without password) to sign with", HelpName = "FILE" };
        var verb = new Verb("export", "Write the database as a bundle for machines without a network", """
            berth db export advisories.tar --sign-key bundle.key
            berth db export --push registry.example.com/security/advisories:latest --sign-key bundle.key
            """)
        {
            bundle, push, place, key,
        };
        registry.AddTo(verb);
        verb.SetAction(async (parsed, ct) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var from = AdvisoryPlace.Of(parsed.GetValue(place), environment);
            if (AdvisoryPlace.Find(from) is not { } database)
            {
                await error.WriteLineAsync(AdvisoryPlace.Missing(from));
                return ExitCodes.Failed;
            }
            var (file, name) = (parsed.GetValue(bundle), parsed.GetValue(push));
            var problems = new List<string>();
            if (file is null && name is null) problems.Add("give the name of a file, or --push with an artifact");
            ImageReference? target = null;
            if (name is not null && !ImageReference.TryParse(name, out target, out var wrong)) problems.Add(wrong);
            using var client = target is null ? null : registry.Open(parsed, environment, target.Registry, problems);
            foreach (var problem in problems) await error.WriteLineAsync(problem);
            if (problems.Count > 0) return ExitCodes.Usage;
            var part = (file ?? Path.Combine(Path.GetTempPath(), Path.GetRandomFileName())) + ".part";
            try
            {
                using var signer = parsed.GetValue(key) is { } pem ? BundleKey.Parse(await File.ReadAllTextAsync(pem, ct)) : null;
                await using (var stream = File.Create(part)) await AdvisoryBundle.WriteAsync(database, signer, stream, ct);
                var (size, signed) = (new FileInfo(part).Length, signer is null ? "not signed" : $"signed with key {signer.Id}");
                if (client is not null) await parsed.InvocationConfiguration.Output.WriteLineAsync($"{target}: {await AdvisoryArtifact.PushAsync(client, target!, part, BuiltAt(database), ct)}, {size} bytes, {signed}");
                if (file is null) return ExitCodes.Ok;
                File.Move(part, file, overwrite: true);
                await parsed.InvocationConfiguration.Output.WriteLineAsync($"{file}: {size} bytes, {signed}");
                return ExitCodes.Ok;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or CryptographicException)
            {
                await error.WriteLineAsync($"cannot export: {e.Message}");
                return ExitCodes.Failed;
            }
            finally
            {
                File.Delete(part);
            }
        });
        return verb;
    }

    private static DateTimeOffset BuiltAt(string path)
    {
        using var database = AdvisoryDatabase.Open(path);
        return database.Metadata.BuiltAt;
    }
}
