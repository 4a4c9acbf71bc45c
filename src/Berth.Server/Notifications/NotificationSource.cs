namespace Berth.Server.Notifications;

/// <summary>The process that made an event: <c>source</c> in Docker Registry's event.</summary>
/// <param name="Addr">Host name and port of the main listener, <c>host:port</c>.</param>
/// <param name="InstanceId">Changes with every start.</param>
public sealed record NotificationSource(string Addr, string InstanceId)
{
    /// <summary>Names this process.</summary>
    /// <param name="url">Main address to listen on, as in <c>http.urls</c>; only its port is used.</param>
    /// <param name="time">Time of the start.</param>
    public static NotificationSource OfThisProcess(string? url, TimeProvider time)
    {
        var host = Environment.MachineName;
        // A wildcard host such as http://*:5000 is no URI: the port is what follows the last colon.
        var colon = url?.LastIndexOf(':') ?? -1;
        if (colon >= 0 && ushort.TryParse(url.AsSpan(colon + 1).TrimEnd('/'), out var port)) host += ":" + port;
        return new NotificationSource(host, Guid.CreateVersion7(time.GetUtcNow()).ToString());
    }
}
