#!/usr/bin/env bash
# A real cluster of three processes loses its leader, by kill -9 and by SIGTERM, again and again: how long until enqueues are
# confirmed again, until the node is back, and what a million waiting jobs weigh. Times are printed, not judged; a confirmed job
# that is missing afterwards is a failure. Options: --trials N (20), --waiting N (1000000; 0 leaves that part out), --port N.
# In CI, without options, a short run. Ends with one line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
[ $# -gt 0 ] || [ "${CI:-}" != true ] || set -- --trials 3 --waiting 0
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
for project in ../../src/RaftQueue RaftQueue.Failover.csproj; do
  dotnet build -c Release -v q -nologo "$project" >"$work/build" 2>&1 || { cat "$work/build"; echo "0 passed, 1 failed"; exit 1; }
done
bin/Release/net10.0/RaftQueue.Failover ../../src/RaftQueue/bin/Release/net10.0/raftqueue "$work" "$@"
