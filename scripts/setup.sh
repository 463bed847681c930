# What the shell scripts share: where things are, what the machine must have, steps with their time.
# Sourced, not run. Everything that is installed goes below target/, except Debian packages (and those only as root).
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TARGET_DIR=${CARGO_TARGET_DIR:-$ROOT/target}
# Cargo is often installed for a user whose shell profile was not read here (CI, cron).
PATH=$TARGET_DIR/tools/bin:$PATH:$HOME/.cargo/bin
export PATH

say() { printf '%s\n' "$*" >&2; }

# A newest-first comparison that needs no other program than sort: is version $1 at least $2?
at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

# need_build_tools [CARGO-COMPONENT…]: what no script can install by itself. Names everything that is missing at once, then gives up.
need_build_tools() {
    local missing=() wanted have component
    wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$ROOT/Cargo.toml")
    if ! command -v cargo >/dev/null; then
        missing+=("cargo, Rust $wanted or newer: https://rustup.rs")
    else
        have=$(rustc --version 2>/dev/null | cut -d' ' -f2)
        at_least "${have:-0}" "$wanted" || missing+=("Rust $wanted or newer (here: ${have:-no rustc}): rustup update stable")
        for component in "$@"; do
            cargo "$component" --version >/dev/null 2>&1 || add_component "$component" ||
                missing+=("cargo $component: rustup component add $(component_name "$component")")
        done
    fi
    command -v cc >/dev/null || missing+=("a C compiler called cc: apt-get install gcc libc6-dev")
    [ ${#missing[@]} -eq 0 ] && return 0
    say "This needs, and does not find:"
    printf '  - %s\n' "${missing[@]}" >&2
    exit 69
}

component_name() { if [ "$1" = fmt ]; then echo rustfmt; else echo "$1"; fi; }

add_component() {
    command -v rustup >/dev/null || return 1
    say "  adding $(component_name "$1") to the Rust toolchain"
    rustup component add "$(component_name "$1")" >/dev/null 2>&1 && cargo "$1" --version >/dev/null 2>&1
}

# Debian packages, as root or by a sudo that asks nothing.
apt_install() {
    local as=()
    command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" -ne 0 ]; then
        sudo -n true 2>/dev/null || return 1
        as=(sudo -n)
    fi
    say "  installing $* with apt-get"
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >/dev/null
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@" >/dev/null
}

# Registries are far away: three tries.
patiently() {
    local try
    for try in 1 2 3; do
        "$@" && return 0
        say "  try $try of 3 failed: $*"
    done
    return 1
}

# --- steps ---------------------------------------------------------------------------------------

STEP=0
STEPS=0
FAILED=0
REPORT=()
BEGAN=$SECONDS

# step NAME COMMAND…: runs one numbered step and remembers its time and outcome. Gives the command's exit code.
# A step that fails without counting a failed test counts as one failure itself.
step() {
    local name=$1 from=$SECONDS failed_before=$FAILED code=0
    shift
    STEP=$((STEP + 1))
    printf '\n[%d/%d] %s\n' "$STEP" "$STEPS" "$name"
    "$@" || code=$?
    if [ "$code" -eq 0 ]; then
        REPORT+=("$(printf '%6d s  ok    %s' $((SECONDS - from)) "$name")")
    else
        REPORT+=("$(printf '%6d s  FAIL  %s' $((SECONDS - from)) "$name")")
        [ "$FAILED" -gt "$failed_before" ] || FAILED=$((FAILED + 1))
        printf '      failed: %s (exit code %d)\n' "$name" "$code"
    fi
    return "$code"
}

# A step that cannot run because an earlier one failed.
left_out() {
    STEP=$((STEP + 1))
    REPORT+=("$(printf '%6s    left out, because %s failed: %s' '' "$2" "$1")")
}

report() {
    printf '\n'
    printf '%s\n' "${REPORT[@]}"
    printf '%6d s  in all\n\n' $((SECONDS - BEGAN))
}
