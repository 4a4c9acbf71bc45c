namespace Berth.Server.Platform.Settings;

/// <summary>The values of all settings at one moment.</summary>
public sealed class SettingValues
{
    private readonly object[] _values;
    private readonly string[] _texts;
    private readonly bool[] _isFixed;

    internal SettingValues(string[] texts, bool[] isFixed)
    {
        (_texts, _isFixed) = (texts, isFixed);
        // A text that an older version left and this one does not take counts as not set.
        _values = [.. RuntimeSettingTable.All.Select(s => s.TryParse(texts[s.Index]) ?? s.TryParse(s.DefaultText) ?? s.DefaultText)];
    }

    /// <summary>The value of a setting.</summary>
    public T Of<T>(RuntimeSetting<T> setting) => (T)_values[setting.Index];

    /// <summary>The value as text, of a secret too.</summary>
    public string TextOf(RuntimeSetting setting) => _texts[setting.Index];

    /// <summary>The value as a <see cref="bool"/>, <see cref="long"/> or <see cref="string"/>.</summary>
    public object ValueOf(RuntimeSetting setting) => _values[setting.Index];

    /// <summary>Whether the configuration file says what it is, so that nobody can change it while the server runs.</summary>
    public bool IsFixed(RuntimeSetting setting) => _isFixed[setting.Index];
}
