using System.Globalization;
using System.Text;

namespace Berth.Torture.Cluster;

/// <summary>
/// Three replicas behind nginx, with PostgreSQL and S3, while clients push, pull, retag, delete, mount and resume, garbage is collected after seconds, and everything is killed,
/// restarted, cut off and stalled. <c>tests/tools/torture-cluster.sh</c> runs it for longer. BERTH_TORTURE_SECONDS, BERTH_TORTURE_SEED and BERTH_TORTURE_CLIENTS change the run.
/// </summary>
public sealed class ClusterTortureTests
{
    private static readonly int s_seconds = Number("BERTH_TORTURE_SECONDS", 25);
    private static readonly int s_seed = Number("BERTH_TORTURE_SEED", 4);
    private static readonly int s_clients = Number("BERTH_TORTURE_CLIENTS", 10);

    // An upload that nobody goes on with is given up after longer than any call to the store lasts (giveUpAfter and tryTimeout).
    private const string Settings = """
        registry: { uploadExpiry: 15s, uploadJanitorInterval: 2s }
        gc: { delay: 3s, interval: 1s }
        trash: { days: 0 }
        """;

    private static bool IsLong => s_seconds > 120;

    [Fact]
    public void The_same_seed_makes_the_same_operations_and_faults()
    {
        Assert.Equal(Describe(11), Describe(11));
        Assert.NotEqual(Describe(11), Describe(12));

        static string Describe(int seed)
        {
            var plan = new ClusterPlan(seed, TimeSpan.FromMinutes(2), TestCluster.Replicas);
            Assert.Equal(Enum.GetValues<ClusterFaultKind>().Length, plan.Faults.Select(f => f.Kind).Distinct().Count());
            return string.Join('\n', plan.Faults) + string.Join('\n', Enumerable.Range(0, 500).Select(n => plan.OperationOf(n % 5, n / 5)));
        }
    }

    [Fact]
    public async Task Nothing_acknowledged_is_lost_nothing_deleted_comes_back_and_no_bytes_stay_behind()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var cluster = await TestCluster.StartAsync(TestCluster.Replicas, isDirect: false, Settings, ct);
        await using var database = cluster.OpenDatabase();
        var plan = new ClusterPlan(s_seed, TimeSpan.FromSeconds(s_seconds), TestCluster.Replicas);
        var journal = new ClusterJournal(TimeProvider.System);
        using var http = new ClusterHttp(cluster.NginxAddress);
        await MakeProjectsAsync(http, ct);

        // 1. Clients and faults, until the time is over and everything is whole again.
        var clients = Enumerable.Range(0, s_clients).Select(n => new ClusterClient(n, plan, new ClusterContent(s_seed), http, journal)).ToList();
        await RunAsync(cluster, plan, clients, journal, ct);

        // 2. What is to go goes.
        var check = new StoreCheck(cluster, database);
        await SettleAsync(check, journal, ct);

        // 3. What clients know, what the database says and what the bucket holds are the same.
        var replicas = cluster.All.Select(r => new ClusterHttp(r.Address)).ToList();
        foreach (var client in clients) await ClusterCheck.RunAsync(client.Model, replicas, journal, ct);
        foreach (var wrong in await check.RunAsync(replicas[0], ct)) journal.Found(wrong);
        replicas.ForEach(r => r.Dispose());
        await ReportAsync(cluster, journal);
        Assert.Empty(journal.Findings);
        Assert.True(journal.CountOf("manifests acknowledged") > s_seconds && journal.CountOf("manifests checked") > 0, "hardly anything was acknowledged: the run proves nothing");
    }

    private static async Task MakeProjectsAsync(ClusterHttp http, CancellationToken ct)
    {
        foreach (var project in ClusterClient.Repositories.Select(r => r[..r.IndexOf('/')]).Distinct())
        {
            var made = await http.SendAsync(HttpMethod.Post, "/api/v2.0/projects", ct, Encoding.UTF8.GetBytes($$"""{"project_name":"{{project}}"}"""), "application/json");
            Assert.True(made.Status == 201, $"{made.Status} {made.Text}");
        }
        var set = await http.SendAsync(HttpMethod.Put, $"/api/berth/v1/projects/{ClusterModel.SweptProject}/untagged", ct, Encoding.UTF8.GetBytes("""{"days":0}"""), "application/json");
        Assert.True(set.Status == 200, $"{set.Status} {set.Text}");
    }

    private static async Task RunAsync(TestCluster cluster, ClusterPlan plan, List<ClusterClient> clients, ClusterJournal journal, CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var working = clients.Select(c => Task.Run(() => c.RunAsync(end.Token, ct), ct)).ToList();
        using var faults = new ClusterFaults(cluster, plan, journal, TimeProvider.System);
        await Task.WhenAll(faults.RunAsync(ct), Task.Delay(TimeSpan.FromSeconds(s_seconds), TimeProvider.System, ct));
        await cluster.HealAsync(ct);
        journal.Note("everything is whole again");
        await end.CancelAsync();
        await Task.WhenAll(working);
        journal.Note("the clients have ended");
    }

    /// <summary>Waits until nothing is to be done and the bucket holds what the database says; a long run waits for leases, a short one lets them end.</summary>
    private static async Task SettleAsync(StoreCheck check, ClusterJournal journal, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromMinutes(IsLong ? 10 : 2));
        try
        {
            for (var pending = "?"; pending.Length > 0;)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, limit.Token);
                if (!IsLong) await check.LetLeasesEndAsync(limit.Token);
                pending = await check.PendingAsync(limit.Token);
            }
            // Tails and parts that no session knows of are old enough to be cleared when they are (uploadExpiry).
            for (var waited = 0; waited < 40 && (await check.OrphansAsync(limit.Token)).Count > 0; waited++) await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            journal.Found($"garbage collection does not settle: {await check.PendingAsync(ct)}");
        }
        journal.Note("garbage collection has settled");
    }

    private static async Task ReportAsync(TestCluster cluster, ClusterJournal journal)
    {
        var text = new StringBuilder();
        if (journal.Findings.Count > 0 || IsLong) text.AppendJoin('\n', journal.Events).Append('\n');
        text.Append(CultureInfo.InvariantCulture, $"torture of a cluster: seed {s_seed}, {s_seconds} s, {journal.Summary()}; {journal.Findings.Count} findings\n");
        TestContext.Current.TestOutputHelper?.WriteLine(text.ToString());
        if (Environment.GetEnvironmentVariable("BERTH_TORTURE_REPORT") is not { Length: > 0 } folder) return;
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "report.txt"), text.ToString());
        if (journal.Findings.Count == 0) return;
        foreach (var replica in cluster.All) File.Copy(replica.LogFile, Path.Combine(folder, $"replica{replica.Number}.log"), overwrite: true);
    }

    private static int Number(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : otherwise;
}
