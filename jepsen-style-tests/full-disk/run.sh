#!/usr/bin/env bash
# Three real nodes on one small filesystem that fills up: new work is refused, what was leased can be finished, and when there is room
# again everything goes on; nothing confirmed is lost. Needs root (it mounts a tmpfs). Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
. jepsen-style-tests/script.sh
port="${RAFTQUEUE_FULL_DISK_PORT:-18561}"
disk="$scratch/disk"
dev_pid=""

clean_up() {
  [ -z "$dev_pid" ] || end_process "$dev_pid"
  ! mountpoint -q "$disk" || umount "$disk"
}

# post PATH BODY: the status; the reply's body is in $scratch/reply, its head in $scratch/head.
post() {
  curl -sS -m 30 -D "$scratch/head" -o "$scratch/reply" -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "$2" \
    "http://127.0.0.1:$((port + ${3:-0}))$1" 2>"$scratch/curl.err" || echo 000
}

has_code() { grep -q "\"code\":\"$1\"" "$scratch/reply"; }

count() { # count STATE
  curl -sf -m 10 "http://127.0.0.1:$port/v1/queues/full" | grep -o "\"$1\":[0-9]*" | head -1 | cut -d: -f2
}

all_ready() {
  local node
  for node in 0 1 2; do curl -sf -m 2 "http://127.0.0.1:$((port + node))/healthz/ready" >/dev/null || return 1; done
}

start_nodes() {
  "$scratch/bin/raftqueue" dev --port "$port" --peer-port "$((port + 10))" --data "$disk" >>"$scratch/dev.log" 2>&1 &
  dev_pid=$!
  await 60 all_ready
}

stop_nodes() {
  end_process "$dev_pid"
  local code=$?
  dev_pid=""
  return "$code"
}

publish "$scratch/bin"
mkdir "$disk" && mount -t tmpfs -o size=900m tmpfs "$disk" || give_up "a tmpfs is mounted"
start_nodes || give_up "the nodes become ready" "$scratch/dev.log"

# Twelve small jobs, leased for long: what must be finished while the disk is full.
post /v1/queues/full/jobs "{\"jobs\":[$(for i in $(seq 1 12); do printf '%s{"payload":%d}' "$([ "$i" -eq 1 ] || echo ,)" "$i"; done)]}" >/dev/null
post /v1/leases '{"queues":["full"],"maxJobs":12,"leaseMs":3600000}' >/dev/null
mapfile -t tokens < <(grep -o '"token":"[^"]*"' "$scratch/reply" | cut -d'"' -f4)
check "twelve jobs are leased" [ "${#tokens[@]}" -eq 12 ]

{ printf '{"payload":"'; head -c 900000 /dev/zero | tr '\0' x; printf '"}'; } >"$scratch/big"
confirmed=0
refused=0
for i in $(seq 1 600); do
  status="$(post /v1/queues/full/jobs "@$scratch/big" $((i % 3)))"
  if [ "$status" = 201 ]; then confirmed=$((confirmed + 1)); continue; fi
  if [ "$status" = 503 ] && has_code overloaded; then refused=$((refused + 1)); fi
  [ "$status" != 503 ] || [ "$refused" -ge 5 ] && break
done
check "enqueues are confirmed while there is room ($confirmed)" [ "$confirmed" -gt 20 ]
check "without room they are 503 overloaded ($refused)" [ "$refused" -ge 5 ]
check "the reply says when to try again" grep -qi '^retry-after: [0-9]' "$scratch/head"
check "every node still runs" await 10 all_ready

finished=0
for token in "${tokens[@]:0:10}"; do
  [ "$(post /v1/leases/ack "{\"acks\":[{\"token\":\"$token\",\"result\":1}]}" $((finished % 3)))" = 200 ] && grep -q '"status":"ok"' "$scratch/reply" && finished=$((finished + 1))
done
check "acks are taken while the disk is full ($finished of 10)" [ "$finished" -eq 10 ]
check "so is a nack" [ "$(post /v1/leases/nack "{\"nacks\":[{\"token\":\"${tokens[10]}\",\"dead\":true}]}")" = 200 ]
check "and an extend" [ "$(post /v1/leases/extend "{\"extends\":[{\"token\":\"${tokens[11]}\",\"leaseMs\":3600000}]}")" = 200 ]
check "the finished jobs are counted" [ "$(count succeeded)" = 10 ]

check "all nodes end in order on the full disk" stop_nodes
dd if=/dev/zero of="$disk/filler" bs=4k 2>/dev/null
no_block() { [ "$(df --output=avail -B1 "$disk" | tail -1)" -eq 0 ]; }
check "not one block is free" no_block
check "the nodes start nevertheless" start_nodes
check "and take the last ack" [ "$(post /v1/leases/ack "{\"acks\":[{\"token\":\"${tokens[11]}\"}]}" 1)" = 200 ]
check "which counts" [ "$(count succeeded)" = 11 ]
check "new work is still refused" [ "$(post /v1/queues/full/jobs '{"payload":1}')" = 503 ]

mount -o remount,size=3g "$disk"
works_again() { [ "$(post /v1/queues/full/jobs '{"payload":"room"}')" = 201 ]; }
check "with room again enqueues are confirmed by themselves" await 30 works_again
check "all nodes end in order" stop_nodes
for node in 1 2 3; do
  check "the directory of node $node is sound" "$scratch/bin/raftqueue" check "$disk/node$node" >/dev/null 2>&1
done
start_nodes || give_up "the nodes become ready again" "$scratch/dev.log"
stored() { [ "$(count ready)" = "$((confirmed + 1))" ]; }
check "after a restart every confirmed job is there ($((confirmed + 1)), found $(count ready))" await 10 stored
check "and the finished ones are finished" [ "$(count succeeded)" = 11 ]
check "and the dead one is dead" [ "$(count dead)" = 1 ]
finish
