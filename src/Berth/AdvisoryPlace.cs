using System.CommandLine;
using Berth.Scanner.Advisories.Shelf;

namespace Berth;

/// <summary>Where commands find the advisory database: a file, or a folder that keeps several.</summary>
internal static class AdvisoryPlace
{
    private const string Variable = "BERTH_ADVISORIES";

    public static Option<string?> Option() => new("--db")
    {
        Description = $"Advisory database: a file, or a folder that keeps several; else ${Variable}, else advisories/ in the cache of the user",
        HelpName = "PATH",
    };

    /// <summary>The path that is meant.</summary>
    public static string Of(string? given, CommandEnvironment environment) =>
        given is { Length: > 0 } ? given
        : environment.Variables.GetValueOrDefault(Variable) is { Length: > 0 } named ? named
        : Path.Combine(CacheFolder(environment), "advisories");

    /// <summary>The database file to read; null when there is none.</summary>
    public static string? Find(string place) => File.Exists(place) ? place : new AdvisoryShelf(place).Current;

    /// <summary>What to tell when there is none.</summary>
    public static string Missing(string place) => $"there is no advisory database at {place}: fetch one with \"berth db update\", make one with \"berth db build FOLDER\", or take one over with \"berth db import FILE\"; packages and secrets are listed without it: --scanners secret --list-all-pkgs --format json";

    /// <summary>Where commands keep what can be made again.</summary>
    public static string CacheFolder(CommandEnvironment environment) =>
        environment.Variables.GetValueOrDefault("XDG_CACHE_HOME") is { Length: > 0 } cache ? Path.Combine(cache, "berth")
        : Path.Combine(environment.Variables.GetValueOrDefault("HOME") is { Length: > 0 } home ? home : Path.GetTempPath(), ".cache", "berth");
}
