using Berth.Server.Ui;

namespace Berth.Server.Webhooks.Pages;

/// <summary>Words of webhooks.</summary>
internal sealed class WebhookWords(Language language) : Wording(language)
{
    public string Title => Of("Webhooks", "Webhook");
    public string Lead => Of("Other servers are told of what happens in this project. Deliveries are signed when there is a secret, and tried again when they fail.", "将项目内的事件通知其他服务器。设置密钥后会签名,失败会自动重试。");
    public string InstallationLead => Of("Other servers are told of what happens in all projects.", "将所有项目内的事件通知其他服务器。");
    public string New => Of("New webhook", "新建 Webhook");
    public string Address => Of("Address", "地址");
    public string AddressHint => Of("An http or https URL.", "http 或 https 地址。");
    public string Kind => Of("Kind", "类型");
    public string Secret => Of("Secret", "签名密钥");
    public string SecretHint => Of("Signs each delivery (HMAC-SHA256); empty for none.", "用于为每次投递签名(HMAC-SHA256);留空则不签名。");
    public string Events => Of("Events", "事件");
    public string NoEvents => Of("Tick at least one event.", "请至少选择一个事件。");
    public string Made => Of("The webhook is there.", "Webhook 已创建。");
    public string Gone => Of("The webhook is deleted.", "Webhook 已删除。");
    public string DeleteHook(string name) => Of($"Delete {name}", $"删除 {name}");
    public string Test => Of("Test", "测试");
    public string TestSent => Of("A test event is on its way.", "测试事件已发送。");
    public string Deliveries => Of("Deliveries", "投递记录");
    public string DeliveriesOf(string name) => Of($"Deliveries of {name}", $"{name} 的投递记录");
    public string NoDeliveries => Of("Nothing has been delivered yet.", "还没有投递记录。");
    public string Replay => Of("Replay", "重新投递");
    public string Replayed => Of("The delivery is sent again.", "已重新投递。");
    public string Attempts => Of("Tries", "次数");
    public string Answer => Of("Answer", "响应");
    public string Body => Of("Body", "内容");
    public string EmptyTitle => Of("No webhooks yet", "还没有 Webhook");
    public string EventOf(string type) => type switch
    {
        "PUSH_ARTIFACT" => Of("Artifact pushed", "推送制品"),
        "PULL_ARTIFACT" => Of("Artifact pulled", "拉取制品"),
        "DELETE_ARTIFACT" => Of("Artifact deleted", "删除制品"),
        "QUOTA_EXCEED" => Of("Quota exceeded", "超出配额"),
        "QUOTA_WARNING" => Of("Quota nearly used", "配额即将用尽"),
        "TAG_RETENTION" => Of("Retention has run", "保留策略已运行"),
        "TAG_EXPIRING" => Of("Tag expires soon", "标签即将到期"),
        "TAG_EXPIRED" => Of("Tag expired", "标签已到期"),
        "SCANNING_COMPLETED" => Of("Scan completed", "扫描完成"),
        "SCANNING_FAILED" => Of("Scan failed", "扫描失败"),
        "SCANNING_STOPPED" => Of("Scan stopped", "扫描已停止"),
        "NEW_FINDINGS" => Of("New vulnerabilities found", "发现新漏洞"),
        "MANAGEMENT" => Of("Any change by the API", "所有管理操作"),
        _ => type,
    };
}
