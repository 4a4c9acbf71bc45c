namespace Berth.Blobs;

/// <summary>Marks a setting that is never shown and that may also be given as a file.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class SecretSettingAttribute : Attribute;
