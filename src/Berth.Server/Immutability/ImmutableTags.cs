using Berth.Server.Platform.Data;
using Berth.Server.Platform.Text;

namespace Berth.Server.Immutability;

/// <summary>A rule whose patterns are read.</summary>
/// <param name="Id">Its row.</param>
/// <param name="Repository">Pattern over the repository's name within the project.</param>
/// <param name="RepositoryMatches">Whether it is about repositories that match, or about all others.</param>
/// <param name="Tag">Pattern over tags.</param>
/// <param name="TagMatches">Whether it is about tags that match, or about all others.</param>
internal sealed record CompiledImmutableRule(long Id, Glob Repository, bool RepositoryMatches, Glob Tag, bool TagMatches)
{
    /// <summary>Whether the rule makes a tag immutable.</summary>
    public bool Holds(string repository, string tag) => Repository.IsMatch(repository) == RepositoryMatches && Tag.IsMatch(tag) == TagMatches;
}

/// <summary>Whether a tag may be moved or deleted, asked inside the transaction that would do it.</summary>
internal static class ImmutableTags
{
    /// <summary>Whether a rule of the project makes a tag immutable.</summary>
    /// <param name="session">The transaction.</param>
    /// <param name="projectId">The project.</param>
    /// <param name="repository">Name of the repository within the project.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="ct">Cancels.</param>
    public static async ValueTask<bool> IsImmutableAsync(DbSession session, long projectId, string repository, string tag, CancellationToken ct) =>
        IsImmutable(await ReadAsync(session, projectId, ct).ConfigureAwait(false), repository, tag);

    /// <summary>Whether one of some rules makes a tag immutable.</summary>
    public static bool IsImmutable(IReadOnlyList<CompiledImmutableRule> rules, string repository, string tag)
    {
        foreach (var rule in rules)
        {
            if (rule.Holds(repository, tag)) return true;
        }
        return false;
    }

    /// <summary>The rules of a project that are switched on. Stored patterns were checked when they were saved.</summary>
    public static async ValueTask<IReadOnlyList<CompiledImmutableRule>> ReadAsync(DbSession session, long projectId, CancellationToken ct)
    {
        List<CompiledImmutableRule>? rules = null;
        await using var rows = await session.Command(SelectRules, projectId).ExecuteReaderAsync(ct).ConfigureAwait(false);
        while (await rows.ReadAsync(ct).ConfigureAwait(false))
        {
            (rules ??= []).Add(new CompiledImmutableRule(
                rows.GetInt64(0), Glob.Parse(rows.GetString(2)), rows.GetBoolean(1), Glob.Parse(rows.GetString(4)), rows.GetBoolean(3)));
        }
        return rules ?? (IReadOnlyList<CompiledImmutableRule>)[];
    }

    private static readonly Statement SelectRules = new("""
        SELECT id, repository_matches, repository_pattern, tag_matches, tag_pattern FROM immutable_rules WHERE project_id = @0 AND NOT is_disabled ORDER BY id
        """);
}
