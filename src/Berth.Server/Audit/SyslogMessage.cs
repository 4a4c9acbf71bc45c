using System.Globalization;
using System.Text;
using Berth.Server.Platform.Text;

namespace Berth.Server.Audit;

/// <summary>An audit entry as a syslog message (RFC 5424), with its length before it (RFC 6587 section 3.4.1).</summary>
internal static class SyslogMessage
{
    // Facility 13, log audit; severity 6 for what was done, 4 for what was refused (section 6.2.1).
    private const int Done = (13 * 8) + 6;
    private const int Refused = (13 * 8) + 4;

    private static readonly UTF8Encoding s_utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>The message as it goes over the wire.</summary>
    /// <param name="entry">What is told.</param>
    /// <param name="host">Name of this machine.</param>
    /// <param name="process">Number of this process.</param>
    public static byte[] Write(AuditEntry entry, string host, int process)
    {
        var time = UtcText.Of(entry.At);
        var text = new StringBuilder(512);
        text.Append(CultureInfo.InvariantCulture, $"<{(entry.IsSuccessful ? Done : Refused)}>1 {time} {Name(host, 255)} berth {process} {Name(AuditWords.TypeOf(entry.Operation, entry.ResourceType), 32)} ");
        // 32473 is the enterprise number that RFC 5612 sets aside; Berth has none of its own.
        text.Append("[audit@32473");
        Add(text, "id", entry.Id.ToString(CultureInfo.InvariantCulture));
        Add(text, "operation", entry.Operation);
        Add(text, "resource_type", entry.ResourceType);
        Add(text, "resource", entry.Resource);
        Add(text, "actor", entry.Actor);
        Add(text, "address", entry.Address);
        Add(text, "request_id", entry.RequestId);
        if (entry.ProjectId is { } project) Add(text, "project_id", project.ToString(CultureInfo.InvariantCulture));
        Add(text, "successful", entry.IsSuccessful ? "true" : "false");
        Add(text, "count", entry.Count.ToString(CultureInfo.InvariantCulture));
        text.Append("] \uFEFF");
        foreach (var c in entry.Description) text.Append(char.IsControl(c) ? ' ' : c);
        var message = s_utf8.GetBytes(text.ToString());
        return [.. Encoding.ASCII.GetBytes($"{message.Length} "), .. message];
    }

    private static void Add(StringBuilder text, string name, string value)
    {
        if (value.Length == 0) return;
        text.Append(' ').Append(name).Append("=\"");
        foreach (var c in value)
        {
            // Section 6.3.3.
            if (c is '"' or '\\' or ']') text.Append('\\');
            text.Append(char.IsControl(c) ? ' ' : c);
        }
        text.Append('"');
    }

    // Header fields are printable ASCII without blanks (section 6).
    private static string Name(string text, int length)
    {
        var name = new string([.. text.Where(c => c is > ' ' and < '\x7f').Take(length)]);
        return name.Length == 0 ? "-" : name;
    }
}
