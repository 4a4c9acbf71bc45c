namespace Berth.Client;

/// <summary>Why a registry did not give what was asked for.</summary>
public enum RegistryFailure
{
    /// <summary>No connection, or none that lasted.</summary>
    Unreachable,

    /// <summary>It wants a sign-in that was not given or not accepted (401).</summary>
    Unauthorized,

    /// <summary>Whoever is signed in may not (403).</summary>
    Denied,

    /// <summary>There is no such thing (404).</summary>
    NotFound,

    /// <summary>It asks to come back later (429).</summary>
    TooManyRequests,

    /// <summary>It says no for another reason.</summary>
    Refused,

    /// <summary>It fails itself (5xx).</summary>
    ServerError,

    /// <summary>What came is not what was asked for: another digest or size, or no valid document.</summary>
    WrongContent,

    /// <summary>What came is larger than what is read.</summary>
    TooLarge,
}

/// <summary>A registry did not give what was asked for; the message is for whoever asked, and holds no secrets.</summary>
public sealed class RegistryException(RegistryFailure failure, string message, Exception? inner = null) : IOException(message, inner)
{
    public RegistryFailure Failure => failure;
}
