{{/* Names and labels as Substra's chart derives them, and what differs between its versions. */}}

{{- define "orchestrator.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "orchestrator.fullname" -}}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* dict "root" $ "part" PART: the name of a part; `fullnameOverride` of the chart is not looked at. */}}
{{- define "orchestrator.part" -}}
{{- $name := default .root.Chart.Name .root.Values.nameOverride }}
{{- if contains $name .root.Release.Name }}
{{- printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s-%s" .root.Release.Name $name .part | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "orchestrator.server.fullname" -}}
{{- $given := .Values.orchestrator.fullnameOverride }}
{{- $given | default (include "orchestrator.part" (dict "root" . "part" "server")) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "orchestrator.selectorLabels" -}}
app.kubernetes.io/component: server
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: {{ include "orchestrator.name" . }}
{{- end }}

{{- define "orchestrator.labels" -}}
{{ include "orchestrator.selectorLabels" . }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "orchestrator.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "orchestrator.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* With mutual TLS the probe is a client too: it shows the server's own pair. */}}
{{- define "orchestrator.probe" -}}
exec:
  command:
    - /bin/grpc_health_probe
    - -v
    - -addr=:9000
    {{- if .Values.orchestrator.tls.enabled }}
    - -tls
    - -tls-ca-cert=/var/orchestrator/tls/server/cacert/ca.crt
    {{- $service := printf "%s.%s.svc.cluster.local" (include "orchestrator.server.fullname" .) .Release.Namespace }}
    - -tls-server-name={{ .Values.ingress.hostname | default $service }}
    {{- if .Values.orchestrator.tls.mtls.enabled }}
    - -tls-client-key=/var/orchestrator/tls/server/pair/tls.key
    - -tls-client-cert=/var/orchestrator/tls/server/pair/tls.crt
    {{- end }}
    {{- end }}
periodSeconds: 10
timeoutSeconds: 2
{{- end }}
