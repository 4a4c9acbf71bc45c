using Berth.Server.Ui;

namespace Berth.Server.Administration.Pages;

/// <summary>Words of the page of storage use.</summary>
internal sealed class StorageWords(Language language) : Wording(language)
{
    public string Storage => Of("Storage", "存储");
    public string StorageLead => Of("Whose bytes they are. Each blob is stored once; unique ones are named by one project alone and go with it, shared ones stay for the others.", "数据归属。每个数据块只存一份;独占的数据仅被一个项目引用,随其删除;共享的数据为其他项目保留。");
    public string Stored => Of("Stored", "已存储");
    public string Unique => Of("Unique", "独占");
    public string Shared => Of("Shared", "共享");
    public string Unused => Of("Waits for collection", "等待回收");
    public string Blobs => Of("Blobs", "数据块");
    public string ByProject => Of("Projects that use most", "占用最多的项目");
    public string ByRepository => Of("repositories pushed to last", "最近推送的仓库");
    public string Used => Of("Used", "已用");
    public string Chart => Of("Unique and shared", "独占与共享");
    public string NoRepositories => Of("There are none.", "没有仓库。");
    public string SumsAge => Of("Sums of projects and of the registry may be five minutes old. Bytes of manifests are in the database and are not counted here.", "项目与全局的合计可能有五分钟延迟。清单存于数据库,不计入此处。");
    public string BarOf(string name, string unique, string shared) => Of($"{name}: {unique} unique, {shared} shared", $"{name}:独占 {unique},共享 {shared}");
}
