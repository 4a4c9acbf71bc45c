namespace Berth.Server.Access;

/// <summary>
/// Nobody can tell whether credentials are right, because whom to ask does not answer: a directory, an issuer. Answered with 503, counted as no
/// failure of the caller's. The message is for the operator.
/// </summary>
internal sealed class SignInUnavailableException(string message) : Exception(message)
{
    /// <summary>What the caller is told.</summary>
    public const string Answer = "the directory or provider that knows your credentials does not answer: try again";
}
