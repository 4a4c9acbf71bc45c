using System.IO.Compression;
using System.Text.Json;
using System.Text.Json.Serialization;
using Berth.Scanner.Misconfiguration;
using Berth.Scanner.Secrets;

namespace Berth.Server.Scanning.Contents;

/// <summary>Secrets and problems of the configuration as they are kept: JSON in Brotli. A secret is in it as stars only.</summary>
/// <param name="Secrets">Secrets, with the layer that brings each.</param>
/// <param name="Problems">Problems of the configuration.</param>
public sealed record StoredProblems(IReadOnlyList<SecretFinding> Secrets, IReadOnlyList<ConfigurationProblem> Problems)
{
    /// <summary>Most of each that are kept of an image.</summary>
    internal const int MaxOfEach = 2000;

    private const int MaxBytes = 64 << 20;

    internal static readonly StoredProblems None = new([], []);

    internal byte[]? Pack()
    {
        if (Secrets.Count + Problems.Count == 0) return null;
        using var buffer = new MemoryStream();
        using (var brotli = new BrotliStream(buffer, CompressionLevel.Fastest, leaveOpen: true)) JsonSerializer.Serialize(brotli, this, StoredProblemsJson.Default.StoredProblems);
        return buffer.ToArray();
    }

    internal static StoredProblems Unpack(byte[]? packed)
    {
        if (packed is null) return None;
        using var brotli = new BrotliStream(new MemoryStream(packed, writable: false), CompressionMode.Decompress);
        using var text = new MemoryStream();
        var buffer = new byte[1 << 14];
        for (int read; (read = brotli.Read(buffer)) > 0;)
        {
            if (text.Length + read > MaxBytes) throw new InvalidDataException("stored problems are too large");
            text.Write(buffer, 0, read);
        }
        return JsonSerializer.Deserialize(text.GetBuffer().AsSpan(0, (int)text.Length), StoredProblemsJson.Default.StoredProblems) ?? None;
    }
}

[JsonSourceGenerationOptions(UseStringEnumConverter = true)]
[JsonSerializable(typeof(StoredProblems))]
internal sealed partial class StoredProblemsJson : JsonSerializerContext;
