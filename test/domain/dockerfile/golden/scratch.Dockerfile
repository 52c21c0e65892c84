# Rendered by ingot. To change it, change images/app/image.yaml.
FROM scratch
COPY --chown=0:0 --chmod=0755 app /app
LABEL org.opencontainers.image.title="app" \
    org.opencontainers.image.vendor="acme"
WORKDIR /srv
ENTRYPOINT ["/app"]
USER 10001
