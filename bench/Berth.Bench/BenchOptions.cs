using System.Globalization;
using Berth.Bench.Targets;

namespace Berth.Bench;

/// <summary>The command line. Options after a <c>--target</c> that speak of a server belong to that target.</summary>
internal sealed record BenchOptions
{
    internal const string Usage = """
        usage: Berth.Bench [options] --target NAME=URL [target options] --target NAME=URL [target options] ...

        The first target is the yardstick: ratios say how many times better the others are.

        options
          --rounds N        counted rounds of each workload, each target in turn (5); one more before them warms up
          --seconds S       length of a round (3)
          --only A,B        only these workloads            --skip A,B   all but these
          --list            print the names of the workloads
          --large-mb N      size of the large blob in MiB (1024)
          --bars SET        issue: the bars of docs/performance.md; scale: at most 1.2 times slower than the first target;
                            access, encryption, stores: at least 80 %, 75 %, 85 % of its rate; none
          --enforce         exit code 3 when a bar is missed
          --lists N         instead of workloads: N users look at lists of the management API for as long as all rounds take
          --pages N         instead of workloads: each web page is looked at N times, one after the other
          --garbage N       instead of workloads: N images, a tenth of them deleted and collected while others pull and push;
                            the quiet time before is as long as all rounds
          --seed-only       put the data sets of the chosen workloads into the targets and end
          --json FILE       write all figures

        target options
          --start CMD       shell command that becomes the server; the bench starts, restarts and stops it
          --direct CMD      instead of a registry: a program that puts and gets files in a store by its own SDK (bench/direct); large blobs, 1 stream
          --data DIR        its data folder: emptied after each workload that leaves gigabytes behind (with --start)
          --pid N           process of a server that runs already, to read its memory and processor time
          --auth USER:PW    Basic sign-in                   --bearer T   bearer token
          --seed-as USER:PW who puts the data sets there, when it is somebody else
        """;

    internal int Rounds { get; private init; } = 5;

    internal TimeSpan RoundDuration { get; private init; } = TimeSpan.FromSeconds(3);

    internal long LargeBytes { get; private init; } = 1024L << 20;

    internal IReadOnlyList<string> Only { get; private init; } = [];

    internal IReadOnlyList<string> Skip { get; private init; } = [];

    internal string Bars { get; private init; } = "issue";

    internal bool Enforce { get; private init; }

    internal bool SeedOnly { get; private init; }

    internal bool List { get; private init; }

    /// <summary>Users who look at lists; 0 to run workloads.</summary>
    internal int ListUsers { get; private init; }

    /// <summary>Looks at each web page; 0 to run workloads.</summary>
    internal int PageLooks { get; private init; }

    /// <summary>Images of the run that deletes a tenth of them; 0 to run workloads.</summary>
    internal int GarbageImages { get; private init; }

    internal string JsonFile { get; private init; } = "";

    internal IReadOnlyList<TargetOptions> Targets { get; private init; } = [];

    /// <summary>Throws <see cref="FormatException"/> with what is wrong and where.</summary>
    internal static BenchOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new BenchOptions();
        var targets = new List<TargetOptions>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            if (name is "--enforce" or "--seed-only" or "--list")
            {
                options = WithFlag(options, name);
                continue;
            }

            if (++i == arguments.Count) throw new FormatException($"{name} needs a value");
            if (name == "--target") targets.Add(NewTarget(arguments[i]));
            else if (WithValue(options, name, arguments[i]) is { } changed) options = changed;
            else if (targets.Count > 0 && WithTargetValue(targets[^1], name, arguments[i]) is { } target) targets[^1] = target;
            else throw new FormatException($"{name} is not an option{(targets.Count == 0 ? " (target options come after their --target)" : "")}");
        }

        if (targets.Count == 0 && !options.List) throw new FormatException("no --target");
        if (targets.DistinctBy(t => t.Name).Count() != targets.Count) throw new FormatException("two targets have the same name");
        return options with { Targets = targets };
    }

    private static BenchOptions WithFlag(BenchOptions options, string name) => name switch
    {
        "--enforce" => options with { Enforce = true },
        "--seed-only" => options with { SeedOnly = true },
        _ => options with { List = true },
    };

    private static BenchOptions? WithValue(BenchOptions options, string name, string value) => name switch
    {
        "--rounds" => options with { Rounds = (int)Number(name, value, 1, 1000) },
        "--seconds" => options with { RoundDuration = TimeSpan.FromSeconds(Number(name, value, 0.1, 3600)) },
        "--large-mb" => options with { LargeBytes = (long)Number(name, value, 1, 1 << 20) << 20 },
        "--only" => options with { Only = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--skip" => options with { Skip = value.Split(',', StringSplitOptions.RemoveEmptyEntries) },
        "--bars" when value is "issue" or "scale" or "access" or "encryption" or "stores" or "none" => options with { Bars = value },
        "--bars" => throw new FormatException("--bars is issue, scale, access, encryption, stores or none"),
        "--lists" => options with { ListUsers = (int)Number(name, value, 1, 1000) },
        "--pages" => options with { PageLooks = (int)Number(name, value, 1, 100_000) },
        "--garbage" => options with { GarbageImages = (int)Number(name, value, 10, 10_000_000) },
        "--json" => options with { JsonFile = value },
        _ => null,
    };

    private static TargetOptions? WithTargetValue(TargetOptions target, string name, string value) => name switch
    {
        "--start" => target with { StartCommand = value },
        "--direct" => target with { DirectCommand = value },
        "--data" => target with { DataFolder = Path.GetFullPath(value) },
        "--pid" => target with { ProcessId = (int)Number(name, value, 1, int.MaxValue) },
        "--auth" => target with { Login = value },
        "--bearer" => target with { Bearer = value },
        "--seed-as" => target with { SeedLogin = value },
        _ => null,
    };

    private static TargetOptions NewTarget(string value)
    {
        var split = value.IndexOf('=', StringComparison.Ordinal);
        if (split <= 0 || !Uri.TryCreate(value[(split + 1)..], UriKind.Absolute, out var url) || url.Scheme != "http")
            throw new FormatException($"--target {value}: expected NAME=http://HOST:PORT");
        return new TargetOptions { Name = value[..split], Url = url };
    }

    private static double Number(string name, string value, double least, double most) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException($"{name} {value}: expected a number from {least} to {most}");
}
