#!/usr/bin/env bash
# Stands in for the toolkit's start script: it sources the user's file, whatever it says, and starts the services.
set -eu
if [ -f "$HOME/.backlog-toolkit-env" ]; then
    # shellcheck source=/dev/null
    . "$HOME/.backlog-toolkit-env"
fi
exec "$@"
