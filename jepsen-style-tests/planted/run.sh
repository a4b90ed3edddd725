#!/usr/bin/env bash
# Plants the likeliest mistakes one by one in a test build of its own and proves that the simulation catches each, says by which
# property and after how many runs, and that a failure shrinks to a handful of faults. Ends with one line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/../.."
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
dotnet build -c Planted -v q -nologo jepsen-style-tests/Simulation || { echo "0 passed, 1 failed"; exit 1; }
exec dotnet run -c Planted --no-build --project jepsen-style-tests/Simulation -- --planted "$@"
