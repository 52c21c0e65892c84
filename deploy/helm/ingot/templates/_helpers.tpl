{{- define "ingot.name" -}}
{{- $name := .Release.Name -}}
{{- if not (contains "ingot" $name) }}{{ $name = printf "%s-ingot" $name }}{{ end -}}
{{- $name | trunc 30 | trimSuffix "-" -}}
{{- end -}}

{{- define "ingot.labels" -}}
app.kubernetes.io/name: ingot
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* selector: root, component */}}
{{- define "ingot.selector" -}}
app.kubernetes.io/name: ingot
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "ingot.image" -}}
{{- $image := .Values.image -}}
{{- if $image.digest -}}{{ $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}@{{ $image.digest }}
{{- else -}}{{ $image.repository }}:{{ $image.tag }}{{- end -}}
{{- end -}}

{{/* All that is missing at once, with what to do. */}}
{{- define "ingot.check" -}}
{{- $v := .Values -}}
{{- $wrong := list -}}
{{- if not $v.image.repository }}{{ $wrong = append $wrong "image.repository is empty: push the image of deploy/Dockerfile, and name it" }}{{ end -}}
{{- if not (or $v.image.digest $v.image.tag) }}{{ $wrong = append $wrong "image.digest is empty: write the sha256:… that your registry gave it (or image.tag)" }}{{ end -}}
{{- if not $v.fleet.source }}{{ $wrong = append $wrong "fleet.source is empty: write git+https://host/repository.git#branch" }}{{ end -}}
{{- if not $v.secrets.redis.name }}{{ $wrong = append $wrong "secrets.redis.name is empty: make a Secret whose key \"url\" is redis://:password@host:6379" }}{{ end -}}
{{- if and $v.buildkit.enabled (not $v.buildkit.tlsSecret) }}{{ $wrong = append $wrong "buildkit.tlsSecret is empty: make a Secret of ca.pem, cert.pem and key.pem" }}{{ end -}}
{{- if and $v.buildkit.enabled (not $v.secrets.builders.name) }}{{ $wrong = append $wrong "secrets.builders.name is empty: workers need ca.pem, cert.pem and key.pem to ask BuildKit" }}{{ end -}}
{{- if and $v.ingress.enabled (not $v.ingress.host) }}{{ $wrong = append $wrong "ingress.host is empty" }}{{ end -}}
{{- range $name, $worker := $v.workers -}}
{{- if $worker -}}
{{- $auto := merge (deepCopy ($worker.autoscaling | default dict)) $v.autoscaling -}}
{{- if has "enabled" (keys ($worker.autoscaling | default dict)) }}{{ $_ := set $auto "enabled" $worker.autoscaling.enabled }}{{ end -}}
{{- if and $auto.enabled (not $auto.prometheus) }}{{ $wrong = append $wrong (printf "autoscaling.prometheus is empty, and workers.%s scales by it: write http://host:9090" $name) }}{{ end -}}
{{- if and (has "build" $worker.roles) (not $worker.platforms) }}{{ $wrong = append $wrong (printf "workers.%s.platforms is empty: a worker that builds has to say for which platforms" $name) }}{{ end -}}
{{- if and (has "release" $worker.roles) (not $v.secrets.signingKey.name) (not $v.secrets.environment.name) }}{{ $wrong = append $wrong (printf "secrets.signingKey.name is empty, and workers.%s releases: \"ingot keys create\" makes a key (secrets.environment may hold INGOT_SIGNING_KEY instead)" $name) }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $wrong }}{{ fail (printf "\n  %s\n" (join "\n  " $wrong)) }}{{ end -}}
{{- end -}}

{{- define "ingot.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "ingot.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "ingot.environment" -}}
{{- $secrets := .root.Values.secrets -}}
- name: REDIS_URL
  valueFrom: { secretKeyRef: { name: {{ $secrets.redis.name | quote }}, key: {{ $secrets.redis.key | quote }} } }
- { name: INGOT_LOG_FORMAT, value: {{ .root.Values.logFormat | quote }} }
- { name: INGOT_METRICS_LISTEN, value: "0.0.0.0:{{ .root.Values.metrics.port }}" }
{{- with $secrets.gitCredentials }}
{{- if .name }}
- { name: GIT_CONFIG_COUNT, value: "1" }
- { name: GIT_CONFIG_KEY_0, value: {{ .host | empty | ternary "credential.helper" (printf "credential.https://%s.helper" .host) | quote }} }
- name: GIT_CONFIG_VALUE_0
  value: '!f() { test "$1" = get || exit 0; for part in username password; do echo "$part=$(cat /etc/ingot/secrets/git/$part)"; done; }; f'
{{- end }}
{{- end }}
{{- with .root.Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* mounts: root, signs, serves */}}
{{- define "ingot.mounts" -}}
{{- $secrets := .root.Values.secrets -}}
- { name: data, mountPath: /var/lib/ingot }
- { name: tmp, mountPath: /tmp }
- { name: root, mountPath: /etc/ingot/secrets, readOnly: true }
{{- if $secrets.dockerConfig.name }}
- { name: docker, mountPath: /etc/ingot/docker, readOnly: true }
{{- end }}
{{- if and .signs $secrets.signingKey.name }}
- { name: signing, mountPath: /etc/ingot/secrets/signing, readOnly: true }
{{- end }}
{{- if and .serves $secrets.tokens.name }}
- { name: tokens, mountPath: /etc/ingot/secrets/tokens, readOnly: true }
{{- end }}
{{- if $secrets.builders.name }}
- { name: builders, mountPath: /etc/ingot/secrets/builders, readOnly: true }
{{- end }}
{{- if $secrets.gitCredentials.name }}
- { name: git, mountPath: /etc/ingot/secrets/git, readOnly: true }
{{- end }}
{{- end -}}

{{- define "ingot.volumes" -}}
{{- $secrets := .root.Values.secrets -}}
- name: data
  emptyDir: { sizeLimit: {{ .data | quote }} }
- name: tmp
  emptyDir: { sizeLimit: {{ .data | quote }} }
- name: root
  emptyDir: { sizeLimit: 1Mi }
{{- with $secrets.dockerConfig }}
{{- if .name }}
- name: docker
  secret: { secretName: {{ .name | quote }}, defaultMode: 0440, items: [{ key: {{ .key | quote }}, path: config.json }] }
{{- end }}
{{- end }}
{{- with $secrets.signingKey }}
{{- if and $.signs .name }}
- name: signing
  secret: { secretName: {{ .name | quote }}, defaultMode: 0440, items: [{ key: {{ .key | quote }}, path: ingot.key }] }
{{- end }}
{{- end }}
{{- if and .serves $secrets.tokens.name }}
- name: tokens
  secret: { secretName: {{ $secrets.tokens.name | quote }}, defaultMode: 0440 }
{{- end }}
{{- if $secrets.builders.name }}
- name: builders
  secret: { secretName: {{ $secrets.builders.name | quote }}, defaultMode: 0440 }
{{- end }}
{{- if $secrets.gitCredentials.name }}
- name: git
  secret: { secretName: {{ $secrets.gitCredentials.name | quote }}, defaultMode: 0440 }
{{- end }}
{{- end -}}

{{/* pod: root, component, args, grace, data, resources, settings, signs, serves */}}
{{- define "ingot.pod" -}}
metadata:
  labels:
    {{- include "ingot.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add .grace 15 }}
  securityContext:
    {{- include "ingot.podSecurity" . | nindent 4 }}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets: {{ toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: ingot
      image: {{ include "ingot.image" .root | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: {{ .args | toJson }}
      workingDir: /etc/ingot/secrets
      env:
        {{- include "ingot.environment" . | nindent 8 }}
      {{- with .root.Values.secrets.environment.name }}
      envFrom: [{ secretRef: { name: {{ . | quote }} } }]
      {{- end }}
      ports:
        {{- if .serves }}
        - { name: http, containerPort: 8080 }
        {{- end }}
        - { name: metrics, containerPort: {{ .root.Values.metrics.port }} }
      startupProbe: { httpGet: { path: /healthz, port: metrics }, periodSeconds: 5, failureThreshold: 60 }
      livenessProbe: { httpGet: { path: /healthz, port: metrics }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
      readinessProbe: { httpGet: { path: /readyz, port: metrics }, periodSeconds: 10, timeoutSeconds: 5 }
      resources: {{ toYaml .resources | nindent 8 }}
      securityContext:
        {{- include "ingot.containerSecurity" . | nindent 8 }}
      volumeMounts:
        {{- include "ingot.mounts" . | nindent 8 }}
  volumes:
    {{- include "ingot.volumes" . | nindent 4 }}
  {{- with .settings.nodeSelector }}
  nodeSelector: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .settings.tolerations }}
  tolerations: {{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with .settings.affinity }}
  affinity: {{ toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector: { matchLabels: {{ include "ingot.selector" . | fromYaml | toJson }} }
{{- end -}}

{{/* worker settings with defaults: defaults, worker */}}
{{- define "ingot.worker" -}}
{{- merge (deepCopy .worker) .defaults | toYaml -}}
{{- end -}}
