using Berth.Server.Ui;

namespace Berth.Server.SignIn.Pages;

/// <summary>Words of signing in and of sessions.</summary>
internal sealed class SignInWords(Language language) : Wording(language)
{
    public string Title => Of("Sign in", "登录");
    public string UserName => Of("User name", "用户名");
    public string Password => Of("Password", "密码");
    public string SignIn => Of("Sign in", "登录");
    public string With(string provider) => Of($"Sign in with {provider}", $"使用 {provider} 登录");
    public string Or => Of("or", "或");
    public string Wrong => Of("Wrong user name or password.", "用户名或密码错误。");
    public string TooMany => Of("Too many failed tries: wait a moment.", "失败次数过多,请稍后再试。");
    public string LookAround => Of("Look around without signing in", "不登录,浏览公开项目");
    public string FirstRunTitle => Of("Welcome to Berth", "欢迎使用 Berth");
    public string FirstRun => Of(
        "Nobody has signed in yet. The server printed the password of the user admin when it started for the first time; BERTH_ADMIN_PASSWORD sets it.",
        "还没有人登录过。服务器首次启动时打印了 admin 用户的密码;也可以用 BERTH_ADMIN_PASSWORD 指定。");
    public string ChooseName => Of("Choose your user name", "选择用户名");
    public string ChooseNameLead => Of("Your provider has vouched for you. This is the name that others see and that you sign in with at the command line.", "身份提供方已验证您的身份。这是他人看到的名称,也是命令行登录名。");
    public string Continue => Of("Continue", "继续");
    public string Sessions => Of("Sessions", "会话");
    public string SessionsLead => Of("The browsers that are signed in as you.", "以您的身份登录的浏览器。");
    public string ThisOne => Of("this browser", "当前浏览器");
    public string Address => Of("Address", "地址");
    public string Browser => Of("Browser", "浏览器");
    public string LastSeen => Of("Last seen", "最近活动");
    public string SignedIn => Of("Signed in", "登录时间");
    public string End => Of("End", "结束");
    public string EndOthers => Of("End all others", "结束其他会话");
    public string Ended => Of("The session is over.", "会话已结束。");
    public string OthersEnded => Of("All other sessions are over.", "其他会话均已结束。");
    public string By(string provider) => Of($"by {provider}", $"通过 {provider}");
}
