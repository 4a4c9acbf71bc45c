namespace Berth.Kubernetes;

/// <summary>Something of a cluster that runs images.</summary>
/// <param name="Namespace">Namespace; <c>default</c> where a file names none.</param>
/// <param name="Kind">Such as <c>Deployment</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Images">Images of all its containers, each once.</param>
internal sealed record Workload(string Namespace, string Kind, string Name, IReadOnlyList<string> Images);
