using System.Globalization;

namespace Berth.Torture.Cluster;

/// <summary>Processor time of the programs of this machine, by name.</summary>
public static class CpuTimes
{
    // USER_HZ, which Linux has fixed at 100 for programs.
    private const double TicksPerSecond = 100;

    /// <summary>Seconds of processor time of the programs that run now.</summary>
    public static Dictionary<string, double> Read()
    {
        var seconds = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var process in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(process), CultureInfo.InvariantCulture, out _)) continue;
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(process, "stat"));
            }
            catch (IOException)
            {
                // It has ended meanwhile.
                continue;
            }
            var (open, close) = (stat.IndexOf('('), stat.LastIndexOf(')'));
            var fields = stat[(close + 2)..].Split(' ');
            var name = stat[(open + 1)..close];
            seconds[name] = seconds.GetValueOrDefault(name) + ((long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond);
        }
        return seconds;
    }

    /// <summary>What was used between two readings, the largest first, as shares of one processor.</summary>
    public static string Between(Dictionary<string, double> before, Dictionary<string, double> after, TimeSpan elapsed) =>
        string.Join(", ", after.Select(p => (p.Key, Used: (p.Value - before.GetValueOrDefault(p.Key)) / elapsed.TotalSeconds)).Where(p => p.Used > 0.02)
            .OrderByDescending(p => p.Used).Take(9).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Key} {p.Used:F2}")));
}
