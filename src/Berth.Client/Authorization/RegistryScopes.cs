namespace Berth.Client.Authorization;

/// <summary>What tokens are asked for (Docker's token scopes).</summary>
internal static class RegistryScopes
{
    public static string Pull(ImageReference reference) => $"repository:{reference.Repository}:pull";

    public static string Push(ImageReference reference) => $"repository:{reference.Repository}:pull,push";
}
