namespace Berth;

/// <summary>What every command returns.</summary>
internal static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>Tried and failed; the reason is on standard error.</summary>
    public const int Failed = 1;

    /// <summary>Not tried: the command line or the configuration is wrong.</summary>
    public const int Usage = 2;

    /// <summary>Cut off by a signal, as shells have it for Ctrl+C.</summary>
    public const int Interrupted = 130;
}
