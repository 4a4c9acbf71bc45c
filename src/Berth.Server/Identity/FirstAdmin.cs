namespace Berth.Server.Identity;

/// <summary>
/// Creates the user <c>admin</c> in a database without users, so that a new installation can be used. Safe to run at every start and
/// by several replicas at once: one of them creates the user, and only that one learns the generated password.
/// </summary>
public sealed class FirstAdmin(Users users)
{
    /// <summary>Name of the first administrator.</summary>
    public const string Name = "admin";

    /// <summary>Environment variable with the password to use instead of a generated one.</summary>
    public const string PasswordVariable = "BERTH_ADMIN_PASSWORD";

    /// <summary>Makes sure that there is a user.</summary>
    /// <param name="password">Password to use, from <see cref="PasswordVariable"/>; null or empty to generate one.</param>
    /// <param name="ct">Cancels.</param>
    public async Task<FirstAdminResult> EnsureAsync(string? password, CancellationToken ct)
    {
        if (await users.AnyAsync(ct).ConfigureAwait(false)) return new FirstAdminResult(false, null);
        var generated = string.IsNullOrEmpty(password) ? GeneratedPassword.New() : null;
        var isCreated = await users.AddFirstAsync(Name, generated ?? password!, ct).ConfigureAwait(false);
        return new FirstAdminResult(isCreated, isCreated ? generated : null);
    }
}

/// <summary>What <see cref="FirstAdmin"/> has done.</summary>
/// <param name="IsCreated">This process has created the user.</param>
/// <param name="GeneratedPassword">The password, when it was generated: to be shown once, it is kept nowhere.</param>
public sealed record FirstAdminResult(bool IsCreated, string? GeneratedPassword);
