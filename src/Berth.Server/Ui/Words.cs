namespace Berth.Server.Ui;

/// <summary>Words that are on many pages, and those of the frame around them.</summary>
public sealed class Words(Language language) : Wording(language)
{
    public string Product => Of("Berth", "Berth");
    public string SkipToContent => Of("Skip to content", "跳到正文");
    public string MainNavigation => Of("Main", "主导航");
    public string Breadcrumbs => Of("Breadcrumbs", "位置");
    public string Sections => Of("Sections", "分区");
    public string Projects => Of("Projects", "项目");
    public string Administration => Of("Administration", "系统管理");
    public string Account => Of("My account", "我的账户");
    public string SignIn => Of("Sign in", "登录");
    public string SignOut => Of("Sign out", "退出登录");
    public string Search => Of("Search", "搜索");
    public string SearchHint => Of("Search: name, tag, digest or CVE", "搜索名称、标签、摘要或 CVE");
    public string SearchKey => Of("Press / to search", "按 / 键搜索");
    public string LanguageName => Of("Language", "语言");
    public string Theme => Of("Appearance", "外观");
    public string ThemeAuto => Of("As the system", "跟随系统");
    public string ThemeLight => Of("Light", "浅色");
    public string ThemeDark => Of("Dark", "深色");
    public string Preferences => Of("Language and appearance", "语言与外观");
    public string Apply => Of("Apply", "应用");
    public string ApiDocs => Of("API", "API");
    public string Copy => Of("Copy", "复制");
    public string Copied => Of("Copied", "已复制");
    public string Close => Of("Close", "关闭");
    public string Cancel => Of("Cancel", "取消");
    public string Create => Of("Create", "创建");
    public string Add => Of("Add", "添加");
    public string Save => Of("Save", "保存");
    public string Saved => Of("Saved", "已保存");
    public string Delete => Of("Delete", "删除");
    public string Remove => Of("Remove", "移除");
    public string Deleted => Of("Deleted", "已删除");
    public string Edit => Of("Edit", "编辑");
    public string Enable => Of("Enable", "启用");
    public string Disable => Of("Disable", "停用");
    public string Enabled => Of("Enabled", "已启用");
    public string Disabled => Of("Disabled", "已停用");
    public string Filter => Of("Filter", "筛选");
    public string Clear => Of("Clear", "清除");
    public string Name => Of("Name", "名称");
    public string Description => Of("Description", "描述");
    public string Created => Of("Created", "创建时间");
    public string Updated => Of("Updated", "更新时间");
    public string Status => Of("Status", "状态");
    public string Actions => Of("Actions", "操作");
    public string Size => Of("Size", "大小");
    public string Type => Of("Type", "类型");
    public string Yes => Of("Yes", "是");
    public string No => Of("No", "否");
    public string Never => Of("never", "从未");
    public string None => Of("none", "无");
    public string All => Of("All", "全部");
    public string Unlimited => Of("unlimited", "不限");
    public string Previous => Of("Previous", "上一页");
    public string Next => Of("Next", "下一页");
    public string Pages => Of("Pages", "分页");
    public string Public => Of("Public", "公开");
    public string Private => Of("Private", "私有");
    public string Undoable => Of("This cannot be undone.", "此操作无法撤销。");
    public string SeeProgress => Of("Load the page again to see how far it is", "重新加载页面以查看进度");
    public string Undo => Of("Undo", "撤销");
    public string RestsInTrash(long days) => Of($"It rests in the trash for {days:N0} {(days == 1 ? "day" : "days")} and can be restored until then.", $"将在回收站保留 {days:N0} 天,期间可以恢复。");
    public string NothingFound => Of("Nothing matches the filter.", "没有符合筛选条件的内容。");
    public string NotAllowed => Of("You lack the permission for this", "您没有此操作的权限");
    public string ReadOnlyBanner => Of("The registry is read-only for now: nothing can be pushed or changed.", "仓库当前为只读:无法推送或更改。");
    public string UnwellBanner => Of("Some parts of the installation are not well: see its health.", "部分组件异常:请查看运行状况。");
    public string ErrorTitle => Of("That did not work", "操作未成功");
    public string NotFoundTitle => Of("There is no such page", "页面不存在");
    public string NotFoundText => Of("It may have been deleted or renamed, or you may not be allowed to see it.", "它可能已被删除或重命名,或者您无权查看。");
    public string ForbiddenTitle => Of("You may not see this", "您无权查看此内容");
    public string ForbiddenText => Of("Ask an administrator of the project for a role that includes it.", "请向项目管理员申请相应的角色。");
    public string FailedTitle => Of("Something went wrong on our side", "服务器出现问题");
    public string FailedText => Of("Try again in a moment. If it stays, give your administrator this request id:", "请稍后重试。如仍有问题,请将此请求编号告知管理员:");
    public string FormExpired => Of("This form is no longer valid: open the page again and repeat.", "表单已失效:请重新打开页面再试。");
    public string BackToProjects => Of("Back to projects", "返回项目列表");
    public string TypeNameToConfirm(string name) => Of($"Type {name} to confirm", $"输入 {name} 以确认");
    public string NameDoesNotMatch => Of("The name does not match.", "名称不一致。");

    public string Shown(long from, long to, long total) => Of($"{from:N0}–{to:N0} of {total:N0}", $"第 {from:N0}–{to:N0} 项,共 {total:N0} 项");

    /// <summary>Where a job stands.</summary>
    public string JobStatusOf(string status) => status switch
    {
        "Pending" => Of("waiting", "等待中"),
        "Scheduled" => Of("scheduled", "已计划"),
        "Running" => Of("running", "运行中"),
        "Success" => Of("done", "完成"),
        "Error" => Of("failed", "失败"),
        _ => Of("stopped", "已停止"),
    };

    /// <summary>How long something is ago, or ahead.</summary>
    public string Ago(TimeSpan span)
    {
        var isAhead = span < TimeSpan.Zero;
        span = span.Duration();
        if (span < TimeSpan.FromSeconds(50)) return isAhead ? Of("in a moment", "即将") : Of("just now", "刚刚");
        var text = span switch
        {
            { TotalMinutes: < 59.5 } => Count((long)Math.Round(span.TotalMinutes), "minute", "minutes", "分钟"),
            { TotalHours: < 23.5 } => Count((long)Math.Round(span.TotalHours), "hour", "hours", "小时"),
            { TotalDays: < 30 } => Count((long)Math.Round(span.TotalDays), "day", "days", "天"),
            { TotalDays: < 365 } => Count((long)Math.Round(span.TotalDays / 30.4), "month", "months", "个月"),
            _ => Count((long)Math.Round(span.TotalDays / 365.25), "year", "years", "年"),
        };
        return isAhead ? Of($"in {text}", $"{text}后") : Of($"{text} ago", $"{text}前");
    }
}
