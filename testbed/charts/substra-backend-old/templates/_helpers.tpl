{{/* Names and labels as Substra's chart derives them, and what differs between its versions. */}}

{{- define "substra.name" -}}
{{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Unlike most charts: the chart's name is added even to a release that carries it already. */}}
{{- define "substra.fullname" -}}
{{ printf "%s-%s" .Release.Name (default .Chart.Name .Values.nameOverride) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "substra.selectorLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "substra.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "substra.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: {{ include "substra.name" . }}
{{- end }}

{{/* A CA is a Secret since 26.0.0, before that a ConfigMap. */}}
{{- define "substra.volumes" -}}
{{- with .Values.orchestrator.tls }}
{{- if .enabled }}
volumes:
  - name: orchestrator-tls-cacert
    {{- if semverCompare ">=26.0.0" $.Chart.Version }}
    secret:
      secretName: {{ .cacert }}
    {{- else }}
    configMap:
      name: {{ .cacert }}
    {{- end }}
  {{- if .mtls.enabled }}
  - name: orchestrator-tls-client-pair
    secret:
      secretName: {{ .mtls.clientCertificate }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "substra.volumeMounts" -}}
{{- with .Values.orchestrator.tls }}
{{- if .enabled }}
volumeMounts:
  - name: orchestrator-tls-cacert
    mountPath: /var/substra/orchestrator/tls/server
  {{- if .mtls.enabled }}
  - name: orchestrator-tls-client-pair
    mountPath: /var/substra/orchestrator/tls/client
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* The pod of the six workloads: dict "root" $ "name" NAME "container" NAME. There is no checksum of the
     server key nor of what is mounted: a change of those alone restarts nothing. */}}
{{- define "substra.template" -}}
metadata:
  labels:
    app.kubernetes.io/name: {{ include "substra.name" .root }}-{{ .name }}
    {{- include "substra.labels" .root | nindent 4 }}
  annotations:
    {{- $folder := .root.Template.BasePath }}
    checksum-cm-orchestrator: {{ include (print $folder "/configmap-orchestrator.yaml") .root | sha256sum }}
    checksum-cm-settings: {{ include (print $folder "/configmap-settings.yaml") .root | sha256sum }}
    {{- if ne .name "builder" }}
    checksum-secret-database: {{ include (print $folder "/secret-database.yaml") .root | sha256sum }}
    {{- end }}
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: {{ .container }}
      image: example.invalid/substra-backend:{{ .root.Chart.AppVersion }}
      envFrom:
        - configMapRef:
            name: {{ include "substra.fullname" .root }}-orchestrator
        - configMapRef:
            name: {{ include "substra.fullname" .root }}-settings
        - secretRef:
            name: {{ include "substra.fullname" .root }}-database
        {{- if eq .name "server" }}
        - secretRef:
            name: {{ include "substra.fullname" .root }}-server-key
      ports:
        - name: http
          containerPort: 8000
      livenessProbe:
        httpGet: {path: /liveness, port: http}
        initialDelaySeconds: 60
        periodSeconds: 45
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readiness, port: http}
        initialDelaySeconds: 5
        periodSeconds: 30
        timeoutSeconds: 2
        failureThreshold: 3
        {{- end }}
      {{- with include "substra.volumeMounts" .root }}
      {{- . | trim | nindent 6 }}
      {{- end }}
  {{- with include "substra.volumes" .root }}
  {{- . | trim | nindent 2 }}
  {{- end }}
{{- end }}
