using Berth.Server.Platform.Data;

namespace Berth.Server.Tests.Registry;

/// <summary>One server for all tests of a class; each test keeps to repositories of its own.</summary>
public abstract class RegistryFixture(DatabaseKind kind) : IAsyncLifetime
{
    private RegistryApp? _app;

    internal DatabaseKind Kind => kind;

    internal RegistryApp App
    {
        get
        {
            RegistryApp.SkipWithout(kind);
            return _app!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (kind == DatabaseKind.Sqlite || !string.IsNullOrEmpty(RegistryApp.Server)) _app = await RegistryApp.StartAsync(kind);
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is not null) await _app.DisposeAsync();
        GC.SuppressFinalize(this);
    }
}

public sealed class SqliteRegistry() : RegistryFixture(DatabaseKind.Sqlite);

public sealed class PostgresRegistry() : RegistryFixture(DatabaseKind.Postgres);

/// <summary>Tests of the protocol against a running server; derived once for each database.</summary>
public abstract class RegistryTests(RegistryFixture fixture)
{
    private static int s_names;

    internal RegistryApp App => fixture.App;

    internal DatabaseKind Kind => fixture.Kind;

    /// <summary>A repository that no other test uses.</summary>
    internal static string NewRepository(string name = "library/test") => $"{name}-{Interlocked.Increment(ref s_names)}";

    /// <summary>Bytes that differ from seed to seed.</summary>
    internal static byte[] Bytes(int length, int seed = 1)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Bytes that nobody else pushes.</summary>
    internal static byte[] NewBytes(int length) => Bytes(length, 1_000_000 + Interlocked.Increment(ref s_names));
}
