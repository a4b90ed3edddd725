#!/usr/bin/env bash
# A real cluster of three processes loses its leader, by kill -9 and by SIGTERM, again and again: how long until enqueues are
# confirmed again, until the node is back, and what a million waiting jobs weigh. Times are printed, not judged; a confirmed job
# that is missing afterwards is a failure. Then clients do a bit of everything at all nodes while nodes are killed and paused, and the
# history of their calls, the jobs of every node and the nodes' logs are judged by ../Checkers, as in the simulator.
# Options: --trials N (20), --waiting N (1000000), --faults N (20) of the judged run, 0 of any leaves that part out; --seed N, --port N.
# In CI, without options, a short run. Ends with one line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
[ $# -gt 0 ] || [ "${CI:-}" != true ] || set -- --trials 3 --waiting 0 --faults 10
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
for project in ../../src/RaftQueue RaftQueue.Failover.csproj; do
  dotnet build -c Release -v q -nologo "$project" >"$work/build" 2>&1 || { cat "$work/build"; echo "0 passed, 1 failed"; exit 1; }
done
bin/Release/net10.0/RaftQueue.Failover ../../src/RaftQueue/bin/Release/net10.0/raftqueue "$work" "$@"
