using System.CommandLine;
using Berth.Scanner.Advisories.Database;
using Berth.Scanner.Advisories.Folder;
using Berth.Scanner.Advisories.Shelf;

namespace Berth.Commands.Db;

/// <summary><c>berth db build</c>: a database out of files that somebody put into a folder.</summary>
internal static class Build
{
    public static Command Command(CommandEnvironment environment)
    {
        var folder = new Argument<string>("FOLDER") { Description = "Folder with Trivy's database, OSV archives, Alpine's and Debian's data, EPSS, KEV …" };
        var place = AdvisoryPlace.Option();
        var file = new Option<string?>("--output", "-o") { Description = "Write the database to this file, and use it nowhere yet", HelpName = "FILE" };
        var json = Json.Option();
        var verb = new Verb("build", "Build the database out of files in a folder, and use it", """
            berth db build ./advisories
            berth db build ./advisories --output advisories.db
            """)
        {
            folder, place, file, json,
        };
        verb.SetAction((parsed, ct) =>
        {
            var error = parsed.InvocationConfiguration.Error;
            if (!Directory.Exists(parsed.GetValue(folder)))
            {
                error.WriteLine($"there is no folder {parsed.GetValue(folder)}");
                return Task.FromResult(ExitCodes.Usage);
            }
            var shelf = new AdvisoryShelf(AdvisoryPlace.Of(parsed.GetValue(place), environment));
            var path = parsed.GetValue(file) ?? shelf.NewPath(TimeProvider.System.GetUtcNow());
            try
            {
                DatabaseMetadata metadata;
                using (var builder = new AdvisoryDatabaseBuilder(path))
                {
                    var sources = FolderImport.Read(parsed.GetValue(folder)!, builder, ct);
                    foreach (var source in sources.Where(static one => one.Skipped > 0)) error.WriteLine($"{source.Name}: {source.Skipped} records cannot be read");
                    if (sources.Sum(static one => one.Records) == 0)
                    {
                        // A database that knows nothing would call every image clean.
                        error.WriteLine("the folder holds no advisories that can be read; the database stays as it was");
                        return Task.FromResult(ExitCodes.Failed);
                    }
                    metadata = builder.Complete(TimeProvider.System.GetUtcNow(), ct);
                }
                if (parsed.GetValue(file) is null) shelf.Use(path);
                Status.Write(parsed.InvocationConfiguration.Output, path, metadata, parsed.GetValue(json));
                return Task.FromResult(ExitCodes.Ok);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                error.WriteLine($"cannot build: {e.Message}");
                return Task.FromResult(ExitCodes.Failed);
            }
        });
        return verb;
    }
}
