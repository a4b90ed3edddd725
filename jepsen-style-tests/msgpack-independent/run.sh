#!/usr/bin/env bash
# Holds the MessagePack reader and writer against an implementation by other people, in JavaScript. The .NET tests hold the
# same vectors against ours. Needs node and npm. Ends with "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/../../tests/RaftQueue.MessagePack.Tests/independent"
npm ci --silent --no-fund --no-audit >&2
node check.mjs
