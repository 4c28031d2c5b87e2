#!/bin/bash
# session.sh CMD...: runs CMD in a D-Bus session of its own with GNOME Keyring's Secret Service; no display.
# Collections are kept below $HOME, so a second session finds what a first one stored.
# What the bus and the daemon say is thrown away.
#   KEYRING_PASSWORD  unlocks the login collection, and makes it the first time; without it, everything stays locked
set -eu
XDG_RUNTIME_DIR=$(mktemp -d)
export XDG_RUNTIME_DIR
trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
unset DISPLAY WAYLAND_DISPLAY DBUS_SESSION_BUS_ADDRESS

# The daemon would outlive the bus, so it is ended by its own process id.
# shellcheck disable=SC2016
dbus-run-session -- bash -c '
    owned() {
        dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
            string:org.freedesktop.secrets 2>/dev/null | grep -q "boolean true"
    }
    if [ -n "${KEYRING_PASSWORD-}" ]; then
        gnome-keyring-daemon --foreground --components=secrets --unlock <<<"$KEYRING_PASSWORD" >/dev/null 2>&1 &
    else
        gnome-keyring-daemon --foreground --components=secrets >/dev/null 2>&1 &
    fi
    daemon=$!
    unset KEYRING_PASSWORD
    for _ in $(seq 200); do owned && break; sleep 0.05; done
    status=0
    "$@" 2>&3 3>&- || status=$?
    kill "$daemon"
    wait "$daemon" || :
    exit "$status"
' -- "$@" 3>&2 2>/dev/null
