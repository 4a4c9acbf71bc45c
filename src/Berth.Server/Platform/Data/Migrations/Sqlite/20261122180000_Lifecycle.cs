using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Berth.Server.Platform.Data.Migrations.Sqlite
{
    /// <inheritdoc />
    public partial class Lifecycle : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "expires_at",
                table: "tags",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "is_expiry_told",
                table: "tags",
                type: "INTEGER",
                nullable: false,
                defaultValue: false);

            migrationBuilder.AddColumn<int>(
                name: "archive",
                table: "manifests",
                type: "INTEGER",
                nullable: false,
                defaultValue: 0);

            migrationBuilder.AddColumn<long>(
                name: "archived_at",
                table: "manifests",
                type: "INTEGER",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "manifest_uses",
                columns: table => new
                {
                    manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    used_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_manifest_uses", x => x.manifest_id);
                    table.ForeignKey(
                        name: "FK_manifest_uses_manifests_manifest_id",
                        column: x => x.manifest_id,
                        principalTable: "manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "retention_policies",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    project_id = table.Column<long>(type: "INTEGER", nullable: true),
                    repository = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    rules = table.Column<string>(type: "TEXT", nullable: false),
                    dialect = table.Column<string>(type: "TEXT", maxLength: 32, nullable: false),
                    cron = table.Column<string>(type: "TEXT", maxLength: 128, nullable: false),
                    runs_on_push = table.Column<bool>(type: "INTEGER", nullable: false),
                    is_disabled = table.Column<bool>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    updated_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_policies", x => x.id);
                    table.ForeignKey(
                        name: "FK_retention_policies_projects_project_id",
                        column: x => x.project_id,
                        principalTable: "projects",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "trash_entries",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    project_id = table.Column<long>(type: "INTEGER", nullable: false),
                    repository = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    digest = table.Column<string>(type: "TEXT", maxLength: 135, nullable: false),
                    tag = table.Column<string>(type: "TEXT", maxLength: 128, nullable: true),
                    actor = table.Column<string>(type: "TEXT", nullable: false),
                    deleted_at = table.Column<long>(type: "INTEGER", nullable: false),
                    purge_at = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_trash_entries", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "trash_manifests",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    project_id = table.Column<long>(type: "INTEGER", nullable: false),
                    repository = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    digest = table.Column<string>(type: "TEXT", maxLength: 135, nullable: false),
                    media_type = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    content = table.Column<byte[]>(type: "BLOB", nullable: false),
                    subject = table.Column<string>(type: "TEXT", maxLength: 135, nullable: true),
                    total_size = table.Column<long>(type: "INTEGER", nullable: false),
                    pushed_at = table.Column<long>(type: "INTEGER", nullable: false),
                    created_at = table.Column<long>(type: "INTEGER", nullable: false),
                    pulled_at = table.Column<long>(type: "INTEGER", nullable: false),
                    pull_count = table.Column<long>(type: "INTEGER", nullable: false),
                    labels = table.Column<string>(type: "TEXT", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_trash_manifests", x => x.id);
                });

            migrationBuilder.CreateTable(
                name: "retention_runs",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    policy_id = table.Column<long>(type: "INTEGER", nullable: false),
                    job_id = table.Column<long>(type: "INTEGER", nullable: false),
                    is_dry_run = table.Column<bool>(type: "INTEGER", nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: false),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: true),
                    freed_bytes = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_runs", x => x.id);
                    table.ForeignKey(
                        name: "FK_retention_runs_retention_policies_policy_id",
                        column: x => x.policy_id,
                        principalTable: "retention_policies",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "trash_blobs",
                columns: table => new
                {
                    trash_manifest_id = table.Column<long>(type: "INTEGER", nullable: false),
                    blob_id = table.Column<long>(type: "INTEGER", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_trash_blobs", x => new { x.trash_manifest_id, x.blob_id });
                    table.ForeignKey(
                        name: "FK_trash_blobs_blobs_blob_id",
                        column: x => x.blob_id,
                        principalTable: "blobs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                    table.ForeignKey(
                        name: "FK_trash_blobs_trash_manifests_trash_manifest_id",
                        column: x => x.trash_manifest_id,
                        principalTable: "trash_manifests",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "retention_results",
                columns: table => new
                {
                    id = table.Column<long>(type: "INTEGER", nullable: false)
                        .Annotation("Sqlite:Autoincrement", true),
                    run_id = table.Column<long>(type: "INTEGER", nullable: false),
                    repository = table.Column<string>(type: "TEXT", maxLength: 255, nullable: false),
                    started_at = table.Column<long>(type: "INTEGER", nullable: false),
                    finished_at = table.Column<long>(type: "INTEGER", nullable: false),
                    total = table.Column<int>(type: "INTEGER", nullable: false),
                    kept = table.Column<int>(type: "INTEGER", nullable: false),
                    report = table.Column<byte[]>(type: "BLOB", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_retention_results", x => x.id);
                    table.ForeignKey(
                        name: "FK_retention_results_retention_runs_run_id",
                        column: x => x.run_id,
                        principalTable: "retention_runs",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "IX_tags_expires_at",
                table: "tags",
                column: "expires_at",
                filter: "expires_at IS NOT NULL");

            migrationBuilder.CreateIndex(
                name: "IX_manifests_repository_id",
                table: "manifests",
                column: "repository_id",
                filter: "archive <> 0");

            migrationBuilder.CreateIndex(
                name: "IX_retention_policies_project_id_repository",
                table: "retention_policies",
                columns: new[] { "project_id", "repository" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_retention_policies_repository",
                table: "retention_policies",
                column: "repository",
                unique: true,
                filter: "project_id IS NULL");

            migrationBuilder.CreateIndex(
                name: "IX_retention_results_run_id_repository",
                table: "retention_results",
                columns: new[] { "run_id", "repository" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_retention_runs_job_id",
                table: "retention_runs",
                column: "job_id",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_retention_runs_policy_id_id",
                table: "retention_runs",
                columns: new[] { "policy_id", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_trash_blobs_blob_id",
                table: "trash_blobs",
                column: "blob_id");

            migrationBuilder.CreateIndex(
                name: "IX_trash_entries_project_id_id",
                table: "trash_entries",
                columns: new[] { "project_id", "id" });

            migrationBuilder.CreateIndex(
                name: "IX_trash_entries_purge_at",
                table: "trash_entries",
                column: "purge_at");

            migrationBuilder.CreateIndex(
                name: "IX_trash_entries_repository_digest",
                table: "trash_entries",
                columns: new[] { "repository", "digest" });

            migrationBuilder.CreateIndex(
                name: "IX_trash_manifests_repository_digest",
                table: "trash_manifests",
                columns: new[] { "repository", "digest" },
                unique: true);

            migrationBuilder.CreateIndex(
                name: "IX_trash_manifests_repository_subject",
                table: "trash_manifests",
                columns: new[] { "repository", "subject" },
                filter: "subject IS NOT NULL");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "manifest_uses");

            migrationBuilder.DropTable(
                name: "retention_results");

            migrationBuilder.DropTable(
                name: "trash_blobs");

            migrationBuilder.DropTable(
                name: "trash_entries");

            migrationBuilder.DropTable(
                name: "retention_runs");

            migrationBuilder.DropTable(
                name: "trash_manifests");

            migrationBuilder.DropTable(
                name: "retention_policies");

            migrationBuilder.DropIndex(
                name: "IX_tags_expires_at",
                table: "tags");

            migrationBuilder.DropIndex(
                name: "IX_manifests_repository_id",
                table: "manifests");

            migrationBuilder.DropColumn(
                name: "expires_at",
                table: "tags");

            migrationBuilder.DropColumn(
                name: "is_expiry_told",
                table: "tags");

            migrationBuilder.DropColumn(
                name: "archive",
                table: "manifests");

            migrationBuilder.DropColumn(
                name: "archived_at",
                table: "manifests");
        }
    }
}
