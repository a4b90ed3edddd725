#!/usr/bin/env bash
# Random faults against whole clusters in virtual time: the seeds that once failed, fixed ones, runs that FsCheck makes, and fresh seeds.
# Ends with "N passed, N failed"; a failure is printed with the command that replays it.
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build -c Release --nologo -v q . >/dev/null || { echo "FAILED  does not build"; echo "0 passed, 1 failed"; exit 1; }
# Fresh whenever the program, the simulator or a judge changes, and the same whenever the same sources are tested again.
first="$(find ../../src ../Simulation ../Checkers -name '*.cs' -not -path '*/obj/*' -not -path '*/bin/*' -print0 \
  | LC_ALL=C sort -z | xargs -0 cat | sha256sum | cut -c1-12)"
limit="${TIME_LIMIT_SECONDS:-1800}"
timeout "$limit" dotnet bin/Release/net10.0/RaftQueue.Simulation.dll --corpus seeds.txt --fixed "${FIXED_SEEDS:-500}" \
  --property "${PROPERTY_RUNS:-250}" --replay "$((16#$first))" --seeds "${FRESH_SEEDS:-750}" --first "$((16#$first))"
code=$?
if [ "$code" -eq 124 ]; then
  echo "FAILED  the seeds did not end within $limit s"
  echo "0 passed, 1 failed"
  exit 1
fi
exit "$code"
