using System.Net.Sockets;
using Berth.Bench;
using Berth.Bench.Content;
using Berth.Bench.Garbage;
using Berth.Bench.Reports;
using Berth.Bench.Targets;
using Berth.Bench.Workloads;

BenchOptions options;
try
{
    options = BenchOptions.Parse(args);
}
catch (FormatException e)
{
    Console.Error.WriteLine($"{e.Message}\n\n{BenchOptions.Usage}");
    return 2;
}

using var large = new LargeContentSource(options.LargeBytes);
var all = WorkloadList.Create(large);
var unknown = options.Only.Concat(options.Skip).Where(name => all.All(w => w.Name != name)).ToArray();
if (options.List || unknown.Length > 0)
{
    foreach (var name in unknown) Console.Error.WriteLine($"no workload is called {name}; there are:");
    foreach (var workload in all) Console.WriteLine($"{workload.Name,-22} {workload.Title}");
    return unknown.Length > 0 ? 2 : 0;
}

var chosen = all.Where(w => (options.Only.Count == 0 || options.Only.Contains(w.Name)) && !options.Skip.Contains(w.Name)).ToArray();
// Callers of one server share what was put there.
var seeded = options.Targets.Select(t => t.Url).Distinct().ToDictionary(url => url, _ => new Dictionary<string, object>());
var targets = options.Targets.Select(t => new Target(t, seeded[t.Url])).ToArray();
AppDomain.CurrentDomain.ProcessExit += (_, _) => StopAll();
try
{
    foreach (var target in targets) target.StartDirect();
    foreach (var target in targets.Where(t => t.CanRestart)) target.Start();
    if (options.ListUsers > 0)
    {
        foreach (var target in targets) Console.Out.Write($"{target.Name}\n\n{new ListUsers(target, options.ListUsers).Run(options.RoundDuration * options.Rounds)}\n");
        return 0;
    }

    if (options.PageLooks > 0)
    {
        foreach (var target in targets) Console.Out.Write($"{target.Name}\n\n{new PageReader(target, options.PageLooks).Run()}\n");
        return 0;
    }

    if (options.GarbageImages > 0)
    {
        foreach (var target in targets) Console.Out.Write($"{target.Name}\n\n{new GarbageRun(target, options.GarbageImages).Run(options.RoundDuration * options.Rounds)}\n");
        return 0;
    }

    if (options.SeedOnly)
    {
        foreach (var workload in chosen)
        {
            foreach (var target in targets) Engine.Prepare(workload, target);
        }

        return 0;
    }

    var engine = new Engine(options, targets);
    var results = chosen.Select(engine.Run).OfType<WorkloadFigures>().ToArray();
    var verdicts = Bars.Judge(options.Bars, results);
    Console.Out.Write(MarkdownReport.Render(options, results, verdicts));
    if (options.JsonFile.Length > 0) File.WriteAllText(options.JsonFile, JsonReport.Render(options, results, verdicts));
    return options.Enforce && verdicts.Any(v => !v.Passed) ? 3 : 0;
}
catch (Exception e) when (e is IOException or SocketException)
{
    Console.Error.WriteLine($"the run ended early: {e.Message}");
    return 1;
}
finally
{
    StopAll();
}

void StopAll()
{
    lock (targets)
    {
        foreach (var target in targets) target.Stop();
    }
}
