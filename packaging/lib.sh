# shellcheck shell=sh disable=SC2034 # whoever sources it uses them
# Facts that the packaging scripts share. Sourced from the repository's root.

package=backlog-aws
repository=$(sed -n 's/^repository = "\(.*\)"$/\1/p' Cargo.toml)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)

# The tools of cargo that releases are made with.
DENY=0.20.2
CYCLONEDX=0.5.9
GENERATE_RPM=0.21.1

die() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# The triple that cargo builds for here.
host() {
	rustc -vV | sed -n 's/^host: //p'
}

# Builds a subcommand of cargo unless it is there: NAME VERSION. It is put below $TOOLS, outside of the system.
cargo_tool() {
	TOOLS=${TOOLS-$PWD/target/tools}
	PATH=$TOOLS/bin:$PATH
	[ -x "$TOOLS/bin/$1" ] || cargo install --quiet --locked --debug --root "$TOOLS" --target-dir "$TOOLS/build" "$1@$2"
}

# Installs what belongs to the binary below $1, in the places of the Filesystem Hierarchy Standard.
# $2: the directory for zsh's functions, which differs between systems.
install_data() {
	install -d "$1/usr/share/man/man1" "$1/usr/share/bash-completion/completions" "$1/$2" \
		"$1/usr/share/fish/vendor_completions.d"
	install -m 644 man/*.1 "$1/usr/share/man/man1"
	install -m 644 completions/$package.bash "$1/usr/share/bash-completion/completions/$package"
	install -m 644 completions/_$package "$1/$2/_$package"
	install -m 644 completions/$package.fish "$1/usr/share/fish/vendor_completions.d/$package.fish"
}
