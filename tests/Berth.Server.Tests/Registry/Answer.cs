using System.Text.Json;

namespace Berth.Server.Tests.Registry;

/// <summary>An answer, read to its end.</summary>
internal sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public static async Task<Answer> ReadAsync(HttpResponseMessage response)
    {
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated)) headers[name] = string.Join(", ", values);
        return new Answer((int)response.StatusCode, headers, await response.Content.ReadAsByteArrayAsync());
    }

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    /// <summary>Value of Location, which must be there.</summary>
    public string Location => Header("Location") ?? throw new InvalidOperationException("the answer has no Location");

    public string Text => System.Text.Encoding.UTF8.GetString(Body);

    public override string ToString() => $"{Status} {Text}";

    /// <summary>The body as JSON.</summary>
    public JsonElement Json => JsonDocument.Parse(Body).RootElement;

    /// <summary>Codes of the errors in the body.</summary>
    public string[] Codes => [.. Json.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("code").GetString()!)];

    /// <summary>Details of the errors in the body.</summary>
    public string[] Details => [.. Json.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("detail").GetString()!)];

    /// <summary>The texts of a list in the body.</summary>
    public string[] Texts(string field) => [.. Json.GetProperty(field).EnumerateArray().Select(e => e.GetString()!)];

    /// <summary>Digests of the manifests in the body.</summary>
    public string[] ManifestDigests => [.. Json.GetProperty("manifests").EnumerateArray().Select(m => m.GetProperty("digest").GetString()!)];

    /// <summary>Holds the answer against a protocol error: status, code and the form of the body.</summary>
    public Answer MustBe(int status, string code)
    {
        Assert.True(Status == status, $"expected {status} {code}, got {Status} {Text}");
        Assert.Equal("application/json; charset=utf-8", Header("Content-Type"));
        Assert.All(Codes, c => Assert.Equal(code, c));
        Assert.All(Json.GetProperty("errors").EnumerateArray(), e => Assert.NotEqual("", e.GetProperty("message").GetString()));
        return this;
    }

    /// <summary>Holds the answer against a status.</summary>
    public Answer MustBe(int status)
    {
        Assert.True(Status == status, $"expected {status}, got {Status} {Text}");
        return this;
    }
}
