using Berth.Server;

var options = new BerthOptions
{
    DataFolder = args.Length > 0 ? args[0] : "./.berth",
    Http = new() { Urls = [args.Length > 1 ? args[1] : "http://127.0.0.1:5000"] },
};
await using var app = await BerthServer.BuildAsync(options, null, CancellationToken.None);
await app.RunAsync();
