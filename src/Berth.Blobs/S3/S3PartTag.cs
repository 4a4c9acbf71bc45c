using Amazon.S3.Model;

namespace Berth.Blobs.S3;

/// <summary>What is kept of a part: its ETag and, behind a blank, the checksum that it was sent with, which has to be said again at the end.</summary>
internal static class S3PartTag
{
    public static string Write(UploadPartResponse answer)
    {
        var (name, checksum) = answer switch
        {
            { ChecksumCRC32.Length: > 0 } => ("crc32", answer.ChecksumCRC32),
            { ChecksumCRC32C.Length: > 0 } => ("crc32c", answer.ChecksumCRC32C),
            { ChecksumCRC64NVME.Length: > 0 } => ("crc64nvme", answer.ChecksumCRC64NVME),
            { ChecksumSHA1.Length: > 0 } => ("sha1", answer.ChecksumSHA1),
            { ChecksumSHA256.Length: > 0 } => ("sha256", answer.ChecksumSHA256),
            _ => ("", ""),
        };
        return name.Length == 0 ? answer.ETag : $"{answer.ETag} {name}:{checksum}";
    }

    public static PartETag Read(int number, string tag)
    {
        var blank = tag.IndexOf(' ', StringComparison.Ordinal);
        if (blank < 0) return new PartETag(number, tag);
        var part = new PartETag(number, tag[..blank]);
        var colon = tag.IndexOf(':', blank);
        var checksum = tag[(colon + 1)..];
        switch (tag[(blank + 1)..colon])
        {
            case "crc32": part.ChecksumCRC32 = checksum; break;
            case "crc32c": part.ChecksumCRC32C = checksum; break;
            case "crc64nvme": part.ChecksumCRC64NVME = checksum; break;
            case "sha1": part.ChecksumSHA1 = checksum; break;
            case "sha256": part.ChecksumSHA256 = checksum; break;
        }
        return part;
    }
}
