using Berth;
using Berth.Server;

using var stop = new StopSignals();
var environment = new CommandEnvironment(ConfigurationSources.ProcessEnvironment(), RunServerAsync);
return await CommandLine.RunAsync(CommandLine.For(ProgramName.Called(), environment), args, Console.Out, Console.Error, stop.Token);

static async Task<int> RunServerAsync(BerthConfiguration configuration, CancellationToken ct)
{
    await using var app = await BerthServer.BuildAsync(configuration.Options, configure: null, ct);
    await ((IHost)app).RunAsync(ct);
    return ExitCodes.Ok;
}
