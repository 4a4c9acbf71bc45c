using System.CommandLine;
using System.Security.Cryptography;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Shelf;

namespace Berth.Commands.Db;

/// <summary><c>berth db import</c>: takes over a bundle, for machines without a network.</summary>
internal static class Import
{
    public static Command Command(CommandEnvironment environment)
    {
        var bundle = new Argument<string>("BUNDLE") { Description = "Bundle that berth db export wrote" };
        var place = AdvisoryPlace.Option();
        var keys = new Option<string[]>("--key") { Description = "Public key (PEM) that must have signed it; of several any one", HelpName = "FILE" };
        var unsigned = new Option<bool>("--allow-unsigned") { Description = "Take the bundle without looking at its signature" };
        var json = Json.Option();
        var verb = new Verb("import", "Take over a bundle, and use it", """
            berth db import advisories.tar --key bundle.pub
            """)
        {
            bundle, place, keys, unsigned, json,
        };
        verb.SetAction(async (parsed, ct) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var files = parsed.GetValue(keys) ?? [];
            if (files.Length == 0 && !parsed.GetValue(unsigned))
            {
                await error.WriteLineAsync("give --key FILE to check who signed the bundle, or --allow-unsigned");
                return ExitCodes.Usage;
            }
            var trusted = new List<BundleKey>();
            try
            {
                foreach (var file in files) trusted.Add(BundleKey.Parse(await File.ReadAllTextAsync(file, ct)));
                var shelf = new AdvisoryShelf(AdvisoryPlace.Of(parsed.GetValue(place), environment));
                var path = shelf.NewPath(TimeProvider.System.GetUtcNow());
                await using (var stream = File.OpenRead(parsed.GetValue(bundle)!)) await AdvisoryBundle.ExtractAsync(stream, trusted, path, ct);
                Status.Write(parsed.InvocationConfiguration.Output, path, shelf.Use(path), parsed.GetValue(json));
                return ExitCodes.Ok;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or CryptographicException)
            {
                await error.WriteLineAsync($"cannot import: {e.Message}");
                return ExitCodes.Failed;
            }
            finally
            {
                foreach (var key in trusted) key.Dispose();
            }
        });
        return verb;
    }
}
