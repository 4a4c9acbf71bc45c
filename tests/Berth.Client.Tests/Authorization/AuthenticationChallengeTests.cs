using Berth.Client.Authorization;

namespace Berth.Client.Tests.Authorization;

public sealed class AuthenticationChallengeTests
{
    [Theory]
    [InlineData("Bearer realm=\"https://auth.example.com/token\",service=\"registry\",scope=\"repository:a/b:pull,push\"", "bearer{realm=https://auth.example.com/token;service=registry;scope=repository:a/b:pull,push}")]
    [InlineData("bearer  realm = \"a\\\"b\\\\c\" , Service=x", "bearer{realm=a\"b\\c;service=x}")]
    [InlineData("Basic realm=\"one, two\"", "basic{realm=one, two}")]
    [InlineData("Basic", "basic{}")]
    [InlineData("Negotiate, Basic realm=\"x\"", "negotiate{}basic{realm=x}")]
    [InlineData("Negotiate YWJj==, Bearer realm=\"x\",error=\"invalid_token\"", "negotiate{}bearer{realm=x;error=invalid_token}")]
    [InlineData("Basic realm=\"x\", Bearer realm=\"y\", scope=\"z\"", "basic{realm=x}bearer{realm=y;scope=z}")]
    [InlineData(",, Basic realm=x,, charset=\"UTF-8\" ,", "basic{realm=x;charset=UTF-8}")]
    [InlineData("Bearer realm=\"first\",realm=\"second\"", "bearer{realm=first}")]
    [InlineData("Bearer realm=\"never closed", "bearer{}")]
    [InlineData("\"Bearer\"", "")]
    [InlineData("", "")]
    public void Challenges_are_read_as_the_rfc_says(string header, string expected)
    {
        var read = AuthenticationChallenge.Parse([header]);
        Assert.Equal(expected, string.Concat(read.Select(one => $"{one.Scheme}{{{string.Join(';', one.Parameters.Select(p => $"{p.Key}={p.Value}"))}}}")));
    }

    [Fact]
    public void Several_headers_are_one_list() => Assert.Equal(["basic", "bearer"], AuthenticationChallenge.Parse(["Basic realm=a", "Bearer realm=b"]).Select(one => one.Scheme));

    [Fact]
    public void Nonsense_of_any_kind_ends_without_an_exception()
    {
        var random = new Random(7);
        const string Letters = "aB= ,\"\\;/\t~é";
        for (var i = 0; i < 20_000; i++)
            _ = AuthenticationChallenge.Parse([new string([.. Enumerable.Range(0, random.Next(24)).Select(_ => Letters[random.Next(Letters.Length)])])]);
    }
}
