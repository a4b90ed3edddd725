#!/usr/bin/env bash
# A real cluster of three processes full of scheduled jobs: what they weigh, what leasing and scheduling them again costs, a million
# that fall due together, restarts, and an empty node in place of a lost one. Times are printed, not judged; judged are the counts of
# jobs, resident memory against the budget, and the directory at the end. Options: --jobs N (1000000), --few N (100000),
# --budget MiB (1024), --rate N (10000), --seconds N (60), --same-second N (1000000; 0 leaves that out), --port N.
# --compare N first weighs N such jobs in Redis and PostgreSQL (compare.sh; Debian's redis-server and postgresql).
# --keep DIR keeps what is printed, the nodes' logs and a sample of GET /v1/cluster a second (many/clusterN.jsonl) there; data is deleted.
# In CI, without options, a short run. Ends with one line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
[ $# -gt 0 ] || [ "${CI:-}" != true ] || set -- --jobs 200000 --few 200000 --budget 64 --rate 2000 --seconds 5 --same-second 50000
keep=""
compare=""
options=()
while [ $# -gt 0 ]; do
  case "$1" in
    --keep) keep="$2"; shift 2 ;;
    --compare) compare="$2"; shift 2 ;;
    *) options+=("$1"); shift ;;
  esac
done
if [ -n "$keep" ]; then
  mkdir -p "$keep"
  work="$(cd "$keep" && pwd)"
  options+=(--samples)
  trap 'rm -rf "$work"/few/node? "$work"/many/node? "$work"/build' EXIT
  exec > >(tee "$work/output.txt")
else
  work="$(mktemp -d)"
  trap 'rm -rf "$work"' EXIT
fi
for project in ../../src/RaftQueue RaftQueue.Scale.csproj; do
  dotnet build -c Release -v q -nologo "$project" >"$work/build" 2>&1 || { cat "$work/build"; echo "0 passed, 1 failed"; exit 1; }
done
if [ -n "$compare" ]; then ./compare.sh "$compare" || { echo "0 passed, 1 failed"; exit 1; }; fi
bin/Release/net10.0/RaftQueue.Scale ../../src/RaftQueue/bin/Release/net10.0/raftqueue "$work" ${options[@]+"${options[@]}"}
