namespace Berth.EndToEnd.Harness;

/// <summary>One registry that is open to all and one home folder, shared by the tests of a class.</summary>
public class RegistryAndShell : IAsyncLifetime
{
    private readonly Access access;
    private RunningRegistry? registry;

    public RegistryAndShell()
        : this(Access.Open)
    {
    }

    protected RegistryAndShell(Access access) => this.access = access;

    public ClientShell Shell { get; } = new("shell");

    public RunningRegistry Registry => registry ?? throw new InvalidOperationException("the registry is not started");

    /// <summary>Host and port of the registry.</summary>
    public string Address => Registry.Address;

    public RegistryHttp Http => Registry.Http;

    /// <summary>How skopeo, podman and buildah name a reference.</summary>
    public string Docker(string reference) => $"docker://{Address}/{reference}";

    /// <summary>The full name of a repository, with tag or digest.</summary>
    public string Name(string reference) => $"{Address}/{reference}";

    public async ValueTask InitializeAsync()
    {
        registry = await RegistryUnderTest.Start(Shell.Folder, access, TestContext.Current.CancellationToken);
        Shell.Diagnostics = registry.LogTail;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (registry is not null)
        {
            await registry.DisposeAsync();
        }

        Shell.Dispose();
    }
}

/// <summary>The same with a registry that wants to know who calls: <see cref="RegistryUnderTest.User"/> may do everything, others nothing.</summary>
public sealed class SignedInRegistryAndShell() : RegistryAndShell(Access.SignedIn);
