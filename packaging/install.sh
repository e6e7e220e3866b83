#!/bin/sh
# Installs a release of backlog-aws for this user: checks the archive against its checksum, then puts the program and its
# manual pages below ~/.local. `install.sh --help` says more.

set -eu

repository=https://github.com/backlog-aws/backlog-aws

usage() {
	cat <<'EOF'
Usage: install.sh [--prefix DIR] [VERSION]

Installs backlog-aws VERSION, or the newest release, below DIR, by default
~/.local. Your shell's start-up files are not touched; what to run next is
printed at the end.

BACKLOG_AWS_RELEASES=URL takes the files from URL, which has a directory vVERSION
for each release.
EOF
}

die() {
	echo "install.sh: $*" >&2
	exit 1
}

prefix=$HOME/.local
version=
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help)
		usage
		exit 0
		;;
	--prefix)
		[ $# -gt 1 ] || die "--prefix needs a directory"
		prefix=$2
		shift
		;;
	-*) die "unknown option $1; see install.sh --help" ;;
	*) version=${1#v} ;;
	esac
	shift
done

case $(uname -s) in
Linux) system=unknown-linux-gnu ;; # static, so it runs on any Linux
Darwin) system=apple-darwin ;;
*) die "no release for $(uname -s); build it: cargo install --locked --git $repository" ;;
esac
case $(uname -m) in
x86_64 | amd64) machine=x86_64 ;;
aarch64 | arm64) machine=aarch64 ;;
*) die "no release for $(uname -m); build it: cargo install --locked --git $repository" ;;
esac
command -v curl >/dev/null || die "curl is missing"

# Only HTTPS, also when the server sends us elsewhere. Files are for trials.
fetch() {
	curl -q --proto '=https,file' --proto-redir '=https' --tlsv1.2 -fsSL "$@"
}

if [ -z "$version" ]; then
	# The newest release is where this page leads to.
	page=$(fetch -o /dev/null -w '%{url_effective}' "$repository/releases/latest") || die "no answer from $repository"
	version=${page##*/v}
	case $version in
	[0-9]*.[0-9]*.[0-9]*) ;;
	*) die "no release found at $page; name a version" ;;
	esac
fi

name=backlog-aws-$version-$machine-$system
from=${BACKLOG_AWS_RELEASES:-$repository/releases/download}/v$version
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
for file in "$name.tar.gz" SHA256SUMS; do
	fetch -o "$directory/$file" "$from/$file" || die "cannot get $from/$file"
done
(
	cd "$directory"
	grep "^[0-9a-f]* [ *]$name\.tar\.gz\$" SHA256SUMS >expected || die "$from/SHA256SUMS does not name $name.tar.gz"
	{ sha256sum -c expected || shasum -a 256 -c expected; } >/dev/null 2>&1 ||
		die "the checksum of $name.tar.gz is wrong; nothing was installed"
	tar -xzf "$name.tar.gz"
)

mkdir -p "$prefix/bin" "$prefix/share/man/man1"
cp "$directory/$name"/man/*.1 "$prefix/share/man/man1"
# Renamed into place: a shell may be running the old one.
cp "$directory/$name/backlog-aws" "$prefix/bin/.backlog-aws.$$"
chmod 755 "$prefix/bin/.backlog-aws.$$"
mv -f "$prefix/bin/.backlog-aws.$$" "$prefix/bin/backlog-aws"

echo "Installed $("$prefix/bin/backlog-aws" --version) as $prefix/bin/backlog-aws."
case :$PATH: in
*":$prefix/bin:"*) ;;
*) echo "$prefix/bin is not on your PATH; add it in your shell's start-up file." ;;
esac
echo "Next: backlog-aws setup"
