# What cross/setup, scripts/build and cross/check share. Sourced, not run.
# shellcheck shell=bash disable=SC2034
# shellcheck source=scripts/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/setup.sh"

# Outside of target/, so that it outlives `cargo clean` and serves every checkout.
PREFIX=${MUSL_PREFIX:-${XDG_CACHE_HOME:-$HOME/.cache}/routeros-mcp-cross}
# Debian's rustc, unpacked.
ROOT_DEB=$PREFIX/root
RUSTLIB=$ROOT_DEB/usr/lib/rustlib
ZIG=$PREFIX/zig/ziglang/zig

all_targets() { (cd "$ROOT/cross/targets" && for f in *.env; do echo "${f%.env}"; done); }

# describe TARGET: sets TARGET and what cross/targets/TARGET.env says of it.
describe() {
    TARGET=$1
    if [ ! -e "$ROOT/cross/targets/$TARGET.env" ]; then
        say "no target called $TARGET; there are:" && all_targets >&2
        exit 64
    fi
    RUST_FLAGS=
    # shellcheck source=cross/targets/x86_64-unknown-linux-musl.env
    . "$ROOT/cross/targets/$TARGET.env"
}

rustup_has() { [ -e "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$1/lib/self-contained/libc.a" ]; }

# rustup's where it has the target, else the one that cross/setup unpacked.
compiler_for() { if rustup_has "$1"; then rustup which rustc 2>/dev/null || command -v rustc; else echo "$PREFIX/bin/rustc"; fi; }
