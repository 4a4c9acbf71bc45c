using System.CommandLine;
using System.Security.Cryptography;
using Berth.Scanner.Advisories.Bundle;

namespace Berth.Commands.Db;

/// <summary><c>berth db export</c>: the database as one signed file, for machines without a network.</summary>
internal static class Export
{
    public static Command Command(CommandEnvironment environment)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "File to write" };
        var place = AdvisoryPlace.Option();
        var key = new Option<string?>("--sign-key") { Description = "Private key (PEM, ECDSA on P-256, without password) to sign with", HelpName = "FILE" };
        var verb = new Verb("export", "Write the database as a bundle for machines without a network", """
            berth db export advisories.tar --sign-key bundle.key
            """)
        {
            bundle, place, key,
        };
        verb.SetAction(async (parsed, ct) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var from = AdvisoryPlace.Of(parsed.GetValue(place), environment);
            if (AdvisoryPlace.Find(from) is not { } database)
            {
                await error.WriteLineAsync(AdvisoryPlace.Missing(from));
                return ExitCodes.Failed;
            }
            var target = parsed.GetValue(bundle)!;
            var part = target + ".part";
            try
            {
                using var signer = parsed.GetValue(key) is { } file ? BundleKey.Parse(await File.ReadAllTextAsync(file, ct)) : null;
                await using (var stream = File.Create(part)) await AdvisoryBundle.WriteAsync(database, signer, stream, ct);
                File.Move(part, target, overwrite: true);
                await parsed.InvocationConfiguration.Output.WriteLineAsync($"{target}: {new FileInfo(target).Length} bytes, {(signer is null ? "not signed" : $"signed with key {signer.Id}")}");
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
}
