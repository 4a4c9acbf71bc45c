using System.Collections;
using System.Reflection;

namespace Berth.Server.Platform.Options;

/// <summary>One setting that exists: its dotted key (list items as <c>[]</c>), the property that holds it and its default.</summary>
public sealed record SettingKey(string Path, PropertyInfo Property, object? Default, bool IsSecret);

/// <summary>One setting with the value in force. A secret's value is masked.</summary>
public sealed record SettingValue(string Key, string Value, ConfigOrigin Origin);

/// <summary>What can be set, read off the option records. Only help, errors and <c>config show</c> need it; a plain start does not.</summary>
public static class OptionsSchema
{
    private const string Mask = "********";

    /// <summary>Every key of a record tree, in the order of declaration.</summary>
    public static IEnumerable<SettingKey> Keys(Type options) => Keys(options, "");

    /// <summary>Every setting of an instance with the place it came from.</summary>
    public static IEnumerable<SettingValue> Values(object options, ConfigMap tree) => Values(options, tree, "", ConfigOrigin.Default);

    /// <summary>The key as it is written in YAML: <c>MaxBlobBytes</c> is <c>maxBlobBytes</c>.</summary>
    public static string KeyOf(MemberInfo property) => CamelCase(property.Name);

    /// <summary>The environment variable of a key; list items stand for position 0.</summary>
    public static string VariableOf(string prefix, string path) =>
        prefix + path.Replace("[]", ".0", StringComparison.Ordinal).Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant();

    /// <summary>A value as it would be written in the file.</summary>
    public static string Text(object? value, MemberInfo property) => value switch
    {
        null => "",
        bool flag => flag ? "true" : "false",
        TimeSpan duration => ConfigText.Duration(duration),
        Enum word => CamelCase(word.ToString()),
        int or long when IsSize(property) => ConfigText.Size(Convert.ToInt64(value)),
        string text => text,
        IReadOnlyDictionary<string, string> map => "{" + string.Join(", ", map.Select(pair => $"{pair.Key}: {pair.Value}")) + "}",
        IReadOnlyDictionary<string, IReadOnlyList<string>> map =>
            "{" + string.Join(", ", map.Select(pair => $"{pair.Key}: [{string.Join(", ", pair.Value)}]")) + "}",
        IEnumerable items => "[" + string.Join(", ", items.Cast<object?>()) + "]",
        _ => value.ToString() ?? "",
    };

    /// <summary>Sizes are the whole numbers whose name says bytes.</summary>
    internal static bool IsSize(MemberInfo property) => property.Name.EndsWith("Bytes", StringComparison.Ordinal);

    internal static bool IsSection(Type type) => type.IsClass && type != typeof(string) && !typeof(IEnumerable).IsAssignableFrom(type);

    internal static Type? ListItem(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    internal static bool IsSecret(MemberInfo property) => property.IsDefined(typeof(SecretAttribute)) || property.IsDefined(typeof(Blobs.SecretSettingAttribute));

    internal static PropertyInfo[] Properties(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance);

    internal static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static IEnumerable<SettingKey> Keys(Type type, string prefix)
    {
        var defaults = Activator.CreateInstance(type);
        foreach (var property in Properties(type))
        {
            var path = prefix + KeyOf(property);
            if (IsSection(property.PropertyType))
            {
                foreach (var key in Keys(property.PropertyType, path + "."))
                    yield return key;
            }
            else if (ListItem(property.PropertyType) is { } item && IsSection(item))
            {
                foreach (var key in Keys(item, path + "[]."))
                    yield return key;
            }
            else
            {
                yield return new(path, property, property.GetValue(defaults), IsSecret(property));
            }
        }
    }

    private static IEnumerable<SettingValue> Values(object options, ConfigNode? node, string prefix, ConfigOrigin inherited)
    {
        foreach (var property in Properties(options.GetType()))
        {
            var key = prefix + KeyOf(property);
            var value = property.GetValue(options);
            var child = (node as ConfigMap)?[property.Name] ?? (IsSecret(property) ? (node as ConfigMap)?[property.Name + "File"] : null);
            var origin = child?.Origin ?? inherited;
            if (IsSection(property.PropertyType))
            {
                foreach (var row in value is null ? [] : Values(value, child, key + ".", inherited))
                    yield return row;
            }
            else if (value is IEnumerable items && ListItem(property.PropertyType) is { } item && IsSection(item))
            {
                var index = 0;
                foreach (var element in items)
                {
                    var itemNode = (child as ConfigList)?.Items.ElementAtOrDefault(index) ?? child;
                    foreach (var row in Values(element, itemNode, $"{key}[{index}].", ConfigOrigin.Default))
                        yield return row;
                    index++;
                }
                if (index == 0)
                    yield return new(key, "[]", origin);
            }
            else
            {
                var text = Text(value, property);
                yield return new(key, IsSecret(property) && text is not "" and not "{}" ? Mask : text, origin);
            }
        }
    }
}
