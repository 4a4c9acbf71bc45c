using System.Diagnostics;
using System.Globalization;
using System.Reflection;

namespace Berth.Server.Platform.Telemetry;

/// <summary>
/// Metrics of the process under the names that all Prometheus clients give them (<c>process_…</c>, so that existing dashboards work), of the
/// runtime (<c>dotnet_…</c>), and Berth's version.
/// </summary>
public static class ProcessMetrics
{
    /// <summary>Version of this build, such as <c>0.1.0</c>.</summary>
    public static string Version { get; } =
        typeof(ProcessMetrics).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0.0.0";

    /// <summary>Registers them.</summary>
    public static void AddTo(MetricRegistry registry)
    {
        registry.AddGauge("berth_build_info", "Always 1; the labels say which build runs.", () => 1, ("version", Version),
            ("runtime", Environment.Version.ToString()));
        registry.AddCounter("process_cpu_seconds_total", "CPU time spent, user and system.", () => Environment.CpuUsage.TotalTime.TotalSeconds);
        registry.AddGauge("process_resident_memory_bytes", "Memory that is in RAM.", () => Environment.WorkingSet);
        registry.AddGauge("process_start_time_seconds", "Start of the process, in seconds since 1970.", StartTime());
        if (Directory.Exists("/proc/self/fd"))
        {
            registry.AddGauge("process_open_fds", "Open file descriptors.", () => Directory.EnumerateFileSystemEntries("/proc/self/fd").Count());
            registry.AddGauge("process_max_fds", "Most file descriptors that may be open.", MaxFileDescriptors);
        }
        registry.AddGauge("process_threads", "Threads of the process.", Threads);

        registry.AddCounters("dotnet_gc_collections_total", "Garbage collections by generation.", () =>
            Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation => new MetricSample(
                GC.CollectionCount(generation), ("generation", generation.ToString(CultureInfo.InvariantCulture)))));
        registry.AddCounter("dotnet_gc_pause_seconds_total", "Time that all threads waited for the garbage collector.",
            () => GC.GetTotalPauseDuration().TotalSeconds);
        registry.AddCounter("dotnet_gc_allocated_bytes_total", "Bytes allocated since the start.", () => GC.GetTotalAllocatedBytes());
        registry.AddGauge("dotnet_gc_heap_bytes", "Bytes in use on the managed heap.", () => GC.GetTotalMemory(forceFullCollection: false));
        registry.AddGauge("dotnet_threadpool_threads", "Threads of the thread pool.", () => ThreadPool.ThreadCount);
        registry.AddGauge("dotnet_threadpool_queue_length", "Work that waits for a thread.", () => ThreadPool.PendingWorkItemCount);
        registry.AddCounter("dotnet_lock_contentions_total", "Times a thread had to wait for a lock.", () => Monitor.LockContentionCount);
    }

    private static Func<double> StartTime()
    {
        using var self = Process.GetCurrentProcess();
        var seconds = (self.StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        return () => seconds;
    }

    private static double Threads()
    {
        using var self = Process.GetCurrentProcess();
        return self.Threads.Count;
    }

    private static double MaxFileDescriptors()
    {
        foreach (var line in File.ReadLines("/proc/self/limits"))
        {
            if (!line.StartsWith("Max open files", StringComparison.Ordinal)) continue;
            var soft = line["Max open files".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[0];
            return double.TryParse(soft, CultureInfo.InvariantCulture, out var limit) ? limit : double.PositiveInfinity;
        }
        return double.NaN;
    }
}
