using Berth.Server.Platform.Data;

namespace Berth.Server.Platform.Secrets;

/// <summary>
/// Replicas must have the same secret key, or each could read only what it has encrypted itself. The first that starts leaves a fingerprint in the database;
/// one with another key does not start.
/// </summary>
internal static class SecretKeyCheck
{
    /// <summary>Name of the fact (<see cref="InstallationFact"/>) that holds the fingerprint.</summary>
    public const string Fact = "secret.fingerprint";

    /// <summary>Compares, or leaves the fingerprint.</summary>
    /// <exception cref="WrongSecretKeyException">The installation has another key.</exception>
    public static async Task RunAsync(Database database, InstallationSecret secret, CancellationToken ct)
    {
        var fingerprint = secret.Fingerprint;
        var known = await database.WriteAsync(Durability.Full, async (session, token) =>
        {
            await session.ExecuteAsync(Leave, [Fact, fingerprint], token).ConfigureAwait(false);
            return await session.Command(Select, Fact).ExecuteScalarAsync(token).ConfigureAwait(false) as string;
        }, ct).ConfigureAwait(false);
        if (known != fingerprint) throw new WrongSecretKeyException();
    }

    private static readonly Statement Leave = new("INSERT INTO installation_facts (name, value) VALUES (@0, @1) ON CONFLICT (name) DO NOTHING");
    private static readonly Statement Select = new("SELECT value FROM installation_facts WHERE name = @0");
}

/// <summary>The secret key is not that of the installation.</summary>
public sealed class WrongSecretKeyException() : InvalidOperationException(
    "the secret key of this replica is not that of the others: give every replica the same access.secretKey or access.secretKeyFile (docs/high-availability.md)");
