{{/* berth.yaml without the values' own `config`, which is laid over it. Secrets are never in it: they are variables of the pod. */}}
{{- define "berth.config" -}}
dataFolder: /var/lib/berth
http:
  urls: [{{ if include "berth.ownTls" . }}"https://*:8443"{{ else }}"http://*:8080"{{ end }}]
  publicUrl: {{ trimSuffix "/" .Values.externalURL | quote }}
  debugAddress: "*:8081"
  {{- with .Values.trustedProxies }}
  trustedProxies: {{ toJson . }}
  {{- end }}
  {{- if include "berth.ownTls" . }}
  tls:
    certificate: /etc/berth/tls/tls.crt
    key: /etc/berth/tls/tls.key
  {{- end }}
database:
  {{- if include "berth.isEmbedded" . }}
  kind: sqlite
  {{- else }}
  kind: postgres
  connectionString: {{ include "berth.connectionString" . | quote }}
  {{- end }}
  {{- if int .Values.database.maxOpenConns }}
  maxReaders: {{ int .Values.database.maxOpenConns }}
  {{- end }}
storage:
  {{- include "berth.storage" . | nindent 2 }}
log:
  level: {{ get (dict "trace" "trace" "debug" "debug" "info" "information" "warning" "warning" "error" "error" "fatal" "critical") .Values.logLevel }}
  format: json
{{- if .Values.trace.enabled }}
tracing:
  otlpEndpoint: {{ ternary .Values.trace.otel.endpoint (printf "http://%s" .Values.trace.otel.endpoint) (contains "://" .Values.trace.otel.endpoint) | quote }}
  sampleRatio: {{ .Values.trace.sample_rate }}
{{- end }}
{{- end }}

{{/* The password comes from PGPASSWORD, so no character of it has to be quoted here. */}}
{{- define "berth.connectionString" -}}
{{- $db := .Values.database.external -}}
{{- $modes := dict "disable" "Disable" "allow" "Allow" "prefer" "Prefer" "require" "Require" "verify-ca" "VerifyCA" "verify-full" "VerifyFull" -}}
{{- printf "Host=%s;Port=%v;Username=%s;Database=%s;SSL Mode=%s" $db.host $db.port $db.username $db.coreDatabase (get $modes $db.sslmode) -}}
{{- end }}

{{- define "berth.storage" -}}
{{- $all := .Values.persistence.imageChartStorage -}}
{{- $type := include "berth.storageType" . -}}
{{- $s := index $all $type -}}
{{- if eq $type "filesystem" -}}
root: {{ $s.rootdirectory | quote }}
{{- else -}}
{{ $type }}:
  {{- if eq $type "s3" }}
  {{- include "berth.given" (list $s "bucket" "bucket" "region" "region" "regionendpoint" "endpoint" "publicendpoint" "publicEndpoint" "rootdirectory" "rootDirectory" "keyid" "keyId" "storageclass" "storageClass") }}
  {{- if $s.forcepathstyle }}
  forcePathStyle: true
  {{- end }}
  {{- if $s.encrypt }}
  encrypt: true
  {{- end }}
  {{- else if eq $type "azure" }}
  {{- include "berth.given" (list $s "accountname" "accountName" "container" "container") }}
  {{- else if eq $type "gcs" }}
  {{- include "berth.given" (list $s "bucket" "bucket" "rootdirectory" "rootDirectory") }}
  {{- if or $s.encodedkey $s.existingSecret }}
  keyFile: /etc/berth/gcs/GCS_KEY_DATA
  {{- end }}
  {{- else if eq $type "swift" }}
  {{- include "berth.given" (list $s "authurl" "authUrl" "username" "username" "container" "container" "region" "region" "tenant" "tenant" "domain" "domain") }}
  {{- end }}
{{- if $all.disableredirect }}
redirect:
  enabled: false
{{- end }}
{{- end }}
{{- end }}

{{/* list of a map, then pairs of the values' name and the setting's: a line for each that is set. */}}
{{- define "berth.given" -}}
{{- $map := first . -}}
{{- $pairs := rest . -}}
{{- range $i, $from := $pairs -}}
{{- if eq (mod $i 2) 0 -}}
{{- with index $map $from }}
  {{ index $pairs (add1 $i | int) }}: {{ . | toString | quote }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* The whole file. */}}
{{- define "berth.yaml" -}}
{{- $own := include "berth.config" . | fromYaml -}}
{{- if hasKey $own "Error" }}{{ fail (printf "the chart's own configuration does not parse: %s" $own.Error) }}{{ end -}}
{{- mergeOverwrite $own (deepCopy .Values.config) | toYaml -}}
{{- end }}
