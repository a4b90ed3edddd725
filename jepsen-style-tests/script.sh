# Sourced by the scripts that start the program for real, from the repository's root: counts checks and ends with "N passed, N failed".
# A script may define clean_up (ends what it started, whatever happened) and tell_more (after a failed check).
set -uo pipefail
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
scratch="$(mktemp -d)"
passed=0
failed=0

clean_up() { :; }

tell_more() { :; }

check() { # check NAME COMMAND…
  local name="$1"
  shift
  if "$@"; then
    passed=$((passed + 1))
    echo "ok      $name"
  else
    failed=$((failed + 1))
    echo "FAILED  $name"
    tell_more
  fi
}

finish() {
  clean_up
  [ "$failed" -eq 0 ] && rm -rf "$scratch" || echo "see $scratch"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit $?
}

give_up() { # give_up WHAT-WAS-TO-HAPPEN [FILE-THAT-SAYS-MORE]
  echo "FAILED  $1"
  failed=$((failed + 1))
  [ ! -f "${2:-}" ] || tail -20 "$2"
  finish
}

await() { # await SECONDS COMMAND…: until it holds
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.2
  done
}

publish() { # publish DIRECTORY: the program, as it is shipped
  dotnet publish src/RaftQueue -c Release -v q -nologo -o "$1" >"$scratch/publish.log" 2>&1 || give_up "the program is published" "$scratch/publish.log"
}

end_process() { # end_process PID: asks it to end, and waits
  kill "$1" 2>/dev/null && wait "$1" 2>/dev/null
}
