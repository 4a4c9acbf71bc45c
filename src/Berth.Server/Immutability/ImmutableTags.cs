using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;

namespace Berth.Server.Immutability;

/// <summary>Whether a tag may be moved or deleted, asked inside the transaction that would do it.</summary>
internal static class ImmutableTags
{
    /// <summary>Whether a rule of the project makes a tag immutable.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="projectId">The project.</param>
    /// <param name="repository">Name of the repository within the project.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<bool> IsImmutableAsync(DbSession session, long projectId, string repository, string tag, CancellationToken ct)
    {
        await using var rules = await session.Command(SelectRules, projectId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        var isImmutable = false;
        while (await rules.ReadAsync(ct).ConfigureAwait(false))
        {
            isImmutable |= Matches(rules.GetString(1), rules.GetBoolean(0), repository) && Matches(rules.GetString(3), rules.GetBoolean(2), tag);
        }
        return isImmutable;
    }

    // Stored patterns were checked when they were saved.
    private static bool Matches(string pattern, bool isWanted, string name) => Glob.Parse(pattern).IsMatch(name) == isWanted;

    private static readonly Statement SelectRules = new("""
        SELECT repository_matches, repository_pattern, tag_matches, tag_pattern FROM immutable_rules WHERE project_id = @0 AND NOT is_disabled
        """);
}
