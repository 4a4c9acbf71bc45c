using Berth.Microbenchmarks;
using BenchmarkDotNet.Running;

if (args is ["fill-database", var file, var count])
{
    await FilledDatabase.FillAsync(file, int.Parse(count), CancellationToken.None);
    return 0;
}
if (args is ["fill-lists" or "fill-pages", var database])
{
    await FilledLists.FillAsync(database, args[0] == "fill-pages", CancellationToken.None);
    return 0;
}
if (args is ["advisory", var connection]) return await AdvisoryRun.RunAsync(connection, CancellationToken.None);
if (args is ["direct-s3"]) return await DirectS3.RunAsync();
if (args is ["audit", ..]) return await AuditLogRun.RunAsync(args[1..]);
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
