# Rendered by ingot. To change it, change images/app/image.yaml.
FROM debian:12-slim@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2
ARG SOURCE_DATE_EPOCH
USER 0
COPY --chown=0:0 --chmod=0644 files/90-acme /etc/dnf/vars/acme
RUN --mount=type=cache,id=yum-cache-debian-12-slim,target=/var/cache/yum,sharing=private \
    --mount=type=cache,id=libdnf5-cache-debian-12-slim,target=/var/cache/libdnf5,sharing=private \
    --mount=type=secret,id=archive,required=true \
    microdnf -y --setopt=install_weak_deps=0 --setopt=keepcache=1 --refresh upgrade \
 && microdnf -y --setopt=install_weak_deps=0 --setopt=keepcache=1 install \
      ca-certificates \
      tzdata \
 && for folder in /var/lib/rpm /usr/lib/sysimage/rpm; do \
      test ! -f $folder/rpmdb.sqlite-shm || : > $folder/rpmdb.sqlite-shm; \
    done \
 && rm -f \
      /var/cache/ldconfig/aux-cache \
      /var/lib/dnf/history.sqlite* \
      /usr/lib/sysimage/libdnf5/transaction_history.sqlite* \
      /var/log/dnf*.log* \
      /var/log/hawkey.log*
COPY --chown=0:0 --chmod=0644 files/company.pem /etc/pki/ca-trust/source/anchors/company.crt
RUN --mount=type=cache,id=yum-cache-debian-12-slim,target=/var/cache/yum,sharing=private \
    --mount=type=cache,id=libdnf5-cache-debian-12-slim,target=/var/cache/libdnf5,sharing=private \
    --mount=type=secret,id=archive,required=true \
    microdnf -y --setopt=install_weak_deps=0 --setopt=keepcache=1 --refresh install \
      curl \
      jq \
 && for folder in /var/lib/rpm /usr/lib/sysimage/rpm; do \
      test ! -f $folder/rpmdb.sqlite-shm || : > $folder/rpmdb.sqlite-shm; \
    done \
 && test -f /usr/share/zoneinfo/Europe/Berlin \
 && ln -snf /usr/share/zoneinfo/Europe/Berlin /etc/localtime \
 && update-ca-trust \
 && rm -f \
      /var/cache/ldconfig/aux-cache \
      /var/lib/dnf/history.sqlite* \
      /usr/lib/sysimage/libdnf5/transaction_history.sqlite* \
      /var/log/dnf*.log* \
      /var/log/hawkey.log*
COPY --chown=0:0 --chmod=0755 files/run.sh /usr/local/bin/run
LABEL org.opencontainers.image.source="https://git.example.org/golden" \
    org.opencontainers.image.title="app" \
    org.opencontainers.image.vendor="acme"
USER 10001
