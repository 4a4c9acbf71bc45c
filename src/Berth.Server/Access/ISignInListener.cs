namespace Berth.Server.Access;

/// <summary>Hears of refused names and passwords. Called on the path of a sign-in: it takes no more than a short lock, and never throws.</summary>
internal interface ISignInListener
{
    /// <summary>A name and a password were refused.</summary>
    /// <param name="name">The name; null when none could be read.</param>
    /// <param name="address">Address that they came from; empty when it is not known.</param>
    void SignInFailed(string? name, string address);
}
