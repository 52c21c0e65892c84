# Rendered by ingot. To change it, change images/app/image.yaml.
FROM debian:12-slim@sha256:cae662172fd450bb0cd710a769079c05bfc5d8e35efa6576edc7d0377afdd4a2
ARG SOURCE_DATE_EPOCH
LABEL org.opencontainers.image.source="https://git.example.org/golden" \
    org.opencontainers.image.title="app" \
    org.opencontainers.image.vendor="acme"
USER 10001
