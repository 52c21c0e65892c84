FROM gcr.io/distroless/static-debian12:nonroot
COPY gcrane /usr/local/bin/gcrane
ENTRYPOINT ["/usr/local/bin/gcrane"]
