using System.CommandLine;

namespace Berth.Commands;

/// <summary><c>berth completion SHELL</c>: a script that lets the shell ask <c>berth complete</c>.</summary>
internal static class Completion
{
    private const string Bash = """
        _berth() {
          local IFS=$'\n'
          COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" complete --position "$COMP_POINT" -- "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _berth berth
        """;

    private const string Zsh = """
        #compdef berth
        _berth() {
          local -a words_that_fit
          words_that_fit=("${(@f)$("${words[1]}" complete --position "$CURSOR" -- "$BUFFER" 2>/dev/null)}")
          if [[ -n "${words_that_fit[1]}" ]]; then compadd -a words_that_fit; else _files; fi
        }
        compdef _berth berth
        """;

    private const string Fish = """
        complete -c berth -a '(berth complete --position (commandline -C) -- (commandline -p) 2>/dev/null)'
        """;

    public static Command Build()
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish" };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var verb = new Verb("completion", "Print a script for command line completion", """
            source <(berth completion bash)
            berth completion bash > /etc/bash_completion.d/berth
            berth completion zsh > "${fpath[1]}/_berth"
            berth completion fish > ~/.config/fish/completions/berth.fish
            """)
        {
            shell,
        };
        verb.SetAction(parsed =>
        {
            parsed.InvocationConfiguration.Output.WriteLine(parsed.GetValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return ExitCodes.Ok;
        });
        return verb;
    }
}
