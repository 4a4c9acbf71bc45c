using Berth;
using Berth.Server;

using var stop = new StopSignals();
var environment = new CommandEnvironment(ConfigurationSources.ProcessEnvironment(), BerthServer.RunAsync) { IsErrorTerminal = !Console.IsErrorRedirected };
return await CommandLine.RunAsync(CommandLine.For(ProgramName.Called(), environment), args, Console.Out, Console.Error, stop.Token);
