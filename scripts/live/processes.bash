# Daemons with a log and a pid file each, below $R (set by the script that sources this, as is PART, its name).
# shellcheck shell=bash

# start_time PID: when the process started, in clock ticks; nothing when it is gone or a zombie.
start_time() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
  # The command's name, in parentheses, may hold blanks: count from behind it (state is 1, start time 20).
  read -ra stat <<<"${stat##*) }"
  [ "${stat[0]}" = Z ] || echo "${stat[19]}"
}

# spawn NAME COMMAND…
spawn() {
  local name=$1
  shift
  mkdir -p "$R/log"
  # Its own session, so that it outlives this one; without the lock's descriptor, or the lock would last as long as it.
  setsid "$@" >"$R/log/$name.log" 2>&1 </dev/null 9>&- &
  echo "$! $(start_time $!)" >"$R/$name.pid"
}

# alive NAME: whether the process that `spawn NAME` started runs. The start time tells it from a later one with its number.
alive() {
  local pid started
  [ -f "$R/$1.pid" ] || return 1
  read -r pid started <"$R/$1.pid" || :
  [ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ]
}

all_alive() {
  local file
  for file in "$R"/*.pid; do alive "$(basename "$file" .pid)" || return 1; done
}

# wait_for WHAT NAME SECONDS COMMAND…: until COMMAND succeeds; fails with the log's end when process NAME dies or time is up.
wait_for() {
  local what=$1 name=$2 end=$((SECONDS + $3)) why
  shift 3
  until "$@" >/dev/null 2>&1; do
    why=
    alive "$name" || why="$name ended"
    [ $SECONDS -lt $end ] || why="time is up"
    if [ -n "$why" ]; then
      echo "--- the end of $R/log/$name.log" >&2
      tail -n 20 "$R/log/$name.log" >&2
      echo "---" >&2
      die "$what did not come up: $why (logs: $R/log; clean up: $HERE/$PART down)"
    fi
    sleep 0.1
  done
}

# stop NAME [SECONDS]: asks it to end; kills it after SECONDS (default 10).
stop() {
  local name=$1 left=$((${2:-10} * 20)) pid
  if alive "$name"; then
    read -r pid _ <"$R/$name.pid"
    kill "$pid" 2>/dev/null || :
    while alive "$name"; do
      left=$((left - 1))
      [ $left -gt 0 ] || { kill -KILL "$pid" 2>/dev/null || :; }
      sleep 0.05
    done
  fi
  rm -f "$R/$name.pid"
}
