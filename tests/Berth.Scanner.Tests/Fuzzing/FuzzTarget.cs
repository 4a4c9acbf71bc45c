using System.Text;
using System.Text.Json;
using System.Xml;
using Berth.Scanner.Inventory.Layers;
using Berth.Scanner.Scan;

namespace Berth.Scanner.Tests.Fuzzing;

/// <summary>One reader of untrusted bytes.</summary>
/// <param name="Name">Name, which finds it again for a kept input.</param>
/// <param name="Samples">Valid inputs, which are changed.</param>
/// <param name="Run">Reads an input.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Samples, Action<byte[]> Run)
{
    /// <summary>Makes changed bytes whole again where nothing of the depth is reached otherwise: checksums, packing.</summary>
    public Func<byte[], byte[]> Repair { get; init; } = static bytes => bytes;

    /// <summary>Whether whoever calls the reader takes every exception for a broken input.</summary>
    public bool MayThrowAnything { get; init; }

    /// <summary>How often it is chosen.</summary>
    public int Weight { get; init; } = 4;

    /// <summary>Whether an exception says that the input is refused.</summary>
    public bool IsRefusal(Exception e) => e is not (OutOfMemoryException or NullReferenceException or InsufficientExecutionStackException)
        && (MayThrowAnything || e is InvalidDataException or FormatException or JsonException or XmlException or LayerRefusedException or ImageRefusedException or EndOfStreamException or DecoderFallbackException);
}
