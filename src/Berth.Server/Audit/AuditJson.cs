using System.Text.Json.Serialization;
using Berth.Server.Platform.Text;

namespace Berth.Server.Audit;

/// <summary>An entry in Harbor's older list.</summary>
public sealed record AuditLog
{
    public long Id { get; init; }

    public string Username { get; init; } = "";

    public string Resource { get; init; } = "";

    public string ResourceType { get; init; } = "";

    public string Operation { get; init; } = "";

    public string OpTime { get; init; } = "";
}

/// <summary>An entry in Harbor's list of now.</summary>
public sealed record AuditLogExt
{
    public long Id { get; init; }

    public string Username { get; init; } = "";

    public string Resource { get; init; } = "";

    public string ResourceType { get; init; } = "";

    public string Operation { get; init; } = "";

    public string OperationDescription { get; init; } = "";

    public bool OperationResult { get; init; }

    public string OpTime { get; init; } = "";
}

/// <summary>A type of events.</summary>
public sealed record AuditLogEventType
{
    public string EventType { get; init; } = "";
}

/// <summary>A whole entry, as it is exported and sent to receivers.</summary>
public sealed record AuditRecord
{
    public long Id { get; init; }

    public string Time { get; init; } = "";

    public string Operation { get; init; } = "";

    public string ResourceType { get; init; } = "";

    public string Resource { get; init; } = "";

    public long? ProjectId { get; init; }

    public string Actor { get; init; } = "";

    public string Address { get; init; } = "";

    public string RequestId { get; init; } = "";

    public string Description { get; init; } = "";

    public bool Successful { get; init; }

    public int Count { get; init; }

    internal static AuditRecord Of(AuditEntry entry) => new()
    {
        Id = entry.Id,
        Time = UtcText.Of(entry.At),
        Operation = entry.Operation,
        ResourceType = entry.ResourceType,
        Resource = entry.Resource,
        ProjectId = entry.ProjectId,
        Actor = entry.Actor,
        Address = entry.Address,
        RequestId = entry.RequestId,
        Description = entry.Description,
        Successful = entry.IsSuccessful,
        Count = entry.Count,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(List<AuditLog>))]
[JsonSerializable(typeof(List<AuditLogExt>))]
[JsonSerializable(typeof(List<AuditLogEventType>))]
[JsonSerializable(typeof(List<AuditRecord>))]
[JsonSerializable(typeof(AuditRecord))]
internal sealed partial class AuditJson : JsonSerializerContext;
