# Takes the output of `dotnet publish src/RaftQueue -c Release -o out`, so that building the image needs no SDK.
# BASE is any image with the ASP.NET Core 10 runtime.
ARG BASE=mcr.microsoft.com/dotnet/aspnet:10.0
FROM ${BASE}

COPY out/ /opt/raftqueue/

# 1654 is the user "app" of Microsoft's images; a number needs no such user to exist.
RUN mkdir -p /var/lib/raftqueue && chown 1654:1654 /var/lib/raftqueue
USER 1654:1654
VOLUME /var/lib/raftqueue
EXPOSE 8080 9090

HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=5 \
    CMD ["/opt/raftqueue/raftqueue", "health", "http://127.0.0.1:8080"]
ENTRYPOINT ["/opt/raftqueue/raftqueue"]
CMD ["serve", "--config", "/etc/raftqueue/node.json"]
