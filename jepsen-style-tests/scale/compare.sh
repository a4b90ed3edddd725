#!/usr/bin/env bash
# What a scheduled job of 100 bytes weighs in a Redis sorted set and in a PostgreSQL table with an index on its time, with the
# programs that Debian's packages redis-server and postgresql install. Usage: compare.sh [JOBS, default 1000000].
# Redis: ZADD scheduled TIME PAYLOAD; the growth of used_memory. PostgreSQL: (id, queue, run_at, attempt, payload); heap and indexes
# after VACUUM FULL would flatter it, so they are measured as COPY leaves them.
set -euo pipefail
jobs="${1:-1000000}"
work="$(mktemp -d)"
redis=""
database=""
postgres_bin="$(ls -d /usr/lib/postgresql/*/bin | tail -1)"
as_postgres() { if [ "$(id -u)" -eq 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
stop() {
  [ -z "$redis" ] || kill "$redis" 2>/dev/null || true
  [ -z "$database" ] || as_postgres "$postgres_bin/pg_ctl" -D "$work/pg" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap stop EXIT
chmod 711 "$work"

# Times over 30 days from a fixed congruential generator, payloads all different and 100 bytes long.
rows() {
  awk -v jobs="$jobs" 'BEGIN { x = 1; for (i = 1; i <= jobs; i++) { x = (x * 69069 + 1) % 4294967296; printf "%.0f %s%0100d\n", 1700000000000 + x % 2592000000, "", i } }'
}

redis-server --port 0 --unixsocket "$work/redis.sock" --save '' --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
redis=$!
memory() { redis-cli -s "$work/redis.sock" info memory | tr -d '\r' | sed -n 's/^used_memory://p'; }
for _ in $(seq 100); do redis-cli -s "$work/redis.sock" ping >/dev/null 2>&1 && break; sleep 0.1; done
before="$(memory)"
rows | awk '{ printf "ZADD scheduled %s %s\n", $1, $2 }' | redis-cli -s "$work/redis.sock" --pipe >"$work/pipe.log"
stored="$(redis-cli -s "$work/redis.sock" zcard scheduled)"
after="$(memory)"
[ "$stored" -eq "$jobs" ] || { echo "Redis stored $stored of $jobs"; exit 1; }
echo "Redis $(redis-server --version | sed 's/.* v=\([^ ]*\).*/\1/'), sorted set: $(((after - before) / jobs)) bytes of memory a job"
kill "$redis"; redis=""

mkdir "$work/pg"
[ "$(id -u)" -ne 0 ] || chown postgres "$work/pg"
as_postgres "$postgres_bin/initdb" -D "$work/pg" -A trust >"$work/initdb.log"
as_postgres "$postgres_bin/pg_ctl" -D "$work/pg" -o "-k $work/pg -c listen_addresses=''" -w -l "$work/pg/log" start >/dev/null
database=started
sql() { as_postgres "$postgres_bin/psql" -h "$work/pg" -d postgres -qtAX "$@"; }
sql -c "create table jobs (id bigserial primary key, queue smallint not null, run_at bigint not null, attempt smallint not null, payload text not null)" \
    -c "create index jobs_run_at on jobs (queue, run_at)"
rows | awk '{ printf "1\t%s\t0\t%s\n", $1, $2 }' | sql -c "copy jobs (queue, run_at, attempt, payload) from stdin"
count="$(sql -c "select count(*) from jobs")"
size="$(sql -c "select pg_total_relation_size('jobs')")"
[ "$count" -eq "$jobs" ] || { echo "PostgreSQL stored $count of $jobs"; exit 1; }
echo "PostgreSQL $(sql -c "show server_version"), table, primary key and index on (queue, run_at): $((size / jobs)) bytes on disk a job"
