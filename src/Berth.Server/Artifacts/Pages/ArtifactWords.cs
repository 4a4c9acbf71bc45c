using Berth.Server.Ui;

namespace Berth.Server.Artifacts.Pages;

/// <summary>Words of the pages of repositories and artifacts.</summary>
internal sealed class ArtifactWords(Language language) : Wording(language)
{
    public string Repositories => Of("Repositories", "仓库");
    public string Repository => Of("Repository", "仓库");
    public string FilterRepositories => Of("Filter by name", "按名称筛选");
    public string Artifacts => Of("Artifacts", "制品");
    public string Pulls => Of("Pulls", "拉取次数");
    public string EmptyTitle => Of("Push your first image", "推送第一个镜像");
    public string EmptyText => Of("These commands sign in, name an image after this project, and push it.", "以下命令依次登录、按本项目命名镜像并推送。");
    public string EmptyForReaders => Of("Nothing has been pushed to this project yet.", "此项目中还没有内容。");
    public string PlainHttp => Of("This server speaks plain HTTP: clients other than on this machine need it among their insecure registries.", "此服务器使用 HTTP:其他机器上的客户端需要将其加入不安全仓库列表。");
    public string Tags => Of("Tags", "标签");
    public string Tagged => Of("Tagged", "已打标签");
    public string Untagged => Of("Untagged", "无标签");
    public string History => Of("History", "历史");
    public string FilterTags => Of("Filter tags", "筛选标签");
    public string Digest => Of("Digest", "摘要");
    public string Platforms => Of("Platforms", "平台");
    public string Platform => Of("Platform", "平台");
    public string PlatformCount(long count) => Count(count, "platform", "platforms", "个平台");
    public string Pushed => Of("Pushed", "推送时间");
    public string Pulled => Of("Pulled", "拉取时间");
    public string More(long count) => Of($"{count:N0} more", $"另外 {count:N0} 个");
    public string Select => Of("Select", "选择");
    public string SelectAll => Of("Select all on this page", "选择本页全部");
    public string CompareSelected => Of("Compare two", "比较两项");
    public string DeleteSelected => Of("Delete selected", "删除所选");
    public string DeleteSelectedText => Of("The selected artifacts go with all their tags and with what belongs to them, such as signatures.", "所选制品将连同其所有标签及附属内容(如签名)一起删除。");
    public string DeletedSome(long count) => Of($"Deleted: {count:N0}", $"已删除 {count:N0} 项");
    public string NothingSelected => Of("Select something first.", "请先选择。");
    public string NoTags => Of("There are no tagged artifacts.", "没有带标签的制品。");
    public string NoUntagged => Of("There is nothing without a tag.", "没有无标签的制品。");
    public string NoHistory => Of("No tag has moved yet.", "标签还没有变动记录。");
    public string UntaggedHint => Of("Manifests that no tag names: left behind when a tag moved, or parts of an index. Garbage collection removes those that nothing needs.", "没有标签指向的清单:标签移动后留下的,或索引的组成部分。不再需要的会被垃圾回收。");
    public string HowToPull => Of("Pull and push", "拉取与推送");
    public string Pull => Of("Pull", "拉取");
    public string Push => Of("Push", "推送");
    public string PullSecret => Of("Pull secret for Kubernetes", "Kubernetes 拉取凭据");
    public string Immutable => Of("immutable", "不可变");
    public string DeleteRepository => Of("Delete the repository", "删除仓库");
    public string DeleteRepositoryText(string name) => Of($"Everything in {name} goes, with all its tags.", $"{name} 中的全部内容及标签都将被删除。");
    public string RepositoryDeleted => Of("The repository is deleted.", "仓库已删除。");
    public string EditDescription => Of("Edit description", "编辑描述");
    public string When => Of("When", "时间");
    public string Who => Of("Who", "操作者");
    public string Move => Of("Change", "变更");
    public string Tag => Of("Tag", "标签");
    public string NewTag => Of("new", "新建");
    public string Gone => Of("deleted", "已删除");
    public string RollBack => Of("Roll back", "回滚");
    public string RollBackTitle(string tag) => Of($"Point {tag} to where it was after this change", $"将 {tag} 恢复到此变更后的指向");
    public string RolledBack(string tag) => Of($"{tag} points there again.", $"{tag} 已恢复。");
    public string Older => Of("Older", "更早");
    public string Layers => Of("Layers", "层");
    public string LayersLead => Of("Each layer with the instruction that made it.", "每一层及生成它的指令。");
    public string Instruction => Of("Instruction", "指令");
    public string EmptyLayer => Of("no layer", "无层");
    public string Config => Of("Configuration", "配置");
    public string Annotations => Of("Annotations", "注解");
    public string Attached => Of("Attached", "附属内容");
    /// <summary>What something attached is, by its type; null where the type is not known.</summary>
    public string? AttachedOf(string type)
    {
        bool Has(string part) => type.Contains(part, StringComparison.OrdinalIgnoreCase);
        return Has("spdx") ? "SBOM (SPDX)" : Has("cyclonedx") ? "SBOM (CycloneDX)" : Has("sbom") ? "SBOM"
            : Has("in-toto") || Has("attestation") || Has("dsse") ? Of("Attestation", "证明")
            : Has("notary") ? Of("Signature (Notation)", "签名(Notation)")
            : Has("cosign") || Has("sigstore") || Has("signature") ? Of("Signature (cosign)", "签名(cosign)") : null;
    }

    public string AttachedNone => Of("No signatures, SBOMs or other referrers.", "没有签名、SBOM 或其他引用者。");
    public string RawManifest => Of("Manifest as it was pushed", "推送时的清单原文");
    public string MediaType => Of("Media type", "媒体类型");
    public string ArtifactType => Of("Artifact type", "制品类型");
    public string Unique => Of("Only here", "独占");
    public string UniqueHint => Of("What deleting it frees for the project's quota", "删除后可为项目配额释放的空间");
    public string Shared => Of("Shared", "共享");
    public string Author => Of("Author", "作者");
    public string BuiltAt => Of("Built", "构建时间");
    public string AddTag => Of("Add a tag", "添加标签");
    public string TagAdded => Of("The tag is there.", "标签已添加。");
    public string RemoveTag(string tag) => Of($"Remove the tag {tag}", $"移除标签 {tag}");
    public string TagRemoved(string tag) => Of($"The tag {tag} is gone.", $"标签 {tag} 已移除。");
    public string DeleteArtifact => Of("Delete the artifact", "删除制品");
    public string DeleteText => Of("It goes with all its tags and with what belongs to it, such as signatures.", "它将连同所有标签及附属内容(如签名)一起删除。");
    public string ArtifactDeleted => Of("The artifact is deleted.", "制品已删除。");
    public string NoPlatform => Of("Not pushed here", "未推送到此处");
    public string Overview => Of("Overview", "概览");
    public string Labels => Of("Labels", "标记");

    public string AddLabel => Of("Add label", "添加标记");
    public string LabelAdded => Of("The label is there.", "标记已添加。");
    public string LabelRemoved => Of("The label is off.", "标记已移除。");
    public string RemoveLabel(string label) => Of($"Take the label {label} off", $"移除标记 {label}");
    public string About(string digest) => Of($"about {digest}: ", $"关于 {digest}:");
    public string UsedBy => Of("used by…", "使用者…");
    public string LayerTitle => Of("What uses this layer", "哪些制品使用此层");
    public string LayerLead => Of("Artifacts with this layer in the projects that you may see. Its bytes are stored once.", "您可查看的项目中包含此层的制品,其内容只存储一份。");
    public string LayerNone => Of("Nothing that you may see has this layer.", "您可查看的内容中没有制品使用此层。");

    public string KindOf(string type) => type switch
    {
        "IMAGE" => Of("Image", "镜像"),
        "CHART" => Of("Helm chart", "Helm Chart"),
        "SBOM" => Of("SBOM", "SBOM"),
        "WASM" => Of("WebAssembly", "WebAssembly"),
        "MODEL" => Of("Model", "模型"),
        _ => type.Length == 0 ? Of("Artifact", "制品") : type,
    };
}
