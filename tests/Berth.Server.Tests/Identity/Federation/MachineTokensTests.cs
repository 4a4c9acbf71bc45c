using System.Text.Json.Nodes;
using Berth.Server.Identity.Federation;
using Berth.Server.Identity.Issuers;
using Berth.Server.Tests.Access;
using Berth.Server.Tests.Identity.Issuers;

namespace Berth.Server.Tests.Identity.Federation;

public sealed class MachineTokensTests : IAsyncLifetime
{
    private readonly HttpClient _client = IssuerHttp.CreateClient(verifyCertificate: true, caPath: null);
    private ScriptedIssuer _peer = null!;
    private MachineTokens _machines = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _peer = await ScriptedIssuer.StartAsync();
        _machines = new MachineTokens(() => _client, _peer.Time);
    }

    public ValueTask DisposeAsync()
    {
        _machines.Dispose();
        _client.Dispose();
        return _peer.DisposeAsync();
    }

    [Fact]
    public async Task A_workflow_stands_for_the_robot_of_the_trust_that_its_claims_meet()
    {
        var trusts = new[] { Trust(1, ("repository", "octo/other")), Trust(2, ("repository", "octo/app"), ("ref", "refs/heads/main")), Trust(3, ("repository", "octo/*")) };
        var accepted = Assert.IsType<MachineSignIn.Accepted>(await _machines.SignInAsync(Workflow("octo/app"), trusts, Ct));
        Assert.Equal(2, accepted.Trust.Id);
        Assert.Equal("somebody", accepted.Subject);
        Assert.Equal(_peer.Time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds(), accepted.ExpiresAt.ToUnixTimeSeconds());
        Assert.IsType<MachineSignIn.Refused>(await _machines.SignInAsync(Workflow("evil/app"), trusts, Ct));
        Assert.IsType<MachineSignIn.Refused>(await _machines.SignInAsync(Workflow("octo/app", audience: "sts.amazonaws.com"), trusts, Ct));
        Assert.IsType<MachineSignIn.Refused>(await _machines.SignInAsync("no.token.atall", trusts, Ct));
        Assert.IsType<MachineSignIn.Refused>(await _machines.SignInAsync(Workflow("octo/app"), [], Ct));
    }

    [Fact]
    public async Task Keys_may_be_written_down_or_lie_at_an_address_of_their_own()
    {
        var jwks = new JsonObject { ["keys"] = new JsonArray(TestTokens.Jwk(_peer.Keys["one"], "one")) }.ToJsonString();
        _peer.Document = [];
        var plain = Trust(1, ("repository", "octo/app"));
        foreach (var trust in new[] { plain with { Jwks = jwks }, plain with { JwksUri = _peer.Address + "/keys" } })
            Assert.IsType<MachineSignIn.Accepted>(await _machines.SignInAsync(Workflow("octo/app"), [trust], Ct));
        Assert.Equal(1, _peer.KeyRequests);
    }

    [Fact]
    public async Task An_ended_trust_and_an_issuer_that_is_down_let_nobody_in()
    {
        var trust = Trust(1, ("repository", "octo/app")) with { ExpiresAt = _peer.Time.GetUtcNow().AddMinutes(1).ToUnixTimeMilliseconds() };
        var token = Workflow("octo/app");
        Assert.IsType<MachineSignIn.Accepted>(await _machines.SignInAsync(token, [trust], Ct));
        _peer.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<MachineSignIn.Refused>(await _machines.SignInAsync(token, [trust], Ct));
        _peer.IsDown = true;
        using var fresh = new MachineTokens(() => _client, _peer.Time);
        Assert.IsType<MachineSignIn.Unavailable>(await fresh.SignInAsync(token, [Trust(1, ("repository", "octo/app"))], Ct));
    }

    private string Workflow(string repository, string audience = "https://registry.example.com")
    {
        var claims = _peer.Claims(audience);
        claims["repository"] = repository;
        claims["ref"] = "refs/heads/main";
        return _peer.Sign(claims);
    }

    private MachineTrust Trust(long id, params (string Claim, string Pattern)[] rules) => new(
        id, _peer.Address, "https://registry.example.com",
        ClaimRules.Create(rules.ToDictionary(r => r.Claim, r => (IReadOnlyList<string>)[r.Pattern])).Rules!.ToJson(), null, null, null);
}
