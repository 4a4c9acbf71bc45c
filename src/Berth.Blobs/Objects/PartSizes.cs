namespace Berth.Blobs.Objects;

/// <summary>How large a part is by its number: the usual size for most, and double for each further sixteenth of the parts that an object may have, up to 1 GiB.</summary>
internal static class PartSizes
{
    private const int Steps = 16;
    private const int MaxPartBytes = 1 << 30;

    /// <summary>Size of a part, a multiple of what the service asks.</summary>
    public static int Of(int number, PartLimits limits)
    {
        if (limits.IsEven) return limits.PartBytes;
        var step = Math.Max(1, limits.MaxParts / Steps);
        var size = Math.Min((long)limits.PartBytes << Math.Min((number - 1) / step, 30), Math.Max(MaxPartBytes, limits.PartBytes));
        return (int)(size - (size % Math.Max(1, limits.Multiple)));
    }

    /// <summary>Bytes of a part that is written early, at a save, in place of a tail; 0 when there is to be none.</summary>
    public static int OfShort(int number, int bytes, PartLimits limits)
    {
        // Uploads in many saved pieces must not run out of parts.
        if (limits.ShortBytes == 0 || limits.IsEven || bytes < limits.ShortBytes || number > limits.MaxParts / 4) return 0;
        return bytes - (bytes % Math.Max(1, limits.Multiple));
    }
}
