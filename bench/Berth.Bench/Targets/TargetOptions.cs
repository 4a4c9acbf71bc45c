namespace Berth.Bench.Targets;

/// <summary>One <c>--target</c> and the options that follow it.</summary>
internal sealed record TargetOptions
{
    /// <summary>The column's title.</summary>
    internal required string Name { get; init; }

    /// <summary>Plain http, host and port.</summary>
    internal required Uri Url { get; init; }

    /// <summary>A shell command that becomes the server (it is run as <c>exec COMMAND</c>); empty when the server runs already.</summary>
    internal string StartCommand { get; init; } = "";

    /// <summary>A shell command that moves files to and from a store by its own SDK, instead of a registry (<see cref="DirectProgram"/>); empty for a registry.</summary>
    internal string DirectCommand { get; init; } = "";

    /// <summary>The server's data folder. When it is given with a start command, it is emptied after each workload that leaves gigabytes behind.</summary>
    internal string DataFolder { get; init; } = "";

    /// <summary>Process of a server that was started by someone else: its memory and processor time are read.</summary>
    internal int? ProcessId { get; init; }

    /// <summary><c>user:password</c> for Basic, or empty.</summary>
    internal string Login { get; init; } = "";

    /// <summary><c>user:password</c> of whoever puts the data sets there; empty when it is who is measured.</summary>
    internal string SeedLogin { get; init; } = "";

    /// <summary>A bearer token, or empty.</summary>
    internal string Bearer { get; init; } = "";
}
