using System.CommandLine;
using System.CommandLine.Invocation;
using Berth.Server;
using Berth.Server.Platform.Options;

namespace Berth;

/// <summary>Starts a server with a configuration; ends with its exit code.</summary>
internal delegate Task<int> RunServer(BerthConfiguration configuration, CancellationToken ct);

/// <summary>What the commands take from the process they run in.</summary>
internal sealed record CommandEnvironment(IReadOnlyDictionary<string, string> Variables, RunServer RunServer)
{
    /// <summary>Standard input.</summary>
    public TextReader Input { get; init; } = Console.In;

    /// <summary>Whether somebody watches standard error.</summary>
    public bool IsErrorTerminal { get; init; }
}

/// <summary>The tree of commands, and how a line of arguments is run.</summary>
internal static class CommandLine
{
    /// <summary>All commands, as the program <c>berth</c>.</summary>
    public static Command Berth(CommandEnvironment environment)
    {
        var root = Root("berth", "Berth, a container image registry", """
            berth serve                                  start with ./berth.yaml or defaults, data in ./berth-data
            berth serve --config /etc/berth/berth.yaml   start with a configuration file
            berth registry serve config.yml              start with Docker Registry's configuration
            berth config check                           check a configuration without starting
            """);
        root.Subcommands.Add(Commands.Serve.Build(environment));
        root.Subcommands.Add(Registry(environment, "registry"));
        root.Subcommands.Add(Commands.Adopt.Build(environment));
        root.Subcommands.Add(Commands.Backup.Build(environment));
        root.Subcommands.Add(Commands.Restore.Build(environment));
        root.Subcommands.Add(Commands.Fsck.Build(environment));
        var config = new Verb("config", "Check and show settings", """
            berth config check
            berth config show --changed
            """);
        config.Subcommands.Add(Commands.Config.Check.Build(environment));
        config.Subcommands.Add(Commands.Config.Show.Build(environment));
        root.Subcommands.Add(config);
        root.Subcommands.Add(Commands.Doctor.Build(environment));
        root.Subcommands.Add(Commands.Cleanup.Build(environment));
        root.Subcommands.Add(Commands.Scan.Build(environment));
        root.Subcommands.Add(Commands.Sbom.Build(environment));
        root.Subcommands.Add(Noun(
            "db", "The database of advisories that scans ask", "berth db update",
            Commands.Db.Update.Command(environment), Commands.Db.Build.Command(environment), Commands.Db.Import.Command(environment), Commands.Db.Export.Command(environment), Commands.Db.Status.Command(environment),
            Commands.Db.Rollback.Command(environment)));
        foreach (var noun in OnServers(environment)) root.Subcommands.Add(noun);
        root.Subcommands.Add(Commands.Version.Build());
        root.Subcommands.Add(Commands.Completion.Build());
        root.Subcommands.Add(Commands.Complete.Build(root));
        return root;
    }

    // What is asked of a running server.
    private static IEnumerable<Command> OnServers(CommandEnvironment environment)
    {
        yield return Noun(
            "storage", "Blob stores of a running server", "berth storage list", Commands.Storage.List.Build(environment), Commands.Storage.Move.Build(environment));
        yield return Noun("access", "Ask a running server about rights", "berth access explain push --project shop --repository web", Commands.Access.Explain.Build(environment));
        yield return Noun(
            "project", "Projects of a running server", "berth project create shop",
            Commands.Project.List.Build(environment), Commands.Project.Create.Build(environment), Commands.Project.Delete.Build(environment));
        yield return Noun(
            "user", "Users of a running server", "berth user list",
            Commands.User.List.Build(environment), Commands.User.Create.Build(environment), Commands.User.Disable.Build(environment), Commands.User.Enable.Build(environment),
            Commands.User.Delete.Build(environment));
        yield return Noun(
            "robot", "Robot accounts of a running server", "berth robot list --project shop",
            Commands.Robot.List.Build(environment), Commands.Robot.Create.Build(environment), Commands.Robot.Refresh.Build(environment), Commands.Robot.Delete.Build(environment));
        yield return Noun(
            "token", "Own personal access tokens at a running server", "berth token create ci --scope shop:push --days 90",
            Commands.Token.List.Build(environment), Commands.Token.Create.Build(environment), Commands.Token.Revoke.Build(environment));
        yield return Noun("keys", "Keys that a running server signs bearer tokens with", "berth keys rotate", Commands.Keys.List.Build(environment), Commands.Keys.Rotate.Build(environment));
        yield return Noun(
            "encryption", "Data keys that a running server encrypts content with", "berth encryption status",
            Commands.Encryption.Status.Build(environment), Commands.Encryption.Rotate.Build(environment), Commands.Encryption.Rewrap.Build(environment));
    }

    private static Verb Noun(string name, string description, string examples, params IEnumerable<Command> verbs)
    {
        var noun = new Verb(name, description, examples);
        foreach (var verb in verbs) noun.Subcommands.Add(verb);
        return noun;
    }

    /// <summary>The commands of Docker Registry's program, when called by its name.</summary>
    public static Command DockerRegistry(CommandEnvironment environment)
    {
        var root = Registry(environment, "registry");
        root.Options.Add(Verb.Help());
        root.Options.Add(VersionOption("--version", "-v"));
        return root;
    }

    /// <summary>The tree that the name of the called program asks for.</summary>
    /// <param name="program">First word of the process's command line: a name or path.</param>
    /// <param name="environment">The process.</param>
    public static Command For(string program, CommandEnvironment environment) =>
        Path.GetFileName(program) is "registry" or "docker-registry" ? DockerRegistry(environment) : Berth(environment);

    /// <summary>Parses and runs. A wrong line gives its errors and a hint on standard error and <see cref="ExitCodes.Usage"/>.</summary>
    public static async Task<int> RunAsync(Command root, IReadOnlyList<string> args, TextWriter output, TextWriter error, CancellationToken ct)
    {
        // An argument that begins with @ is what it is (--template @FILE), not a file with more arguments.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Action is ParseErrorAction || (parsed.Action is null && parsed.Errors.Count > 0))
        {
            foreach (var problem in Told(parsed))
                error.WriteLine(problem);
            error.WriteLine($"see \"{PathOf(parsed.CommandResult)} --help\"");
            return ExitCodes.Usage;
        }
        // The server ends on signals by itself, as long as draining takes; the parser must not cut it short.
        var settings = new InvocationConfiguration { Output = output, Error = error, ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
        try
        {
            return await parsed.InvokeAsync(settings, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            error.WriteLine("cut off");
            return ExitCodes.Interrupted;
        }
    }

    /// <summary>Writes problems of a configuration to standard error.</summary>
    public static int Refuse(ParseResult parsed, IReadOnlyList<ConfigProblem> problems)
    {
        var error = parsed.InvocationConfiguration.Error;
        error.WriteLine(problems.Count == 1 ? "the configuration has a problem:" : $"the configuration has {problems.Count} problems:");
        foreach (var problem in problems)
            error.WriteLine($"  {problem}");
        return ExitCodes.Usage;
    }

    // An unknown word is named with the nearest known one; that a command is missing then goes without saying.
    private static IEnumerable<string> Told(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens.Count == 0)
            return parsed.Errors.Select(problem => LowerCase(problem.Message));
        var command = parsed.CommandResult.Command;
        var known = command.Subcommands.Where(sub => !sub.Hidden).Select(sub => sub.Name).Concat(command.Options.Select(option => option.Name));
        return parsed.UnmatchedTokens.Select(word => $"unknown command or argument \"{word}\"; did you mean \"{NearestKey.Find(word, known)}\"?");
    }

    private static string LowerCase(string message) => char.ToLowerInvariant(message[0]) + message[1..].TrimEnd('.');

    private static Command Root(string name, string description, string examples)
    {
        var root = new Verb(name, description, examples);
        root.Options.Add(Verb.Help());
        root.Options.Add(VersionOption("--version"));
        return root;
    }

    private static VersionOption VersionOption(string name, params string[] aliases) =>
        new(name, aliases) { Description = "Show the version", Action = new Commands.Version.Print() };

    private static Verb Registry(CommandEnvironment environment, string name)
    {
        var registry = new Verb(name, "Run as Docker Registry does, with its config.yml", """
            registry serve /etc/docker/registry/config.yml   the same when the program is called registry or docker-registry
            """);
        registry.Subcommands.Add(Commands.Registry.Serve.Build(environment));
        registry.Subcommands.Add(Commands.Registry.GarbageCollect.Build(environment));
        return registry;
    }

    private static string PathOf(System.CommandLine.Parsing.CommandResult result) =>
        result.Parent is System.CommandLine.Parsing.CommandResult parent ? $"{PathOf(parent)} {result.Command.Name}" : result.Command.Name;
}
