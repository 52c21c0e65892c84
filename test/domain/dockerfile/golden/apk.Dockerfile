# Rendered by ingot. To change it, change images/app/image.yaml.
FROM debian:12-slim@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2
ARG SOURCE_DATE_EPOCH
USER 0
COPY --chown=0:0 --chmod=0644 files/acme-1.rsa.pub /etc/apk/keys/acme-1.rsa.pub
COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/apk/repositories.d/acme.list
https://apk.example.org/v3.22/main
https://apk.example.org/v3.22/extra
EOF
COPY --chown=0:0 --chmod=0644 files/acme-1.rsa.pub /etc/apk/keys/acme-1.rsa.pub
COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/apk/repositories.d/flat.list
https://apk.example.org/flat
EOF
COPY --chown=0:0 --chmod=0644 files/90-acme /etc/apk/repositories
RUN --mount=type=cache,id=apk-cache-debian-12-slim,target=/var/cache/apk,sharing=private \
    --mount=type=secret,id=archive,required=true \
    apk --no-progress --cache-dir /var/cache/apk update \
 && apk --no-progress --cache-dir /var/cache/apk upgrade \
 && apk --no-progress --cache-dir /var/cache/apk add \
      ca-certificates \
      tzdata \
 && rm -f \
      /var/log/apk.log
COPY --chown=0:0 --chmod=0644 files/company.pem /usr/local/share/ca-certificates/company.crt
RUN --mount=type=cache,id=apk-cache-debian-12-slim,target=/var/cache/apk,sharing=private \
    --mount=type=secret,id=archive,required=true \
    apk --no-progress --cache-dir /var/cache/apk update \
 && apk --no-progress --cache-dir /var/cache/apk add \
      curl \
      jq \
 && test -f /usr/share/zoneinfo/Europe/Berlin \
 && ln -snf /usr/share/zoneinfo/Europe/Berlin /etc/localtime \
 && echo Europe/Berlin > /etc/timezone \
 && update-ca-certificates \
 && rm -f \
      /var/log/apk.log
COPY --chown=0:0 --chmod=0755 files/run.sh /usr/local/bin/run
LABEL org.opencontainers.image.source="https://git.example.org/golden" \
    org.opencontainers.image.title="app" \
    org.opencontainers.image.vendor="acme"
USER 10001
