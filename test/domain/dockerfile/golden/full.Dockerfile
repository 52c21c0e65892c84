# Rendered by ingot. To change it, change images/app/image.yaml.
FROM debian:12-slim@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2
ARG SOURCE_DATE_EPOCH
USER 0
COPY --chown=0:0 --chmod=0644 files/acme.gpg /etc/apt/keyrings/aaa.gpg
COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/apt/sources.list.d/aaa.sources
Types: deb
URIs: https://deb.example.org/flat
Suites: ./
Signed-By: /etc/apt/keyrings/aaa.gpg
EOF
COPY --chown=0:0 --chmod=0644 files/acme.asc /etc/apt/keyrings/acme.asc
COPY --chown=0:0 --chmod=0644 <<"EOF" /etc/apt/sources.list.d/acme.sources
Types: deb
URIs: https://deb.example.org/debian
Suites: stable
Components: main extra
Signed-By: /etc/apt/keyrings/acme.asc
EOF
COPY --chown=0:0 --chmod=0644 files/90-acme /etc/apt/apt.conf.d/90-acme
RUN --mount=type=cache,id=apt-lists-debian-12-slim,target=/var/lib/apt/lists,sharing=private \
    --mount=type=cache,id=apt-cache-debian-12-slim,target=/var/cache/apt,sharing=private \
    --mount=type=secret,id=archive,target=/etc/apt/auth.conf.d/90-acme.conf,required=true \
    export DEBIAN_FRONTEND=noninteractive \
 && apt-get -q update --error-on=any -o Acquire::Languages=none \
 && upgrades="$(apt-get -qq --simulate --with-new-pkgs upgrade)" \
 && printf '%s\n' "$upgrades" | sed -n 's/^Inst \([^ ]*\) .*-security.*/\1/p' \
    | xargs -r apt-get -qy --no-install-recommends -o Dpkg::Options::=--force-confold --only-upgrade install \
 && apt-get -qy --no-install-recommends -o Dpkg::Options::=--force-confold install \
      ca-certificates \
      tzdata \
 && rm -f \
      /var/cache/debconf/*-old \
      /var/cache/ldconfig/aux-cache \
      /var/lib/dpkg/*-old \
      /var/log/alternatives.log \
      /var/log/apt/eipp.log.xz \
      /var/log/apt/history.log \
      /var/log/apt/term.log \
      /var/log/dpkg.log
COPY --chown=0:0 --chmod=0644 files/company.pem /usr/local/share/ca-certificates/company.crt
RUN --mount=type=cache,id=apt-lists-debian-12-slim,target=/var/lib/apt/lists,sharing=private \
    --mount=type=cache,id=apt-cache-debian-12-slim,target=/var/cache/apt,sharing=private \
    --mount=type=secret,id=archive,target=/etc/apt/auth.conf.d/90-acme.conf,required=true \
    export DEBIAN_FRONTEND=noninteractive \
 && apt-get -q update --error-on=any -o Acquire::Languages=none \
 && apt-get -qy --no-install-recommends -o Dpkg::Options::=--force-confold install \
      curl \
      locales \
 && localedef --no-archive -i de_DE -f UTF-8 de_DE.UTF-8 \
 && test -f /usr/share/zoneinfo/Europe/Berlin \
 && ln -snf /usr/share/zoneinfo/Europe/Berlin /etc/localtime \
 && echo Europe/Berlin > /etc/timezone \
 && update-ca-certificates \
 && rm -f \
      /var/cache/debconf/*-old \
      /var/cache/ldconfig/aux-cache \
      /var/lib/dpkg/*-old \
      /var/log/alternatives.log \
      /var/log/apt/eipp.log.xz \
      /var/log/apt/history.log \
      /var/log/apt/term.log \
      /var/log/dpkg.log
COPY --chown=10001:10001 --chmod=0755 files/run.sh /usr/local/bin/run
ENV A="a \"b\" \\c" \
    LANG="de_DE.UTF-8" \
    PATH="/opt/bin:$PATH" \
    PRICE="\$5"
LABEL org.example.team="runtime" \
    org.opencontainers.image.description="Says \"hello\" for \$5" \
    org.opencontainers.image.source="https://git.example.org/golden" \
    org.opencontainers.image.title="app" \
    org.opencontainers.image.vendor="acme"
WORKDIR /srv
ENTRYPOINT ["/usr/local/bin/run","--x=1"]
CMD []
USER 10001:10001
