# shellcheck shell=bash
# For bash-it and other managers of bash plugins. The program itself must be on PATH by the first prompt.
if [[ ${BASH_SOURCE[0]} = */* ]]; then
  # shellcheck source=shell/backlog-aws.bash
  \builtin source "${BASH_SOURCE[0]%/*}/shell/backlog-aws.bash"
else
  # shellcheck source=shell/backlog-aws.bash
  \builtin source ./shell/backlog-aws.bash
fi
