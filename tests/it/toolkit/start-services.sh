#!/usr/bin/env bash
# Plays how the Backlog Toolkit's start script comes to credentials: the same rules in the same order, and nothing else of
# it. The rules were read in and tried on that script; they are told in docs/toolkit.md.
set -euo pipefail

settings=$HOME/.backlog-toolkit-env
credentials=$HOME/.aws/credentials
config=$HOME/.aws/config

# With containers: whatever AWS_PROFILE or `default` gives, as the AWS CLI sees it.
with_docker() {
  local profile=${AWS_PROFILE:-default} json
  aws sts get-caller-identity --profile "$profile" &>/dev/null || true
  json=$(aws configure export-credentials --profile "$profile" 2>/dev/null || true)
  if [[ $json == *AccessKeyId* ]]; then
    AWS_ACCESS_KEY_ID=$(field AccessKeyId "$json")
    AWS_SECRET_ACCESS_KEY=$(field SecretAccessKey "$json")
    AWS_SESSION_TOKEN=$(field SessionToken "$json")
    AWS_DEFAULT_REGION=$(aws configure get region --profile "$profile" 2>/dev/null || echo us-east-1)
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_DEFAULT_REGION
  fi
  exec docker compose up -d
}

field() { sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$2"; }

# The value of a line, in `found`. xargs takes blanks, quotes and backslashes away.
found=''
value_of() { # KEY LINE
  [[ $2 =~ ^$1[[:space:]]*=[[:space:]]*(.+)$ ]] || return 1
  found=$(xargs <<<"${BASH_REMATCH[1]}" 2>/dev/null) || true
}

header_of() { if [[ $1 == default ]]; then echo '[default]'; else echo "[profile $1]"; fi; }

# What `read` returns for a last line without a line end makes each loop leave it out.
signs_in() { # PROFILE
  local inside='' line header
  header=$(header_of "$1")
  [[ -f $config ]] || return 1
  while IFS= read -r line; do
    if [[ $line =~ ^\[[^]]+\] ]]; then
      inside=''
      [[ $line != "$header" ]] || inside=yes
    elif [[ -n $inside && $line =~ ^sso_(session|start_url) ]]; then
      return 0
    fi
  done <"$config"
  return 1
}

# The name is a regular expression here.
has_key() { # PROFILE
  awk -v name="$1" '
    /^\[/ { inside = $0 ~ "^\\[" name "\\]$" }
    inside && /^aws_access_key_id/ { found = 1 }
    END { exit !found }' "$credentials"
}

first_with_keys() {
  local name='' id='' secret='' line
  while IFS= read -r line; do
    if [[ $line =~ ^\[([^]]+)\] ]]; then
      [[ -z $name || -z $id || -z $secret ]] || break
      name=${BASH_REMATCH[1]} id='' secret=''
    elif [[ $line == aws_access_key_id* ]]; then
      id=yes
    elif [[ $line == aws_secret_access_key* ]]; then
      secret=yes
    fi
  done <"$credentials"
  [[ -n $name && -n $id && -n $secret ]] && echo "$name"
}

read_keys() { # PROFILE
  local inside='' line
  while IFS= read -r line; do
    if [[ $line =~ ^\[([^]]+)\] ]]; then
      inside=''
      [[ ${BASH_REMATCH[1]} != "$1" ]] || inside=yes
    elif [[ -n $inside ]] && value_of aws_access_key_id "$line"; then
      AWS_ACCESS_KEY_ID=$found
    elif [[ -n $inside ]] && value_of aws_secret_access_key "$line"; then
      AWS_SECRET_ACCESS_KEY=$found
    fi
  done <"$credentials"
}

read_region() { # PROFILE
  local inside='' line header
  header=$(header_of "$1")
  while IFS= read -r line; do
    if [[ $line =~ ^\[[^]]+\] ]]; then
      inside=''
      [[ $line != "$header" ]] || inside=yes
    elif [[ -n $inside ]] && value_of region "$line"; then
      AWS_REGION=$found
    fi
  done <"$config"
}

from_files() {
  local profile=${BACKLOG_AWS_PROFILE:-${AWS_PROFILE:-}}
  [[ -f $credentials ]] || return 0
  # Single sign-on is asked of the AWS CLI in a format that it does not know, so it gives nothing.
  if [[ -n $profile ]] && { signs_in "$profile" || ! has_key "$profile"; }; then
    profile=''
  fi
  # `default` is not found by its name: the search ends on the line on which it begins.
  [[ -n $profile ]] || profile=$(first_with_keys) || return 0
  read_keys "$profile"
  if [[ -n ${AWS_ACCESS_KEY_ID:-} && -f $config ]]; then read_region "$profile"; fi
}

# Whether a variable has nothing, and the file mentions it, be it in a comment.
is_blank() { # NAME
  local value=${!1:-}
  [[ -z $value || $value == "''" ]] && grep -q "$1" "$settings"
}

natively() {
  if [[ -f $settings ]]; then
    # shellcheck source=/dev/null
    source "$settings"
    if is_blank AWS_ACCESS_KEY_ID || is_blank AWS_SECRET_ACCESS_KEY; then
      from_files
    fi
  fi
  local id=${AWS_ACCESS_KEY_ID:-} secret=${AWS_SECRET_ACCESS_KEY:-} anthropic=${ANTHROPIC_API_KEY:-}
  if [[ (-z $anthropic || $anthropic == "''") && (-z $id || $id == "''" || -z $secret || $secret == "''") ]]; then
    echo 'No API credentials found' >&2
    exit 1
  fi
  # A quote in a value ends its quotes here.
  local given=''
  if [[ -n $id ]]; then
    given="AWS_ACCESS_KEY_ID='$id' AWS_SECRET_ACCESS_KEY='$secret' AWS_REGION='${AWS_REGION:-us-east-1}'"
    [[ -z ${AWS_SESSION_TOKEN:-} ]] || given+=" AWS_SESSION_TOKEN='$AWS_SESSION_TOKEN'"
  fi
  [[ -z $anthropic ]] || given+=" ANTHROPIC_API_KEY='$anthropic'"
  eval "exec env $given litellm"
}

compose=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/docker-compose.yml
if [[ ${BACKLOG_NATIVE_MODE:-} != true && -f $compose ]] && docker info &>/dev/null; then
  with_docker
fi
natively
