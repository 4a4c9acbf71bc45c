using System.Globalization;
using System.Text.Json;

namespace Berth.Server.Platform.Settings;

/// <summary>What texts a setting takes.</summary>
public enum SettingKind
{
    /// <summary>Any text.</summary>
    Text,

    /// <summary>A text that is not blank.</summary>
    FilledText,

    /// <summary>A text that is encrypted in the database and never shown.</summary>
    Secret,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Flag,

    /// <summary>A whole number of 32 bits.</summary>
    Number,

    /// <summary>A whole number from 1 to <see cref="RuntimeSetting.MaxDuration"/>.</summary>
    Duration,

    /// <summary>Bytes: at least 1, or -1 for no limit.</summary>
    Quota,

    /// <summary>A JSON object.</summary>
    Map,

    /// <summary>A JSON object whose values are texts.</summary>
    TextMap,

    /// <summary>One of a few words (<see cref="RuntimeSetting.Words"/>).</summary>
    Word,

    /// <summary>0, 1 or 2: how deep LDAP searches.</summary>
    LdapScope,
}

/// <summary>A setting that an administrator may change while the server runs, under Harbor's name. All of them stand in <see cref="RuntimeSettingTable"/>.</summary>
public abstract class RuntimeSetting
{
    /// <summary>Longest text of a value in characters.</summary>
    public const int MaxLength = 64 * 1024;

    /// <summary>Largest value of a <see cref="SettingKind.Duration"/>, in its unit; Harbor's.</summary>
    public const long MaxDuration = 9_999_999_999;

    private protected RuntimeSetting(string name, SettingKind kind, string defaultText, string description, int index, IReadOnlyList<string> words)
    {
        (Name, Kind, DefaultText, Description, Index, Words) = (name, kind, defaultText, description, index, words);
        if (TryParse(defaultText) is null && kind != SettingKind.FilledText) throw new InvalidOperationException($"the default of {name} is no value of it");
    }

    /// <summary>Harbor's name.</summary>
    public string Name { get; }

    /// <summary>What texts it takes.</summary>
    public SettingKind Kind { get; }

    /// <summary>The value where neither the file nor an administrator says anything else.</summary>
    public string DefaultText { get; }

    /// <summary>A sentence for people.</summary>
    public string Description { get; }

    /// <summary>Allowed words of a <see cref="SettingKind.Word"/>.</summary>
    public IReadOnlyList<string> Words { get; }

    /// <summary>Whether its value is never shown.</summary>
    public bool IsSecret => Kind == SettingKind.Secret;

    /// <summary>Its place in <see cref="RuntimeSettingTable.All"/>.</summary>
    internal int Index { get; }

    /// <summary>The value that a text means: a <see cref="bool"/>, a <see cref="long"/> or a <see cref="string"/>; null when it means none.</summary>
    public object? TryParse(string text)
    {
        if (text.Length > MaxLength) return null;
        switch (Kind)
        {
            case SettingKind.Flag:
                return text switch { "true" or "True" or "TRUE" or "1" or "t" => true, "false" or "False" or "FALSE" or "0" or "f" => false, _ => null };
            case SettingKind.Number:
                return Whole(text) is { } number and >= int.MinValue and <= int.MaxValue ? number : null;
            case SettingKind.Duration:
                return Whole(text) is { } duration and > 0 and <= MaxDuration ? duration : null;
            case SettingKind.Quota:
                return Whole(text) is { } quota && (quota > 0 || quota == -1) ? quota : null;
            case SettingKind.LdapScope:
                return Whole(text) is { } scope and >= 0 and <= 2 ? scope : null;
            case SettingKind.Word:
                return Words.Contains(text) ? text : null;
            case SettingKind.FilledText:
                return string.IsNullOrWhiteSpace(text) ? null : text;
            case SettingKind.Map:
            case SettingKind.TextMap:
                return IsObject(text, Kind == SettingKind.TextMap) ? text : null;
            default:
                return text;
        }
    }

    /// <summary>What is wrong with a text as its value; null when it may be one.</summary>
    public string? Check(string text) => TryParse(text) is not null ? null : Kind switch
    {
        SettingKind.Flag => $"{Name} must be true or false",
        SettingKind.Number => $"{Name} must be a whole number",
        SettingKind.Duration => Whole(text) is <= 0 ? $"the {Name} value must be positive" : $"the {Name} value is over the limit value: {MaxDuration}",
        SettingKind.Quota => $"{Name} must be -1 or greater than zero",
        SettingKind.LdapScope => $"invalid {Name}, should be 0, 1 or 2",
        SettingKind.Word => $"invalid {Name}, should be one of {string.Join(", ", Words)}",
        SettingKind.FilledText => $"{Name} must not be empty",
        SettingKind.Map => $"{Name} must be a JSON object",
        SettingKind.TextMap => $"{Name} must be a JSON object whose values are texts",
        _ => $"{Name} may have {MaxLength} characters",
    };

    // Harbor takes 1e3 for a number too.
    private static long? Whole(string text)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole)) return whole;
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && Math.Truncate(real) == real && Math.Abs(real) < 1e18 ? (long)real : null;
    }

    private static bool IsObject(string text, bool ofTexts)
    {
        if (text.Length == 0) return !ofTexts;
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Object
                && (!ofTexts || json.RootElement.EnumerateObject().All(p => p.Value.ValueKind == JsonValueKind.String));
        }
        catch (JsonException)
        {
            return false;
        }
    }
}

/// <summary>A setting whose value is of a type: <see cref="bool"/>, <see cref="long"/> or <see cref="string"/>.</summary>
public sealed class RuntimeSetting<T> : RuntimeSetting
{
    internal RuntimeSetting(string name, SettingKind kind, string defaultText, string description, int index, IReadOnlyList<string>? words = null)
        : base(name, kind, defaultText, description, index, words ?? [])
    {
    }

    /// <summary>The default as a value.</summary>
    public T Default => (T)(TryParse(DefaultText) ?? DefaultText);
}
