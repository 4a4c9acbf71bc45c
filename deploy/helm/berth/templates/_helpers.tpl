{{- define "berth.name" -}}{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}{{- end }}

{{- define "berth.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 55 | trimSuffix "-" }}
{{- else if contains (include "berth.name" .) .Release.Name }}{{ .Release.Name | trunc 55 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name (include "berth.name" .) | trunc 55 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "berth.selectorLabels" -}}
app.kubernetes.io/name: {{ include "berth.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "berth.labels" -}}
{{ include "berth.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "berth.image" -}}
{{- if .Values.image.digest }}{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else }}{{ printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) }}{{ end }}
{{- end }}

{{- define "berth.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "berth.fullname" .) }}{{ else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "berth.isIngress" -}}{{ if eq .Values.expose.type "ingress" }}true{{ end }}{{- end }}

{{/* TLS ends in Berth itself. */}}
{{- define "berth.ownTls" -}}{{ if and .Values.expose.tls.enabled (ne .Values.expose.type "ingress") }}true{{ end }}{{- end }}

{{- define "berth.tlsSecret" -}}
{{- if eq .Values.expose.tls.certSource "secret" }}{{ .Values.expose.tls.secret.secretName }}{{ else }}{{ include "berth.fullname" . }}-tls{{ end }}
{{- end }}

{{- define "berth.externalHost" -}}{{ (urlParse .Values.externalURL).host | splitList ":" | first }}{{- end }}

{{- define "berth.storageType" -}}{{ .Values.persistence.imageChartStorage.type }}{{- end }}

{{- define "berth.isEmbedded" -}}{{ if eq .Values.database.type "internal" }}true{{ end }}{{- end }}

{{/* A volume is needed when the database or the blobs are files. */}}
{{- define "berth.needsVolume" -}}{{ if or (eq .Values.database.type "internal") (eq (include "berth.storageType" .) "filesystem") }}true{{ end }}{{- end }}

{{- define "berth.sharedVolume" -}}{{ if eq .Values.persistence.persistentVolumeClaim.registry.accessMode "ReadWriteMany" }}true{{ end }}{{- end }}

{{/* Only one pod may have the data at a time. */}}
{{- define "berth.single" -}}
{{- if include "berth.isEmbedded" . }}true{{ else if and (include "berth.needsVolume" .) (not (include "berth.sharedVolume" .)) }}true{{ end }}
{{- end }}

{{- define "berth.serviceName" -}}{{ (index .Values.expose .Values.expose.type).name | default (include "berth.fullname" .) }}{{- end }}

{{- define "berth.adminPassword" -}}{{ .Values.adminPassword | default .Values.harborAdminPassword }}{{- end }}

{{/* What values must not say together. */}}
{{- define "berth.validate" -}}
{{- $several := or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled -}}
{{- if and $several (include "berth.isEmbedded" .) }}{{ fail "several replicas (replicas, autoscaling) need PostgreSQL: set database.type to external" }}{{ end -}}
{{- if and $several (include "berth.single" .) }}{{ fail "several replicas need storage that all can reach: set persistence.imageChartStorage.type to an object store, or persistence.persistentVolumeClaim.registry.accessMode to ReadWriteMany" }}{{ end -}}
{{- if and $several (include "berth.needsVolume" .) (not .Values.persistence.enabled) }}{{ fail "several replicas on the file system need persistence.enabled" }}{{ end -}}
{{- if and (eq .Values.database.type "external") (not .Values.database.external.host) }}{{ fail "database.type external needs database.external.host" }}{{ end -}}
{{- $store := index .Values.persistence.imageChartStorage (include "berth.storageType" .) -}}
{{- if and (has (include "berth.storageType" .) (list "s3" "gcs")) (not $store.bucket) }}{{ fail (printf "persistence.imageChartStorage.%s.bucket is empty" (include "berth.storageType" .)) }}{{ end -}}
{{- if and (has (include "berth.storageType" .) (list "azure" "swift")) (not $store.container) }}{{ fail (printf "persistence.imageChartStorage.%s.container is empty" (include "berth.storageType" .)) }}{{ end -}}
{{- if .Values.expose.tls.enabled -}}
{{- if and (eq .Values.expose.tls.certSource "secret") (not .Values.expose.tls.secret.secretName) }}{{ fail "expose.tls.certSource secret needs expose.tls.secret.secretName" }}{{ end -}}
{{- if and (eq .Values.expose.tls.certSource "none") (include "berth.ownTls" .) }}{{ fail "expose.tls.certSource none is for an ingress: Berth needs a certificate to speak TLS itself, or expose.tls.enabled false" }}{{ end -}}
{{- end -}}
{{- if and .Values.secretKey (ne (len (b64dec .Values.secretKey)) 32) }}{{ fail "secretKey must be 32 bytes in base64 (openssl rand -base64 32); Harbor's key of 16 characters does not do" }}{{ end -}}
{{- if and .Values.expose.tls.enabled (hasPrefix "http://" .Values.externalURL) }}{{ fail "expose.tls.enabled is true and externalURL starts with http://" }}{{ end -}}
{{- end }}

{{/* Sections of Harbor's chart that mean nothing here and were set. */}}
{{- define "berth.notNeeded" -}}
{{- $set := list -}}
{{- range $name := list "redis" "core" "jobservice" "registry" "portal" "trivy" "nginx" "exporter" "internalTLS" "ipFamily" "cache" "proxy" "enableMigrateHelmHook" "caSecretName" "uaaSecretName" "quotaUpdateProvider" -}}
{{- if index $.Values $name }}{{ $set = append $set $name }}{{ end -}}
{{- end -}}
{{- join ", " $set -}}
{{- end }}

{{/* list of the root, the variable, an existing Secret or nothing, the key: a variable from a Secret. */}}
{{- define "berth.secretEnv" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 2 | default (include "berth.fullname" (first .)) }}
      key: {{ index . 3 }}
{{- end }}
