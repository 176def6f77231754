#!/usr/bin/env bash
# A PostgreSQL server for the tests on 127.0.0.1:5432, unless one answers there or MOULT_TEST_POSTGRES names another. As
# root on Debian it is installed where it is missing, and runs as the user postgres.
set -euo pipefail

answers() { (: <>/dev/tcp/127.0.0.1/5432) 2>/dev/null; }

[ -n "${MOULT_TEST_POSTGRES:-}" ] && exit 0
answers && exit 0

newest() { ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1; }
if [ -z "$(newest)" ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends postgresql >/dev/null
fi
bin=$(newest)
data=$(mktemp -d /tmp/moult-postgres-XXXXXX)

as_postgres() {
  if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi
}

[ "$(id -u)" = 0 ] && chown postgres "$data"
as_postgres "$bin/initdb" -D "$data/db" -A trust -U postgres >/dev/null
as_postgres "$bin/pg_ctl" -D "$data/db" -w -l "$data/log" \
  -o "-c listen_addresses=127.0.0.1 -c port=5432 -c unix_socket_directories=$data" start >/dev/null
answers
