# What the live servers need of the machine, and how it is given back. Sourced by `kubernetes`, `docker`, `up` and `down`.
# shellcheck shell=bash

# Debian's daemons are in sbin, which a user's PATH may lack.
export PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
LIVE=${HOLDPOINT_LIVE:-/run/holdpoint-live}
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/holdpoint-live

# say WORDS…: progress, on stderr; stdout is for the env lines alone.
say() { echo "$PART: $*" >&2; }
die() { say "$*"; exit 1; }

check_machine() {
  [ "$(id -u)" = 0 ] || die "needs root (it mounts, makes network links and starts daemons)"
  [[ $LIVE =~ ^/[-_./[:alnum:]]+$ ]] || die "HOLDPOINT_LIVE must be an absolute path of letters, digits and -_. alone: $LIVE"
  # A Unix socket's path has at most 107 characters, and some lie deep below.
  [ "${#LIVE}" -le 48 ] || die "HOLDPOINT_LIVE is too long for the sockets below it (${#LIVE} characters, at most 48): $LIVE"
}

# lock NAME: one `up` or `down` of a part at a time, whichever checkout and state directory it has: ports and links are the machine's.
lock() {
  mkdir -p /run/lock
  exec 9>"/run/lock/holdpoint-live-$1"
  flock -n 9 || { say "another run is busy; waiting for it"; flock 9; }
}

# need_commands COMMAND:PACKAGE…: installs the Debian packages of the commands that are not there.
need_commands() {
  local pair missing=()
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  mkdir -p "$LIVE"
  if ! install_packages "${missing[@]}" >"$LIVE/apt.log" 2>&1; then
    tail -n 20 "$LIVE/apt.log" >&2
    die "apt could not install ${missing[*]} (above: the end of $LIVE/apt.log)"
  fi
  rm -f "$LIVE/apt.log"
}

install_packages() ( # a subshell, for the trap
  set -e
  mkdir -p /run/lock
  exec 8>/run/lock/holdpoint-live-apt
  flock 8
  # The packages' own services must not start: the live servers are ours, with their own sockets and state.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
  fi
  export DEBIAN_FRONTEND=noninteractive
  # The lock is not for what a package may start, hence 8>&-.
  apt-get -q update 8>&- 9>&-
  apt-get -qy -o DPkg::Lock::Timeout=300 install --no-install-recommends "$@" 8>&- 9>&-
)

# static_busybox: prints the path of a static busybox for images, fetched once. Unpacked, not installed: the package
# would push out the machine's own busybox.
static_busybox() {
  if [ ! -x "$CACHE/busybox" ]; then
    local dir
    mkdir -p "$CACHE"
    dir=$(mktemp -d "$CACHE/.busybox.XXXXXX")
    say "fetching busybox-static"
    (
      cd "$dir"
      apt-get -qq -o APT::Sandbox::User=root download busybox-static || { apt-get -qq update && apt-get -qq -o APT::Sandbox::User=root download busybox-static; }
      dpkg -x busybox-static_*.deb root
    ) >"$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; rm -rf "$dir"; die "could not fetch busybox-static"; }
    mv "$dir"/root/bin/busybox "$CACHE/busybox"
    rm -rf "$dir"
  fi
  echo "$CACHE/busybox"
}

# overlay_works DIR: whether overlayfs can be mounted over DIR's file system (not over another overlay, as in a container).
overlay_works() {
  local dir works=1
  dir=$(mktemp -d "$1/overlay.XXXXXX")
  mkdir "$dir"/{lower,upper,work,merged}
  if mount -t overlay overlay -o "lowerdir=$dir/lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/merged" 2>/dev/null; then
    umount "$dir/merged"
    works=0
  fi
  rm -rf "$dir"
  return $works
}

# unmount_below DIR: every mount below DIR, the deepest first.
unmount_below() {
  # /proc/mounts is read whole first: it changes while one unmounts.
  local mounts mount
  mounts=$(awk -v dir="$1/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r)
  for mount in $mounts; do umount -l "$mount" || :; done
}

# end_cgroup NAME: kills what runs in the cgroup NAME, of every controller (v1) or of the one tree (v2), and removes it.
end_cgroup() {
  local root roots pid left
  roots=$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$1" 2>/dev/null || :)
  for root in $roots; do
    for ((left = 20; left > 0; left--)); do
      # shellcheck disable=SC2044 # numbers
      for pid in $(find "$root" -name cgroup.procs -exec cat {} + 2>/dev/null); do kill -KILL "$pid" 2>/dev/null || :; done
      find "$root" -depth -type d -exec rmdir {} \; 2>/dev/null || :
      [ -d "$root" ] || break
      sleep 0.1 # a killed process leaves its cgroup a moment later
    done
    [ ! -d "$root" ] || say "the cgroup $root could not be removed"
  done
}

# end_shims SOCKET: containerd's shims outlive it by design; these are the ones that the containerd of SOCKET started.
end_shims() {
  local dir socket
  for dir in /proc/[0-9]*; do
    if grep -q '^containerd-shim' "$dir/comm" 2>/dev/null && tr '\0' '\n' <"$dir/cmdline" 2>/dev/null | grep -qxF -- "$1"; then
      kill -KILL "${dir#/proc/}" 2>/dev/null || :
    fi
  done
  # Every containerd of a machine has its shims' sockets here: remove those that nobody listens at.
  for socket in /run/containerd/s/*; do
    [ ! -S "$socket" ] || grep -qF "$socket" /proc/net/unix || rm -f "$socket"
  done
  rmdir /run/containerd/s /run/containerd 2>/dev/null || :
}
