namespace Berth.Server.Ui.Pages;

/// <summary>Words of the page that shows the design system.</summary>
internal sealed class DesignWords(Language language) : Wording(language)
{
    public string Title => Of("Design system", "设计系统");
    public string Lead => Of("The tokens and components that every page is made of.", "所有页面使用的设计变量与组件。");
    public string Colours => Of("Colours", "颜色");
    public string Buttons => Of("Buttons and dialogs", "按钮与对话框");
    public string Badges => Of("Badges and messages", "标记与提示");
    public string Forms => Of("Forms", "表单");
    public string Data => Of("Data", "数据");
    public string Primary => Of("Primary", "主要操作");
    public string Secondary => Of("Secondary", "次要操作");
    public string Danger => Of("Destructive", "危险操作");
    public string Off => Of("Not available", "不可用");
    public string Plain => Of("Plain", "普通");
    public string Accent => Of("Accent", "强调");
    public string Good => Of("Good", "正常");
    public string Warn => Of("Careful", "注意");
    public string Bad => Of("Bad", "异常");
    public string DialogTitle => Of("Open a dialog", "打开对话框");
    public string DialogText => Of("It closes with Escape, with its button, and gives the focus back.", "可用 Esc 或关闭按钮关闭,并恢复焦点。");
    public string Hint => Of("A hint says what is expected, before it goes wrong.", "提示说明应填写的内容。");
    public string Check => Of("A box to check", "复选框");
}
