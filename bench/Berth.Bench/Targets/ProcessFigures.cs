using System.Globalization;

namespace Berth.Bench.Targets;

/// <summary>Memory and processor time of a process, read from <c>/proc</c>. Memory is in bytes.</summary>
internal static class ProcessFigures
{
    private const int TicksPerSecond = 100;

    /// <summary>Resident memory now (<c>VmRSS</c>).</summary>
    internal static long ResidentBytes(int pid) => StatusBytes(pid, "VmRSS:");

    /// <summary>Highest resident memory since the start of the process or the last <see cref="ForgetPeak"/> (<c>VmHWM</c>).</summary>
    internal static long PeakBytes(int pid) => StatusBytes(pid, "VmHWM:");

    /// <summary>Lets the peak start again at the present size. Needs write access to the process's <c>clear_refs</c>.</summary>
    internal static void ForgetPeak(int pid) => File.WriteAllText($"/proc/{pid}/clear_refs", "5");

    /// <summary>User and system time of all threads, in steps of 10 ms.</summary>
    internal static TimeSpan ProcessorTime(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return TimeSpan.FromSeconds((double)ticks / TicksPerSecond);
    }

    /// <summary>Busy time of all processors since the machine started, stolen time included: all but idle and waiting for disks.</summary>
    internal static TimeSpan MachineTime()
    {
        using var stat = new StreamReader("/proc/stat");
        var fields = (stat.ReadLine() ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (fields.Length < 9 || fields[0] != "cpu") throw new IOException("/proc/stat does not begin with the line of all processors");
        long ticks = 0;
        foreach (var field in (ReadOnlySpan<int>)[1, 2, 3, 6, 7, 8]) ticks += long.Parse(fields[field], CultureInfo.InvariantCulture);
        return TimeSpan.FromSeconds((double)ticks / TicksPerSecond);
    }

    private static long StatusBytes(int pid, string field)
    {
        foreach (var line in File.ReadLines($"/proc/{pid}/status"))
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
                return long.Parse(line[field.Length..].Replace("kB", "", StringComparison.Ordinal).Trim(), CultureInfo.InvariantCulture) * 1024;
        }

        throw new IOException($"/proc/{pid}/status has no {field}");
    }
}
