#!/usr/bin/env bash
# The canary: an error that the kernel gives to fdatasync or fsync must end the log, with nothing reported for it and no
# second try, and a later start must still hold all that was reported. Errors come from an LD_PRELOAD shim and, where strace
# is there and may trace, from the system call itself. Needs gcc. Ends with one line "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

check() { # meaning, then a command that must succeed
  local meaning="$1"
  shift
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $meaning"
  fi
}

finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit $?
}

last_reported() { sed -n 's/^reported \([0-9][0-9]*\)$/\1/p' "$1" | tail -n 1; }

recovered() { sed -n 's/^recovered \([0-9]*\) damage none$/\1/p' "$1"; }

# Starts once more without faults: nothing that was reported may be missing.
check_after() { # meaning, directory, output of the failed run, entries held before
  local before
  before="$(last_reported "$3")"
  dotnet "$canary" "$2" 1 >"$work/after"
  check "$1: a later start works" [ $? -eq 0 ]
  check "$1: what was reported is there" [ "$(recovered "$work/after" | grep . || echo -1)" -ge "${before:-$4}" ]
}

dotnet build -c Release -v q -nologo -o "$work/bin" RaftQueue.Canary.csproj >"$work/build" 2>&1 || { cat "$work/build"; failed=1; finish; }
canary="$work/bin/RaftQueue.Canary.dll"
gcc -shared -fPIC -O1 -o "$work/failsync.so" failsync.c -ldl || { failed=1; finish; }

dotnet "$canary" "$work/control" 20 >"$work/out"
check "control: a run without faults ends well" [ $? -eq 0 ]
check "control: all is reported" [ "$(last_reported "$work/out")" = 20 ]

for errno in 5 28 122; do
  for at in 1 4 9; do
    directory="$work/preload-$errno-$at"
    dotnet "$canary" "$directory" 10 >/dev/null
    LD_PRELOAD="$work/failsync.so" FAILSYNC_CALL=fdatasync FAILSYNC_AT="$((at + 9))" FAILSYNC_ERRNO="$errno" \
      dotnet "$canary" "$directory" 20 >"$work/out" 2>"$work/err"
    check "fdatasync errno $errno: the log ends" [ $? -eq 3 ]
    check "fdatasync errno $errno: the error is named" grep -qx "stopped fdatasync $errno" "$work/out"
    check "fdatasync errno $errno: not everything is reported" [ "$(last_reported "$work/out" | grep . || echo 0)" -lt 30 ]
    check "fdatasync errno $errno: no second try" [ ! -s "$work/err" ]
    check_after "fdatasync errno $errno" "$directory" "$work/out" 10
  done
done

# Whoever else syncs the same file later gets the error too, though the system call would say that all is well.
LD_PRELOAD="$work/failsync.so" FAILSYNC_CALL=fdatasync FAILSYNC_AT=1 FAILSYNC_ERRNO=5 \
  dotnet "$canary" "$work/shared" twice >"$work/out" 2>"$work/err"
check "two syncs of a file: both fail" grep -qx "fdatasync 5, then fdatasync 5" "$work/out"
check "two syncs of a file: no second call" [ ! -s "$work/err" ]

LD_PRELOAD="$work/failsync.so" FAILSYNC_CALL=fsync FAILSYNC_AT=2 FAILSYNC_ERRNO=5 \
  dotnet "$canary" "$work/directory" 5 >"$work/out" 2>/dev/null
check "fsync of a directory: the log ends" [ $? -eq 3 ]
check "fsync of a directory: the error is named" grep -qx "stopped fsync 5" "$work/out"

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
  for at in 13 17; do
    directory="$work/strace-$at"
    dotnet "$canary" "$directory" 10 >/dev/null
    strace -f -qq -o "$work/trace" -e trace=fdatasync -e inject=fdatasync:error=EIO:when="$at" \
      dotnet "$canary" "$directory" 20 >"$work/out"
    check "strace: the log ends" [ $? -eq 3 ]
    check "strace: the error was injected" grep -q INJECTED "$work/trace"
    check "strace: no sync after it" [ "$(sed -n '/INJECTED/,$p' "$work/trace" | grep -c fdatasync)" = 1 ]
    check_after "strace" "$directory" "$work/out" 10
  done
else
  echo "strace cannot trace here: only the preloaded shim was used"
fi

finish
