namespace Berth.Server.Platform.Options;

/// <summary>Marks a setting that is never shown. A secret text may also be given as a file: <c>nameFile</c> in YAML, <c>…__NAME_FILE</c> in the environment.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretAttribute : Attribute;
