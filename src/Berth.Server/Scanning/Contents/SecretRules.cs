using Berth.Scanner.Secrets;
using Microsoft.Extensions.Logging;

namespace Berth.Server.Scanning.Contents;

/// <summary>
/// The rules by which secrets are found: the built-in ones, changed by a file in the form of Trivy's <c>trivy-secret.yaml</c> when there is one. The file is read again when it changes; one that
/// cannot be read leaves the rules as they were.
/// </summary>
/// <param name="path">The file; it need not be there.</param>
/// <param name="log">Where it is told.</param>
internal sealed class SecretRules(string path, ILogger<SecretRules> log)
{
    private const long MaxBytes = 4 << 20;

    private readonly Lock _gate = new();
    private SecretScanner _current = SecretScanner.Default;
    private (DateTime Written, long Size)? _read;

    /// <summary>The rules as they are now.</summary>
    public SecretScanner Current()
    {
        lock (_gate)
        {
            var file = new FileInfo(path);
            var stamp = file.Exists ? (file.LastWriteTimeUtc, file.Length) : ((DateTime, long)?)null;
            if (stamp == _read) return _current;
            _read = stamp;
            if (stamp is null)
            {
                _current = SecretScanner.Default;
                return _current;
            }
            try
            {
                if (file.Length > MaxBytes) throw new InvalidDataException($"the file has {file.Length} bytes, up to {MaxBytes} are read");
                _current = SecretRuleFile.Read(File.ReadAllBytes(path));
                log.RulesRead(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or FormatException or ArgumentException)
            {
                // The rules that were read before go on being used.
                log.RulesUnreadable(e, path);
            }
            return _current;
        }
    }
}

internal static partial class SecretRulesLog
{
    [LoggerMessage(5540, LogLevel.Information, "rules for secrets read: {Path}")]
    public static partial void RulesRead(this ILogger log, string path);

    [LoggerMessage(5541, LogLevel.Warning, "rules for secrets cannot be read: {Path}. Those from before are used")]
    public static partial void RulesUnreadable(this ILogger log, Exception exception, string path);
}
