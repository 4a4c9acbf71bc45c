using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Berth.Oci;
using Berth.Server.Registry;

namespace Berth.Server.Notifications;

/// <summary>
/// Docker Registry's event and envelope (media type <see cref="MediaType"/>) as its notification documentation describes them: the same
/// fields in the same order, empty ones left out where it leaves them out, indented by three spaces.
/// </summary>
internal static class EventJson
{
    /// <summary>Content type of an envelope.</summary>
    public const string MediaType = "application/vnd.docker.distribution.events.v2+json";

    // Receivers parse JSON, not HTML: '+' in media types stays readable as it does in Docker Registry.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Indented = Compact with { Indented = true, IndentSize = 3, NewLine = "\n" };

    public static string NameOf(RegistryEventAction action) => action switch
    {
        RegistryEventAction.Push => "push",
        RegistryEventAction.Pull => "pull",
        RegistryEventAction.Mount => "mount",
        RegistryEventAction.Delete => "delete",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, "unknown action"),
    };

    /// <summary>Media type of the target in the event; a delete names none.</summary>
    public static string MediaTypeOf(RegistryEvent e) => e.Action == RegistryEventAction.Delete ? "" : e.MediaType;

    /// <summary>One event, compact: what <see cref="Delivery.Event"/> keeps.</summary>
    public static string Write(RegistryEvent e, Guid id, DateTimeOffset at, NotificationSource source, bool includeReferences)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Compact))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("timestamp", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'"));
            json.WriteString("action", NameOf(e.Action));
            WriteTarget(json, e, includeReferences);
            json.WriteStartObject("request");
            json.WriteString("id", e.Request.Id);
            WriteUnlessEmpty(json, "addr", e.Request.RemoteAddress);
            WriteUnlessEmpty(json, "host", e.Request.Host);
            json.WriteString("method", e.Request.Method);
            json.WriteString("useragent", e.Request.UserAgent);
            json.WriteEndObject();
            json.WriteStartObject("actor");
            WriteUnlessEmpty(json, "name", e.Actor);
            json.WriteEndObject();
            json.WriteStartObject("source");
            WriteUnlessEmpty(json, "addr", source.Addr);
            WriteUnlessEmpty(json, "instanceID", source.InstanceId);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>The envelope around one event that <see cref="Write"/> has made: the body of a request.</summary>
    public static byte[] Envelope(string eventJson)
    {
        using var document = JsonDocument.Parse(eventJson);
        var buffer = new ArrayBufferWriter<byte>(eventJson.Length * 2);
        using (var json = new Utf8JsonWriter(buffer, Indented))
        {
            json.WriteStartObject();
            json.WriteStartArray("events");
            document.WriteTo(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteTarget(Utf8JsonWriter json, RegistryEvent e, bool includeReferences)
    {
        // A delete is told by repository and digest or tag alone.
        var isDelete = e.Action == RegistryEventAction.Delete;
        var size = isDelete ? 0 : e.Size;
        json.WriteStartObject("target");
        WriteUnlessEmpty(json, "mediaType", MediaTypeOf(e));
        if (size != 0) json.WriteNumber("size", size);
        WriteUnlessEmpty(json, "digest", e.Digest);
        if (size != 0) json.WriteNumber("length", size);
        json.WriteString("repository", e.Repository);
        WriteUnlessEmpty(json, "fromRepository", e.FromRepository);
        if (!isDelete && e.Digest is not null)
            json.WriteString("url", $"{e.Request.BaseUrl.TrimEnd('/')}/v2/{e.Repository}/{(e.IsBlob ? "blobs" : "manifests")}/{e.Digest}");
        WriteUnlessEmpty(json, "tag", e.Tag);
        if (includeReferences && !isDelete && !e.IsBlob && e.References.Count > 0)
        {
            json.WriteStartArray("references");
            foreach (var reference in e.References) WriteDescriptor(json, reference);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void WriteDescriptor(Utf8JsonWriter json, Descriptor descriptor)
    {
        json.WriteStartObject();
        WriteUnlessEmpty(json, "mediaType", descriptor.MediaType);
        if (descriptor.Size != 0) json.WriteNumber("size", descriptor.Size);
        json.WriteString("digest", descriptor.Digest.ToString());
        if (descriptor.Urls.Count > 0)
        {
            json.WriteStartArray("urls");
            foreach (var url in descriptor.Urls) json.WriteStringValue(url);
            json.WriteEndArray();
        }
        if (descriptor.Os is not null || descriptor.Architecture is not null)
        {
            json.WriteStartObject("platform");
            json.WriteString("architecture", descriptor.Architecture ?? "");
            json.WriteString("os", descriptor.Os ?? "");
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void WriteUnlessEmpty(Utf8JsonWriter json, string name, string? value)
    {
        if (!string.IsNullOrEmpty(value)) json.WriteString(name, value);
    }
}
