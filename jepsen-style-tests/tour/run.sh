#!/usr/bin/env bash
# The tour over real input: a job for every regular file under a directory (the .NET SDK's own, a few thousand), three workers that
# run sha256sum on them, while the leader is killed with -9 twice and then all nodes at once. Afterwards every file must have exactly
# one succeeded job whose result is what sha256sum prints, and nothing may be left in the queue.
# Usage: run.sh [DIRECTORY [MOST-FILES]]. Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
. jepsen-style-tests/script.sh
input="${1:-$(dirname "$(readlink -f "$(command -v dotnet)")")/sdk}"
most="${2:-3000}"
port="${RAFTQUEUE_TOUR_PORT:-18501}"
dev_pid=""
workers=()

clean_up() {
  for worker in "${workers[@]}"; do end_process "$worker"; done
  [ -z "$dev_pid" ] || end_process "$dev_pid"
}

rq="$scratch/bin/raftqueue"

# Only a node's last process is alive; the cluster's own output names them all.
process_of() { grep "^node $1  process [0-9]*$" "$scratch/dev.log" | tail -1 | awk '{ print $4 }'; }

leader() { "$rq" cluster --json | grep -o '"leader":[0-9]*' | head -1 | cut -d: -f2; }

count() { # count STATE
  local number
  number="$("$rq" queues --json | grep '"name":"files"' | grep -o "\"$1\":[0-9]*" | head -1 | cut -d: -f2)"
  echo "${number:-0}"
}

has_succeeded() { [ "$(count succeeded)" -ge "$1" ]; }

until_succeeded() { await "$2" has_succeeded "$1"; } # until_succeeded NUMBER SECONDS

kill_leader() {
  local node
  node="$(leader)"
  [ -n "$node" ] && echo "        kill -9 of node $node" && kill -9 "$(process_of "$node")"
}

kill_all() {
  echo "        kill -9 of all nodes"
  kill -9 "$(process_of 1)" "$(process_of 2)" "$(process_of 3)"
}

is_sound() { "$rq" check "$scratch/data/node$1" >"$scratch/check$1.log" 2>&1 || { cat "$scratch/check$1.log"; return 1; }; }

one_each() { # every file's job: exactly one, succeeded, with the result that sha256sum prints
  local file="$scratch/ids" wrong=0
  [ "$(sort -u "$file" | wc -l)" -eq "$total" ] || { echo "        ids are not one a file"; return 1; }
  "$rq" job - --json <"$file" >"$scratch/jobs" || return 1
  wrong="$(grep -vc '"state":"succeeded"' "$scratch/jobs")"
  [ "$wrong" -eq 0 ] || { echo "        $wrong jobs have not succeeded"; return 1; }
  # A result is a JSON string; what escapes a file name may need are undone before the comparison.
  grep -o '"result":"[^"]*"' "$scratch/jobs" | sed 's/^"result":"//; s/\\n"$//' | sort >"$scratch/results"
  xargs -d '\n' sha256sum <"$scratch/files" | sort >"$scratch/expected"
  cmp "$scratch/results" "$scratch/expected"
}

publish "$scratch/bin"
# Names that JSON or sha256sum would have to escape are left out.
find "$input" -type f ! -name '*[\\"]*' 2>/dev/null | sort | awk -v most="$most" 'NR <= most' >"$scratch/files"
total="$(wc -l <"$scratch/files")"
[ "$total" -ge 100 ] || give_up "$input holds only $total files"
echo "== $total files under $input"

"$rq" dev --port "$port" --data "$scratch/data" --restart >"$scratch/dev.log" 2>&1 &
dev_pid=$!
export RAFTQUEUE_SERVER="http://127.0.0.1:$port,http://127.0.0.1:$((port + 1)),http://127.0.0.1:$((port + 2))"
await 60 grep -qs "nodes ready" "$scratch/dev.log" || give_up "three nodes start" "$scratch/dev.log"

enqueue() { "$rq" enqueue files - --text --json <"$scratch/files" 2>"$scratch/enqueue.log" | grep -o '"id":"[^"]*"' | cut -d'"' -f4 >"$scratch/ids"; }
check "a job for every file is enqueued" enqueue
check "every job has an id" test "$(wc -l <"$scratch/ids")" -eq "$total"
for worker in 1 2 3; do
  "$rq" work files --concurrency 2 --lease-ms 5000 --worker "worker-$worker" -- sha256sum {} >"$scratch/worker$worker.log" 2>&1 &
  workers+=($!)
done

check "the workers begin" until_succeeded $((total / 10)) 120
check "the leader is killed" kill_leader
check "work goes on" until_succeeded $((total * 3 / 10)) 120
check "the leader is killed again" kill_leader
check "work goes on again" until_succeeded $((total / 2)) 120
check "all nodes are killed" kill_all
check "work ends when they are back" until_succeeded "$total" 600
for worker in "${workers[@]}"; do kill "$worker"; done
for worker in "${workers[@]}"; do check "a worker stops when asked" wait "$worker"; done
workers=()
check "each file has one succeeded job with the right sum" one_each
check "no more jobs than files succeeded" test "$(count succeeded)" -eq "$total"
check "nothing is ready" test "$(count ready)" -eq 0
check "nothing is leased" test "$(count leased)" -eq 0
check "nothing is scheduled" test "$(count scheduled)" -eq 0
check "nothing is dead" test "$(count dead)" -eq 0
kill "$dev_pid"
wait "$dev_pid"
stopped=$?
dev_pid=""
check "the nodes stop when asked" test "$stopped" -eq 0
for node in 1 2 3; do check "node $node's directory is sound" is_sound "$node"; done
finish
