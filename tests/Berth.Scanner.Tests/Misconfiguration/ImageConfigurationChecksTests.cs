using System.Text;
using Berth.Scanner.Misconfiguration;
using Berth.Scanner.Secrets;

namespace Berth.Scanner.Tests.Misconfiguration;

public sealed class ImageConfigurationChecksTests
{
    [Fact]
    public void A_careful_image_has_no_problems() => Assert.Empty(Check("""
        {"config":{"User":"1000:1000","Healthcheck":{"Test":["CMD","/bin/check"]},"ExposedPorts":{"8080/tcp":{}},"Env":["PATH=/bin","DB_PASSWORD_FILE=/run/secrets/db","TOKEN_LIFETIME=30"]},
         "history":[{"created_by":"/bin/sh -c #(nop) COPY file:1 in /app "},{"created_by":"RUN /bin/sh -c apt-get install -y sudo "}]}
        """));

    [Fact]
    public void A_careless_image_has_all_of_them() => Assert.Equal(
        ["DS002 the user is 'root'", "DS026 no health check is set", "DS004 port 22 is exposed", "DS031 the variable DB_PASSWORD holds what looks like a secret",
            "DS005 'ADD https://example.com/x.tar.gz /opt/' adds whatever the address gives that day", "DS010 'RUN /bin/sh -c sudo make me' uses sudo",
            "BERTH-DS-001 'RUN /bin/sh -c chmod -R 777 /app' lets everyone write"],
        Check("""
            {"config":{"User":"root","Healthcheck":{"Test":["NONE"]},"ExposedPorts":{"22/tcp":{}},"Env":["DB_PASSWORD=hunter2"]},
             "history":[{"created_by":"/bin/sh -c #(nop) ADD https://example.com/x.tar.gz /opt/"},{"created_by":"RUN /bin/sh -c sudo make me"},{"created_by":"RUN /bin/sh -c chmod -R 777 /app"}]}
            """));

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{\"config\":[],\"history\":{}}")]
    public void Odd_configurations_are_judged_without_failing(string json) => Assert.True(Check(json).Count <= 2);

    private static IReadOnlyList<string> Check(string json) =>
        [.. ImageConfigurationChecks.Check(Encoding.UTF8.GetBytes(json), SecretScanner.Default).Select(static p => $"{p.Id} {p.Message}")];
}
