using System.Globalization;
using Berth.Server.Ui;

namespace Berth.Server.Retention.Pages;

/// <summary>Words of retention.</summary>
internal sealed class RetentionWords(Language language) : Wording(language)
{
    public string Title => Of("Retention", "保留策略");
    public string Lead => Of("Rules say which tags stay and which go. Nothing happens before you save, and what goes rests in the trash first.", "规则决定哪些标签保留、哪些清理。保存之前不会有任何变化,清理的内容会先进入回收站。");
    public string RegistryLead => Of("Rules for every project that has no policy of its own. What goes rests in the trash of its project.", "适用于没有自己策略的所有项目。清理的内容会进入所属项目的回收站。");
    public string Level(string repository) => Of($"Policy of the repository {repository} alone: it replaces the project's there.", $"仅适用于仓库 {repository} 的策略:在该仓库中取代项目策略。");
    public string WholeProject => Of("Whole project", "整个项目");
    public string OneRepository => Of("A repository of its own…", "单个仓库…");
    public string RepositoryName => Of("Repository", "仓库");
    public string Open => Of("Open", "打开");
    public string Rules => Of("Rules", "规则");
    public string Runs => Of("Runs", "运行记录");
    public string EmptyTitle => Of("Everything stays for now", "目前全部保留");
    public string EmptyText => Of("Start with rules for the way your tags are named, with the policy that you have elsewhere, or with a rule of your own.", "可从符合您标签命名方式的模板开始,也可粘贴其他系统的策略,或自行添加规则。");
    public string Templates => Of("Tags are named by", "标签命名方式");
    public string AddRule => Of("Add a rule", "添加规则");
    public string Import => Of("Paste a policy", "粘贴策略");
    public string ImportTitle => Of("Bring the policy of another system", "导入其他系统的策略");
    public string ImportText => Of("It replaces the rules of this draft. What cannot be done exactly is refused, with all reasons.", "将替换当前草稿中的规则。无法精确实现的内容会被拒绝,并说明全部原因。");
    public string From => Of("From", "来源");
    public string PolicyText => Of("Policy", "策略内容");
    public string Read => Of("Read it", "读取");
    public string Notes => Of("Left out, because it decides nothing here:", "已忽略(在此不起作用):");
    public string Keep => Of("Keep", "保留");
    public string Delete => Of("Delete", "清理");
    public string Off => Of("off", "已停用");
    public string MoveUp(string rule) => Of($"Move {rule} up", $"上移 {rule}");
    public string EditRule(string rule) => Of($"Edit {rule}", $"编辑 {rule}");
    public string RemoveRule(string rule) => Of($"Remove {rule}", $"移除 {rule}");
    public string Toggle(string rule, bool isOff) => isOff ? Of($"Switch {rule} on", $"启用 {rule}") : Of($"Switch {rule} off", $"停用 {rule}");
    public string RuleTitle => Of("Rule", "规则");
    public string ActionLabel => Of("What it does", "作用");
    public string Tags => Of("Tags", "标签");
    public string Repositories => Of("Repositories", "仓库");
    public string NotRepositories => Of("But not the repositories", "排除仓库");
    public string Labels => Of("Labels", "标记");
    public string Types => Of("Artifact types", "制品类型");
    public string PatternHint => Of("Separated by spaces, one match is enough, empty for all: a glob (v1.*), re: with a regular expression, prefix: with a beginning. !latest alone means all but latest.", "用空格分隔,满足其一即可,留空表示全部:通配符(v1.*)、re: 加正则表达式、prefix: 加前缀。单独的 !latest 表示除 latest 以外的全部。");
    public string State => Of("Which images", "镜像范围");
    public string Conditions => Of("When", "条件");
    public string ConditionsHint => Of("A number of tags or versions, or an age in days (12h for hours). Without a condition the rule holds for all that it selects.", "标签或版本的个数,或以天为单位的时长(12h 表示小时)。没有条件时,规则对选中的全部内容生效。");
    public string NoCondition => Of("no condition", "无条件");
    public string Number => Of("Number", "数值");
    public string Not => Of("not", "取反");
    public string AllConditions => Of("all must hold", "全部满足");
    public string AnyCondition => Of("one is enough", "满足其一");
    public string Combination => Of("Of the conditions", "条件组合");
    public string Note => Of("Remark", "备注");
    public string Apply => Of("Apply to the draft", "应用到草稿");
    public string More => Of("More to select by", "更多筛选");
    public string Options => Of("How the rules are read", "规则的解释方式");
    public string RestGoes => Of("What no rule keeps goes (in repositories that a rule is about)", "没有规则保留的内容将被清理(仅限规则涉及的仓库)");
    public string FloatingFollows => Of("Floating tags (v1, latest) stay while another tag of the same image does", "浮动标签(v1、latest)随同一镜像的其他标签保留");
    public string LeavesUntagged => Of("An image that loses its last tag stays, without one", "镜像失去最后一个标签后仍保留(无标签)");
    public string KeepsUsed => Of("Days that use by a cluster protects", "集群使用后的保护天数");
    public string KeepsUsedHint => Of("What a cluster has used within them stays whatever the rules say; 0 for no such rule.", "集群在此天数内使用过的一律保留,不受规则影响;0 表示不启用。");
    public string Unit => Of("Decided about", "决定对象");
    public string UnitTag => Of("each tag by itself", "逐个标签");
    public string UnitImage => Of("an image with all its tags", "整个镜像及其全部标签");
    public string Precedence => Of("When rules disagree", "规则冲突时");
    public string KeepBeats => Of("keep beats delete", "保留优先");
    public string FirstSelection => Of("the first rule that selects decides", "首个选中的规则决定");
    public string Schedule => Of("When it runs", "运行时间");
    public string ScheduleLabel => Of("Schedule", "计划");
    public string OnDemand => Of("only on demand", "仅手动");
    public string Hourly => Of("every hour", "每小时");
    public string Daily => Of("every day at 03:00 UTC", "每天 03:00(UTC)");
    public string Weekly => Of("on Sundays at 03:00 UTC", "每周日 03:00(UTC)");
    public string Custom => Of("another schedule", "自定义");
    public string Cron => Of("Cron", "Cron");
    public string CronHint => Of("Six fields, seconds first: 0 30 4 * * 1-5", "六个字段,秒在最前:0 30 4 * * 1-5");
    public string OnPush => Of("Also after a push, over the repository that was pushed to", "推送后也对该仓库运行");
    public string Disabled => Of("Switched off: the policy decides nothing", "停用:策略不起作用");
    public string Save => Of("Save the policy", "保存策略");
    public string Saved => Of("The policy is saved.", "策略已保存。");
    public string Unsaved => Of("Not saved yet: this is what the draft would do.", "尚未保存:以下为草稿的效果。");
    public string Discard => Of("Discard", "放弃更改");
    public string WhatItDoes => Of("What it would do", "模拟结果");
    public string Simulate => Of("Simulate now", "立即模拟");
    public string TooLarge => Of("This project is large: the simulation takes a few seconds, so it runs when you ask.", "此项目较大,模拟需要数秒,请手动运行。");
    public string TooLargeRegistry => Of("There is a lot here: the simulation takes a while, so it runs when you ask.", "内容较多,模拟需要一些时间,请手动运行。");
    public string Decided => Of("Decided about", "涉及");
    public string Kept => Of("Kept", "保留");
    public string Going => Of("Go now", "立即清理");
    public string Went => Of("Went", "已清理");
    public string WouldGo => Of("Would go", "将清理");
    public string Freed => Of("Frees", "释放");
    public string Bytes(long bytes) => Count(bytes, "byte", "bytes", "字节");
    public string AtTheEnd => Of("counted at the end", "结束时统计");
    public string OnlyGoing => Of("Only what goes", "仅显示将清理的");
    public string Show => Of("Show", "显示");
    public string Outcome => Of("What becomes of it", "结果");
    public string Why => Of("Why", "原因");
    public string GoesNow => Of("goes now", "立即清理");
    public string GoesOn(string date) => Of($"goes on {date}", $"{date} 清理");
    public string WentPast => Of("went", "已清理");
    public string WouldGoThen => Of("would go", "将清理");
    public string StaysKept => Of("kept", "保留");
    public string UntaggedImage => Of("without a tag", "无标签");
    public string NothingDecided => Of("There is nothing here to decide about yet.", "目前没有可处理的内容。");
    public string RunNow => Of("Run now", "立即运行");
    public string RunText => Of("The saved policy runs at once. What goes rests in the trash.", "立即运行已保存的策略,清理的内容进入回收站。");
    public string DryRun => Of("Only try it out", "仅试运行");
    public string Started => Of("The run is on its way.", "任务已开始。");
    public string Stop => Of("Stop", "停止");
    public string Stopping => Of("The run is told to stop.", "已请求停止。");
    public string DeletePolicy => Of("Delete the policy", "删除策略");
    public string DeletePolicyText => Of("The policy goes with the reports of its runs. Tags stay as they are.", "策略及其运行报告将被删除,标签不受影响。");
    public string PolicyDeleted => Of("The policy is deleted.", "策略已删除。");
    public string NoRuns => Of("The policy has not run yet.", "策略尚未运行。");
    public string Trigger => Of("Started by", "触发方式");
    public string StartedAt => Of("Started", "开始时间");
    public string Report => Of("Report", "报告");
    public string ReportOf(long run) => Of($"Report of run {run}", $"运行 {run} 的报告");
    public string Export => Of("In the form of another system", "以其他系统的格式查看");
    public string NameMissing => Of("A rule needs a name.", "规则需要名称。");
    public string NumberWrong => Of("A condition needs a whole number, or an age such as 30 (days) or 12h.", "条件需要整数,或时长(如 30 表示天、12h 表示小时)。");
    public string DeletesAll => Of("This rule would delete every tag: select some, or add a condition.", "此规则会清理所有标签:请限定范围或添加条件。");

    public string TemplateOf(string name) => name switch
    {
        "semver" => Of("semantic version", "语义版本"),
        "commit" => Of("commit id", "提交 ID"),
        "branch" => Of("branch", "分支"),
        _ => Of("date", "日期"),
    };

    public string TriggerOf(string trigger) => trigger switch
    {
        "SCHEDULE" => Of("schedule", "定时"),
        "EVENT" => Of("push", "推送"),
        "" => "",
        _ => Of("hand", "手动"),
    };

    public string StateOf(string state) => state switch
    {
        "untagged" => Of("images without a tag", "无标签的镜像"),
        "any" => Of("with and without a tag", "有标签和无标签的"),
        _ => Of("tagged ones", "有标签的"),
    };

    public string KindOf(string kind) => kind switch
    {
        "newest:pushed" => Of("among the newest N pushed", "最近推送的 N 个"),
        "newest:pulled" => Of("among the newest N pulled", "最近拉取的 N 个"),
        "newest:active" => Of("among the newest N pushed or pulled", "最近推送或拉取的 N 个"),
        "newest:created" => Of("among the newest N first pushed", "首次推送最近的 N 个"),
        "within:pushed" => Of("pushed within N days", "N 天内推送"),
        "within:pulled" => Of("pulled within N days", "N 天内拉取"),
        "within:active" => Of("pushed or pulled within N days", "N 天内推送或拉取"),
        "within:created" => Of("first pushed within N days", "N 天内首次推送"),
        "versions:minor" => Of("newest N versions of each minor", "每个次版本最新的 N 个版本"),
        "versions:major" => Of("newest N versions of each major", "每个主版本最新的 N 个版本"),
        "versions:all" => Of("newest N versions", "最新的 N 个版本"),
        _ => Of("used by a cluster within N days", "N 天内被集群使用"),
    };

    /// <summary>A rule as people read it.</summary>
    public string SentenceOf(RetentionRule rule)
    {
        var s = rule.Selection;
        var tags = s.State == TagState.Untagged ? Of("images without a tag", "无标签的镜像")
            : (s.Tags.Count > 0 ? Of($"tags {Listed(s.Tags, s.AllTags)}", $"标签 {Listed(s.Tags, s.AllTags)}") : Of("all tags", "所有标签")) + (s.State == TagState.Any ? Of(" and images without a tag", "及无标签的镜像") : "");
        var parts = new List<string>();
        if (s.Repositories.Count > 0) parts.Add(Of($"in repositories {Listed(s.Repositories)}", $"仓库 {Listed(s.Repositories)}"));
        if (s.NotRepositories.Count > 0) parts.Add(Of($"but not in {Listed(s.NotRepositories)}", $"排除仓库 {Listed(s.NotRepositories)}"));
        if (s.Labels.Count > 0) parts.Add(Of($"with the label {Listed(s.Labels)}", $"带有标记 {Listed(s.Labels)}"));
        if (s.Types.Count > 0) parts.Add(Of($"of type {Listed(s.Types)}", $"类型为 {Listed(s.Types)}"));
        if (s.Digests.Count > 0) parts.Add(Of($"with the digest {Listed(s.Digests)}", $"摘要为 {Listed(s.Digests)}"));
        if (s.Paths.Count > 0) parts.Add(Of($"at the path {Listed(s.Paths)}", $"路径为 {Listed(s.Paths)}"));
        var verb = rule.Action == RetentionAction.Keep ? Keep : Delete;
        var subject = Language == Language.Chinese ? $"{verb} {string.Concat(parts.Select(p => p + ","))}{tags}" : $"{verb} {string.Join(' ', parts.Prepend(tags))}";
        if (rule.Conditions.Count == 0) return subject + Of(".", "。");
        var conditions = string.Join(rule.AnyCondition ? Of(" or ", " 或 ") : Of(" and ", " 且 "), rule.Conditions.Select(ConditionOf));
        return Of($"{subject} that are {conditions}.", $"{subject},条件:{conditions}。");
    }

    /// <summary>A condition as people read it.</summary>
    public string ConditionOf(RetentionCondition condition)
    {
        var number = condition.Kind is ConditionKind.Newest or ConditionKind.NewestVersions ? condition.Count.ToString("N0", CultureInfo.InvariantCulture) : "";
        var text = condition.Kind is ConditionKind.Newest or ConditionKind.NewestVersions
            ? KindOf(ConditionText.KindOf(condition)).Replace("N", number, StringComparison.Ordinal)
            : KindOf(ConditionText.KindOf(condition)).Replace(Of("N days", "N 天"), SpanOf(condition.Age), StringComparison.Ordinal);
        if (condition.Kind == ConditionKind.NewestVersions && Language == Language.English) text = "among the " + text;
        return condition.IsNegated ? Of($"not {text}", $"不属于({text})") : text;
    }

    /// <summary>Why a line says what it says.</summary>
    public string WhyOf(RetentionLine line, RetentionRuleSet? rules) => line.Reason switch
    {
        "rule" => RuleWords(line, rules?.Rules.FirstOrDefault(r => r.Name == line.Rule)),
        "no_rule" => Of("no rule lets it go", "没有规则要清理它"),
        "rest" => Of("no rule keeps it", "没有规则保留它"),
        "protected" => Of($"protected by {line.Detail}", $"受保护:{line.Detail}"),
        "archived" => Of("archived", "已归档"),
        "in_use" => Of("a cluster has used it lately", "集群最近使用过"),
        "floating" => Of($"follows {line.Detail}, which is on the same image and stays", $"跟随同一镜像上保留的 {line.Detail}"),
        _ => line.Because,
    };

    private string RuleWords(RetentionLine line, RetentionRule? rule)
    {
        var conditions = rule is null || rule.Conditions.Count == 0 ? "" : Of(": ", ":") + string.Join(rule.AnyCondition ? Of(" or ", " 或 ") : Of(" and ", " 且 "), rule.Conditions.Select(ConditionOf));
        return (line.Goes ? Of($"deleted by rule {line.Rule}", $"被规则 {line.Rule} 清理") : Of($"kept by rule {line.Rule}", $"由规则 {line.Rule} 保留")) + conditions;
    }

    private string SpanOf(TimeSpan age) => age.Ticks % TimeSpan.TicksPerDay == 0
        ? Count((long)age.TotalDays, "day", "days", "天")
        : age.Ticks % TimeSpan.TicksPerHour == 0 ? Count((long)age.TotalHours, "hour", "hours", "小时") : age.ToString("c", CultureInfo.InvariantCulture);

    private string Listed(IReadOnlyList<NamePattern> patterns, bool isAll = false) => string.Join(isAll ? Of(" and ", " 且 ") : Of(" or ", " 或 "), patterns.Select(PatternText.Of));
}
