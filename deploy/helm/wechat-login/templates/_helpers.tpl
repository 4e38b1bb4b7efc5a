{{- define "name" -}}
{{- printf "%s-%s" .root.Release.Name .part | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- define "labels" -}}
{{ include "selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}
{{- define "selector" -}}
app.kubernetes.io/name: wechat-login
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}
{{- define "container-security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}
{{/* A service of ours: Deployment, Service, internal Service and disruption budget. */}}
{{- define "service" -}}
{{- $values := index .root.Values .part -}}
{{- $name := include "name" . -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  {{- if not (and (eq .part "site") .root.Values.site.autoscaling.enabled) }}
  replicas: {{ $values.replicas }}
  {{- end }}
  # One at a time, and none less than before.
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 0, maxSurge: 1}}
  selector:
    matchLabels: {{- include "selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "labels" . | nindent 8 }}
    spec:
      automountServiceAccountToken: false
      enableServiceLinks: false
      terminationGracePeriodSeconds: 30
      {{- with .root.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 65532
        runAsGroup: 65532
        seccompProfile: {type: RuntimeDefault}
      topologySpreadConstraints:
        {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
        - maxSkew: 1
          topologyKey: {{ . }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "selector" $ | nindent 14 }}
        {{- end }}
      containers:
        - name: {{ .part }}
          image: {{ required (printf "%s.image.repository is missing" .part) $values.image.repository }}:{{ $values.image.tag | default .root.Chart.AppVersion }}
          imagePullPolicy: {{ $values.image.pullPolicy }}
          envFrom:
            - secretRef: {name: {{ $values.existingSecret }}}
          env:
            {{- range $key, $value := merge (dict) $values.settings .settings }}
            - name: {{ $key }}
              value: {{ $value | quote }}
            {{- end }}
          ports:
            - {name: public, containerPort: {{ .public }}}
            - {name: internal, containerPort: {{ .internal }}}
          startupProbe:
            httpGet: {path: /healthz, port: internal}
            periodSeconds: 1
            failureThreshold: 60
          livenessProbe:
            httpGet: {path: /healthz, port: internal}
            periodSeconds: 10
            timeoutSeconds: 3
          readinessProbe:
            httpGet: {path: /readyz, port: internal}
            periodSeconds: 5
            timeoutSeconds: 4
          lifecycle:
            # Endpoints forget this pod before it stops accepting.
            preStop: {sleep: {seconds: 5}}
          resources: {{- toYaml $values.resources | nindent 12 }}
          securityContext: {{- include "container-security" . | nindent 12 }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  selector: {{- include "selector" . | nindent 4 }}
  ports:
    - {name: public, port: 80, targetPort: public}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}-internal
  labels:
    {{- include "labels" . | nindent 4 }}
    wechat-login/listener: internal
spec:
  selector: {{- include "selector" . | nindent 4 }}
  {{- if eq .part "gateway" }}
  # WeChat's console verifies an address before the account can be ready, and the site says what is missing.
  publishNotReadyAddresses: true
  {{- end }}
  ports:
    - {name: internal, port: {{ .internal }}, targetPort: internal}
{{- if $values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ $values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "selector" . | nindent 6 }}
{{- end }}
{{- end -}}
