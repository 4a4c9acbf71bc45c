using Berth.Server.Platform.Events;
using Berth.Server.Projects;
using Berth.Server.Projects.Naming;

namespace Berth.Server.Registry;

/// <summary>Holds the tags of one push against the naming policy of its project, which came with the caller's rights: nothing is read.</summary>
internal sealed class PushNames(NamingRules rules, ManifestTarget target)
{
    /// <summary>Resource type of events about names: operation <c>warn</c> or <c>refuse</c>.</summary>
    public const string ResourceType = "naming";

    private List<(string Tag, NamingBreach Breach)>? _broken;

    /// <summary>What is to be held against a policy; null where there is none, or names are not asked about.</summary>
    public static PushNames? Of(ManifestTarget target) =>
        !target.KeepsNames && target.Rights.Project?.Naming is { } rules ? new PushNames(rules, target) : null;

    /// <summary>Sentences for the client about a push that is done although it breaks the policy.</summary>
    public IReadOnlyList<string> Warnings => _broken is null ? [] : [.. _broken.Select(b => $"naming policy, {b.Breach.Rule}: {b.Breach.Sentence}")];

    /// <summary>Holds a tag that is made or moved against the policy: the refusal, or null when it may be written.</summary>
    public ManifestOutcome? Check(long projectId, string tag, bool exists)
    {
        if (ArtifactKinds.IsHelperTag(tag) || rules.Find(ProjectName.WithoutProject(target.Rights.Repository), tag, exists) is not { } breach) return null;
        if (rules.Mode == NamingMode.Enforce)
        {
            var error = exists ? OciError.Denied : OciError.TagInvalid;
            // Clients show the message and not the detail.
            return new ManifestOutcome(error with { Message = breach.Sentence }, [$"naming policy of the project, rule {breach.Rule}: {breach.Sentence}"]) { AfterRollback = Event("refuse", projectId, tag, breach) };
        }
        (_broken ??= []).Add((tag, breach));
        return null;
    }

    /// <summary>What is told of the push; null when it breaks nothing.</summary>
    public DomainEvent? Told(long projectId) => _broken is { } broken ? Event("warn", projectId, broken[0].Tag, broken[0].Breach) : null;

    private DomainEvent Event(string operation, long projectId, string tag, NamingBreach breach) => new()
    {
        Operation = operation,
        ResourceType = ResourceType,
        Resource = $"{target.Rights.Repository}:{tag}",
        ProjectId = projectId,
        ProjectName = ProjectName.Of(target.Rights.Repository),
        Actor = target.EventActor,
        Description = $"naming policy, rule {breach.Rule}: {breach.Sentence}",
        IsSuccessful = operation != "refuse",
    };
}
