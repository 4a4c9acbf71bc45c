using System.CommandLine;
using System.Text.Json;
using Berth.Scanner.Advisories.Database;

namespace Berth.Commands.Db;

/// <summary><c>berth db status</c>: what the database holds and how old it is.</summary>
internal static class Status
{
    private static readonly JsonSerializerOptions s_json = new(Json.Indented) { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    public static Command Command(CommandEnvironment environment)
    {
        var place = AdvisoryPlace.Option();
        var json = Json.Option();
        var verb = new Verb("status", "Show what the database holds and how old it is", """
            berth db status
            berth db status --json
            """)
        {
            place, json,
        };
        verb.SetAction(parsed =>
        {
            var error = parsed.InvocationConfiguration.Error;
            var from = AdvisoryPlace.Of(parsed.GetValue(place), environment);
            try
            {
                if (AdvisoryPlace.Find(from) is { } path)
                {
                    using var database = AdvisoryDatabase.Open(path);
                    Write(parsed.InvocationConfiguration.Output, path, database.Metadata, parsed.GetValue(json));
                    return ExitCodes.Ok;
                }
                error.WriteLine(AdvisoryPlace.Missing(from));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                error.WriteLine($"cannot read: {e.Message}");
            }
            return ExitCodes.Failed;
        });
        return verb;
    }

    /// <summary>Prints what a database says about itself.</summary>
    public static void Write(TextWriter output, string path, DatabaseMetadata metadata, bool asJson)
    {
        if (asJson)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new { path, builtAt = metadata.BuiltAt, metadata.Advisories, metadata.Details, metadata.Predictions, metadata.KnownExploitations, metadata.Sources },
                s_json));
            return;
        }
        output.WriteLine(path);
        output.WriteLine($"built {metadata.BuiltAt:yyyy-MM-dd HH:mm} UTC, newest source {(metadata.NewestSource is { } newest ? $"{newest:yyyy-MM-dd HH:mm} UTC" : "unknown")}");
        output.WriteLine($"{metadata.Advisories} advisories, details of {metadata.Details} flaws, {metadata.Predictions} predictions, {metadata.KnownExploitations} known to be exploited");
        foreach (var source in metadata.Sources) output.WriteLine($"  {source.Feed,-12} {source.Records,9}  {source.Name}{(source.UpdatedAt is { } at ? $"  {at:yyyy-MM-dd}" : "")}");
    }
}
