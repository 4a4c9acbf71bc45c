using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Berth.Server.Webhooks;

/// <summary>
/// A body written by the owner of a policy: text in which <c>{{path}}</c> stands for a value of the default payload, such as
/// <c>{{event_data.repository.repo_full_name}}</c> or <c>{{event_data.resources.0.tag}}</c>. Texts are put in escaped for JSON, without
/// quotes; numbers, lists and objects as JSON; what is not there as nothing.
/// </summary>
internal static class WebhookTemplate
{
    /// <summary>Longest template in characters.</summary>
    public const int MaxLength = 16 * 1024;

    private const string SampleJson = """
        {"type":"PUSH_ARTIFACT","occur_at":1,"operator":"admin","event_data":{"resources":[{"digest":"sha256:0","tag":"t","resource_url":"r"}],
        "repository":{"date_created":1,"name":"n","namespace":"p","repo_full_name":"p/n","repo_type":"public"},"custom_attributes":{"a":"b"}}}
        """;

    /// <summary>What is wrong with a template; null when it can be used.</summary>
    public static string? ProblemOf(string template)
    {
        if (template.Length is 0 or > MaxLength) return $"a template has 1 to {MaxLength} characters";
        using var sample = JsonDocument.Parse(SampleJson);
        try
        {
            using var body = JsonDocument.Parse(Render(template, sample.RootElement));
            return null;
        }
        catch (JsonException)
        {
            return "the template does not give JSON: texts need quotes around the braces, as in {\"text\": \"{{type}}\"}";
        }
        catch (FormatException e)
        {
            return e.Message;
        }
    }

    /// <summary>Fills a template in.</summary>
    /// <exception cref="FormatException">Braces are not closed.</exception>
    public static string Render(string template, JsonElement values)
    {
        var text = new StringBuilder(template.Length + 256);
        var at = 0;
        while (template.IndexOf("{{", at, StringComparison.Ordinal) is var open and >= 0)
        {
            var close = template.IndexOf("}}", open, StringComparison.Ordinal);
            if (close < 0) throw new FormatException("the template has {{ without }}");
            text.Append(template, at, open - at).Append(ValueOf(template[(open + 2)..close].Trim(), values));
            at = close + 2;
        }
        return text.Append(template, at, template.Length - at).ToString();
    }

    private static string ValueOf(string path, JsonElement value)
    {
        foreach (var part in path.Split('.'))
        {
            if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty(part, out var member)) value = member;
            else if (value.ValueKind == JsonValueKind.Array && int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var i) && i < value.GetArrayLength()) value = value[i];
            else return "";
        }
        return value.ValueKind == JsonValueKind.String ? JsonEncodedText.Encode(value.GetString()!).Value : value.GetRawText();
    }
}
