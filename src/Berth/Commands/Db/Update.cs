using System.CommandLine;
using System.Security.Cryptography;
using Berth.Scanner.Advisories.Bundle;
using Berth.Scanner.Advisories.Updates;

namespace Berth.Commands.Db;

/// <summary><c>berth db update</c>: the database of advisories out of registries: Trivy's, or a bundle of this program's.</summary>
internal static class Update
{
    private const string Variable = "BERTH_ADVISORY_SOURCES";

    public static Command Command(CommandEnvironment environment)
    {
        var registry = new RegistryFlags();
        var sources = new Option<string[]>("--source", "--db-repository")
        {
            Description = $"Artifact with advisories, and its mirrors with commas; given several times they are joined. Else ${Variable}, with spaces between sources, else Trivy's public database",
            HelpName = "REF",
        };
        var keys = new Option<string[]>("--key") { Description = "Public key (PEM) that must have signed a bundle; of several any one", HelpName = "FILE" };
        var unsigned = new Option<bool>("--allow-unsigned") { Description = "Take a bundle without looking at its signature" };
        var force = new Option<bool>("--force") { Description = "Ask though the sources expect nothing newer, and build though they are the same" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Say nothing on standard error but errors" };
        var place = AdvisoryPlace.Option();
        var json = Json.Option();
        var verb = new Verb("update", "Fetch the database from a registry, and use it", """
            berth db update
            berth db update --source registry.example.com/security/advisories:latest --key bundle.pub
            berth db update --source mirror.example.com/trivy-db:2,ghcr.io/aquasecurity/trivy-db:2 --force
            """)
        {
            sources, keys, unsigned, force, place, quiet, json,
        };
        registry.AddTo(verb);
        verb.SetAction(async (parsed, ct) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var problems = new List<string>();
            var wanted = Read(parsed.GetValue(sources), environment, problems);
            // Name and password are for the registry that is asked first; others have theirs from docker login.
            using var client = wanted.Count == 0 ? null : registry.Open(parsed, environment, wanted[0].Mirrors[0].Registry, problems);
            foreach (var problem in problems) await error.WriteLineAsync(problem);
            if (client is null || problems.Count > 0) return ExitCodes.Usage;
            var trusted = new List<BundleKey>();
            using var line = new ProgressLine(environment.IsErrorTerminal && !parsed.GetValue(quiet) ? error : null);
            try
            {
                foreach (var file in parsed.GetValue(keys) ?? []) trusted.Add(BundleKey.Parse(await File.ReadAllTextAsync(file, ct)));
                var result = await new AdvisoryUpdate(AdvisoryPlace.Of(parsed.GetValue(place), environment), client, TimeProvider.System).RunAsync(new UpdateRequest
                {
                    Sources = wanted,
                    Keys = trusted,
                    AllowsUnsigned = parsed.GetValue(unsigned),
                    IsForced = parsed.GetValue(force),
                    Tell = text =>
                    {
                        line.Clear();
                        if (!parsed.GetValue(quiet)) error.WriteLine(text);
                    },
                    Progress = (there, all) => line.Show(() => $"{ProgressLine.Size(there)} of {ProgressLine.Size(all)}"),
                }, ct);
                line.Clear();
                Status.Write(parsed.InvocationConfiguration.Output, result.Path, result.Metadata, parsed.GetValue(json));
                return ExitCodes.Ok;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or CryptographicException)
            {
                line.Clear();
                await error.WriteLineAsync($"cannot update: {e.Message}");
                return ExitCodes.Failed;
            }
            finally
            {
                foreach (var key in trusted) key.Dispose();
            }
        });
        return verb;
    }

    private static List<AdvisorySource> Read(string[]? given, CommandEnvironment environment, List<string> problems)
    {
        var words = given is { Length: > 0 } ? given
            : environment.Variables.GetValueOrDefault(Variable) is { Length: > 0 } named ? named.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            : [AdvisorySource.PublicTrivyDatabase];
        var sources = new List<AdvisorySource>();
        foreach (var word in words)
        {
            if (AdvisorySource.TryParse(word, out var source, out var wrong)) sources.Add(source);
            else problems.Add(wrong);
        }
        return sources;
    }
}
