using System.Text;
using Berth.Scanner.Matching;

namespace Berth.Scanner.Tests.Matching;

public sealed class BuildFilesTests
{
    [Theory]
    [InlineData("https://dl-cdn.alpinelinux.org/alpine/v3.19/main\nhttps://dl-cdn.alpinelinux.org/alpine/v3.19/community\n", "3.19")]
    [InlineData("https://dl-cdn.alpinelinux.org/alpine/v3.9/main\nhttps://dl-cdn.alpinelinux.org/alpine/v3.10/main\n", "3.10")]
    [InlineData("http://dl-cdn.alpinelinux.org/alpine/v3.16/main\nhttps://mirror.example.com/alpine/edge/community", "edge")]
    [InlineData("# https://dl-cdn.alpinelinux.org/alpine/edge/main\nhttps://dl-cdn.alpinelinux.org/alpine/v3.16/main", "3.16")]
    [InlineData("@testing https://dl-cdn.alpinelinux.org/alpine/edge/testing\nhttps://10.0.0.1/alpine/v3.16/main", "3.16")]
    [InlineData("/media/cdrom/apks\n", "")]
    [InlineData("", "")]
    public void The_repositories_of_Alpine_name_a_release(string text, string release) => Assert.Equal(release, AlpineRepositories.Release(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void Red_Hats_manifests_name_content_sets()
    {
        Assert.Equal(["rhel-8-for-x86_64-baseos-rpms"], RedHatBuild.ContentSets("""{"metadata":{"icm_version":1},"content_sets":["rhel-8-for-x86_64-baseos-rpms"],"image_contents":[]}"""u8.ToArray()));
        Assert.Null(RedHatBuild.ContentSets("""{"content_sets":[]}"""u8.ToArray()));
        Assert.Null(RedHatBuild.ContentSets("broken"u8.ToArray()));
    }

    [Theory]
    [InlineData("LABEL \"com.redhat.component\"=\"ubi7-container\" \\\n  \"architecture\"=\"x86_64\"", "ubi7-container-7.7-140-x86_64")]
    [InlineData("LABEL com.redhat.component=ubi7-container\nLABEL architecture=x86_64\n", "ubi7-container-7.7-140-x86_64")]
    [InlineData("LABEL my.com.redhat.component=x\nLABEL architecture=x86_64\n", "")]
    [InlineData("FROM scratch", "")]
    public void Red_Hats_Dockerfiles_name_the_image(string text, string nvr) => Assert.Equal(nvr, RedHatBuild.Nvr("root/buildinfo/Dockerfile-ubi7-7.7-140", Encoding.UTF8.GetBytes(text)));
}
