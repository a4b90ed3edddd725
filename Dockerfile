# Builds the program and the image around it; needs nothing but Docker.
# SDK is any image with the .NET 10 SDK, or one that brings a finished `dotnet publish src/RaftQueue -c Release -o /out` along
# (and at least a shell). BASE is any image with the ASP.NET Core 10 runtime.
ARG SDK=mcr.microsoft.com/dotnet/sdk:10.0
ARG BASE=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK} AS build
WORKDIR /src
COPY . .
RUN test -x /out/raftqueue || dotnet publish src/RaftQueue -c Release -o /out

FROM ${BASE}
COPY --from=build /out/ /opt/raftqueue/

# 1654 is the user "app" of Microsoft's images; a number needs no such user to exist.
RUN mkdir -p /var/lib/raftqueue && chown 1654:1654 /var/lib/raftqueue
USER 1654:1654
VOLUME /var/lib/raftqueue
EXPOSE 8080 9090

HEALTHCHECK --interval=5s --timeout=4s --start-period=10s --retries=5 \
    CMD ["/opt/raftqueue/raftqueue", "health", "http://127.0.0.1:8080"]
ENTRYPOINT ["/opt/raftqueue/raftqueue"]
CMD ["serve", "--config", "/etc/raftqueue/node.json"]
