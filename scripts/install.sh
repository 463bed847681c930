#!/bin/sh
# Installs routeros-mcp from a signed release, where no package manager does. `install.sh --help` tells the flags.
# Nothing of a release is run, unpacked or put in place before its signature and digest held. Every function is read before
# the last line starts anything: a download that breaks off installs nothing.
set -eu
umask 077

# The keys that sign releases, as `minisign` writes them: those of assets/update/keys.toml that are no test keys.
KEYS=""
URL="" FILE="" ROOT="" DRY=no CHANNEL=stable SELF=${0##*/} VERSIONS=/var/lib/routeros-mcp-bin

usage() {
    cat <<END
usage: $SELF --file BUNDLE | --url ADDRESS  [--channel NAME] [--key PUBLIC]… [--dry-run] [--root DIR]

  --file BUNDLE   install from a bundle (scripts/release-sign makes it); uses no network
  --url ADDRESS   install from a release endpoint: ADDRESS/CHANNEL/latest.json
  --channel NAME  which releases (default: stable)
  --key PUBLIC    a further minisign public key whose signature counts
  --dry-run       verify everything, say what would be done, and do nothing
  --root DIR      install below DIR, and start nothing (images, tests)
END
}
say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$SELF" "$2" >&2; exit "$1"; }
have() { command -v "$1" >/dev/null 2>&1; }
# do_it COMMAND…: does it, or says that it would.
do_it() { if [ "$DRY" = yes ]; then say "  would: $*"; else "$@"; fi; }

arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            --dry-run) DRY=yes && shift && continue ;;
            -h | --help) usage && exit 0 ;;
            --file | --url | --channel | --key | --root) [ $# -ge 2 ] || die 64 "$1 needs a value" ;;
            *) usage >&2; die 64 "unknown argument $1" ;;
        esac
        case $1 in
            --file) FILE=$2 ;;
            --url) URL=${2%/} ;;
            --channel) CHANNEL=$2 ;;
            --key) KEYS="$KEYS $2" ;;
            --root) ROOT=${2%/} ;;
        esac
        shift 2
    done
    if [ -z "$FILE$URL" ] || { [ -n "$FILE" ] && [ -n "$URL" ]; }; then usage >&2; die 64 "name a bundle or an address, one of the two"; fi
    [ -z "$ROOT" ] || [ -d "$ROOT" ] || die 66 "$ROOT is no directory"
    case $CHANNEL in '' | *[!a-z0-9-]*) die 64 "$CHANNEL is no channel" ;; esac
}

machine() {
    [ "$(uname -s)" = Linux ] || die 69 "this is $(uname -s); routeros-mcp runs on Linux"
    arch=$(uname -m)
    case $arch in
        x86_64 | amd64) TARGET=x86_64-unknown-linux-musl ;;
        # A 64-bit kernel under 32-bit programs takes either; the larger one is the better.
        aarch64 | arm64) TARGET=aarch64-unknown-linux-musl ;;
        armv7* | armv8l) TARGET=armv7-unknown-linux-musleabihf ;;
        *) die 69 "there is no release for $arch" ;;
    esac
    for tool in tar gzip sha256sum sed head tail base64 mktemp; do have "$tool" || missing="${missing-} $tool"; done
    [ -z "${missing-}" ] || die 69 "this needs, and does not find:$missing"
    if have minisign; then CHECK=minisign; elif have openssl && openssl pkeyutl -help 2>&1 | grep -q -e -rawin; then CHECK=openssl; else
        die 69 "nothing here can check a signature, so nothing is installed. One of the two helps:
  apt-get install minisign      (or the package of your system)
  apt-get install openssl       (3.0 or newer)"
    fi
    [ -n "$FILE" ] || have curl || have wget || die 69 "this needs curl or wget, or a bundle (--file)"
    [ -n "$KEYS" ] || die 78 "this installer knows nobody whose signature counts; name a key with --key"
    [ "$DRY" = yes ] || [ -n "$ROOT" ] || [ "$(id -u)" -eq 0 ] || die 77 "this has to run as root (--dry-run does not)"
    [ ! -e "$ROOT/var/lib/dpkg/info/routeros-mcp.list" ] ||
        die 73 "dpkg installed routeros-mcp here: apt-get update && apt-get install --only-upgrade routeros-mcp"
}

# fetch ADDRESS FILE MOST: at most MOST bytes, over https unless the address says otherwise. The busybox of Debian 12 dies of wget's -T.
fetch() {
    if have curl; then curl -fsSL --proto-redir =https --max-time 600 -- "$1"; else wget -q -T 60 -O - -- "$1" || [ $? -le 128 ] || wget -q -O - -- "$1"; fi | head -c "$(($3 + 1))" >"$2"
    [ "$(wc -c <"$2")" -le "$3" ] || die 65 "$1 is larger than it may be"
    [ -s "$2" ] || die 69 "$1 cannot be fetched"
}
# obtain NAME FILE MOST [ADDRESS]: a file of the release, from the bundle or the endpoint.
obtain() {
    if [ -z "$FILE" ]; then fetch "${4-$URL/$CHANNEL/$1}" "$2" "$3" && return; fi
    { tar -xOf "$FILE" -- "$1" 2>/dev/null || tar -xOf "$FILE" -- "./$1" 2>/dev/null || :; } | head -c "$(($3 + 1))" >"$2"
    [ -s "$2" ] || die 65 "$FILE is no bundle with $1 in it"
    [ "$(wc -c <"$2")" -le "$3" ] || die 65 "$1 is larger than it may be"
}

unbase64() { printf '%s' "$1" | base64 -d 2>/dev/null; }
# Ed25519 with the key $1 (base64): signature file $2, message file $3.
ed25519() {
    { printf '\060\052\060\005\006\003\053\145\160\003\041\000'; unbase64 "$1" | tail -c 32; } >"$work/key.der"
    openssl pkeyutl -verify -pubin -keyform DER -inkey "$work/key.der" -rawin -in "$3" -sigfile "$2" >/dev/null 2>&1
}
# holds KEY: whether the manifest is signed with it, and the comment too.
holds() {
    if [ "$CHECK" = minisign ]; then minisign -V -q -H -P "$1" -m "$work/latest.json" -x "$work/latest.json.minisig" >/dev/null 2>&1; return; fi
    line=$(sed -n 2p "$work/latest.json.minisig") comment=$(sed -n 's/^trusted comment: //;3p' "$work/latest.json.minisig")
    unbase64 "$line" >"$work/line" && unbase64 "$(sed -n 4p "$work/latest.json.minisig")" >"$work/global" || return 1
    # Prehashed (ED), by the key of this name, and 64 bytes of signature.
    [ "$(wc -c <"$work/line")" -eq 74 ] && [ "$(head -c 2 "$work/line")" = ED ] || return 1
    [ "$(head -c 10 "$work/line" | tail -c 8 | base64)" = "$(unbase64 "$1" | head -c 10 | tail -c 8 | base64)" ] || return 1
    tail -c 64 "$work/line" >"$work/signature"
    openssl dgst -blake2b512 -binary "$work/latest.json" >"$work/digest" && ed25519 "$1" "$work/signature" "$work/digest" || return 1
    { cat "$work/signature"; printf '%s' "$comment"; } >"$work/comment" && ed25519 "$1" "$work/global" "$work/comment"
}

# Values of our own manifests, after the signature held: word NAME <text, number NAME <text.
word() { sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\"\([^\"]*\)\".*/\1/p" | head -n 1; }
number() { sed -n "s/.*\"$1\"[[:space:]]*:[[:space:]]*\([0-9][0-9]*\).*/\1/p" | head -n 1; }

verified() {
    obtain latest.json "$work/latest.json" 65536
    obtain latest.json.minisig "$work/latest.json.minisig" 4096
    signer="" && for key in $KEYS; do if holds "$key"; then signer=$key && break; fi; done
    [ -n "$signer" ] || die 65 "the release is signed by nobody this installer knows, or was changed after; nothing was installed"
    # An object a line: what is said of the release, then each artifact.
    tr -d '\n\r' <"$work/latest.json" | sed 's/"artifacts"[[:space:]]*:/\n/; s/}[[:space:]]*,/}\n/g' >"$work/objects"
    VERSION=$(tr -d '\n\r' <"$work/latest.json" | word version)
    [ "$(tr -d '\n\r' <"$work/latest.json" | word product)" = routeros-mcp ] || die 65 "it is a release of something else"
    [ "$(tr -d '\n\r' <"$work/latest.json" | word channel)" = "$CHANNEL" ] || die 65 "it is not of the channel $CHANNEL"
    case $VERSION in [0-9]*) ;; *) die 65 "its version is none" ;; esac
    case $VERSION in *[!0-9A-Za-z.-]* | *..*) die 65 "its version is none" ;; esac
    ours=$(grep "\"target\"[[:space:]]*:[[:space:]]*\"$TARGET\"" "$work/objects" | grep '"kind"[[:space:]]*:[[:space:]]*"tar"' || :)
    [ -n "$ours" ] || die 69 "the release has nothing for this machine ($TARGET)"
    url=$(printf '%s' "$ours" | word url) size=$(printf '%s' "$ours" | number size) sum=$(printf '%s' "$ours" | word sha256)
    name=${url##*/}
    case $name in '' | .* | -* | *[!0-9A-Za-z._+-]*) die 65 "the release names its file in a way that cannot be" ;; esac
    if [ "${#size}" -gt 8 ] || [ "${size:-0}" -eq 0 ] || [ "${#sum}" -ne 64 ]; then die 65 "what the release says of its file cannot be"; fi
    case $url in http://* | https://*) ;; *) url=$URL/$CHANNEL/$url ;; esac
    obtain "$name" "$work/artifact" "$size" "$url"
    [ "$(wc -c <"$work/artifact") $(sha256sum <"$work/artifact")" = "$size $sum  -" ] ||
        die 65 "$name is not the file that was signed; nothing was installed"
    stale=$(tr -d '\n\r' <"$work/latest.json" | word stale_after) now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    [ "$(printf '%s\n%s\n' "$now" "$stale" | LC_ALL=C sort | head -n 1)" = "$now" ] || say "note: this release was to be replaced by $stale; look for a newer one"
    say "routeros-mcp $VERSION for $TARGET: signed ($CHECK), $size bytes as signed"
}

# put MODE FROM TO: a file in place, whole or not at all.
put() { mkdir -p "${3%/*}" && cp "$2" "$3.new" && chmod "$1" "$3.new" && mv -f "$3.new" "$3"; }

place() {
    current=$(readlink "$ROOT$VERSIONS/current" 2>/dev/null || :)
    [ -z "$current" ] || [ "${current##*/}" = "$VERSION" ] ||
        die 73 "version ${current##*/} is installed and updates itself: routeros-mcp update apply --file BUNDLE"
    # Its digest was signed; the modes and owners in it are ours to choose all the same.
    { mkdir "$work/tree" && tar -xzf "$work/artifact" -C "$work/tree" --no-same-owner; } || die 65 "its archive cannot be unpacked; nothing was installed"
    from=$(echo "$work"/tree/*)
    lib=$ROOT/usr/local/lib/routeros-mcp units=$ROOT/etc/systemd/system new=$ROOT$VERSIONS/versions/$VERSION/routeros-mcp
    umask 022
    do_it put 755 "$from/routeros-mcp" "$new"
    if [ "$DRY" = no ] && ! "$new" version >/dev/null 2>&1; then rm -rf "${new%/*}" && die 70 "its binary does not start on this machine"; fi
    do_it put 755 "$from/systemd/routeros-mcp-guard" "$lib/routeros-mcp-guard"
    do_it put 644 "$from/systemd/sysusers.conf" "$ROOT/usr/local/lib/sysusers.d/routeros-mcp.conf"
    do_it put 644 "$from/systemd/tmpfiles.conf" "$ROOT/usr/local/lib/tmpfiles.d/routeros-mcp.conf"
    for unit in "$from"/systemd/*.service "$from"/systemd/*.socket "$from"/systemd/*.path "$from"/systemd/*.d/*.conf; do
        do_it put 644 "$unit" "$units/${unit#"$from"/systemd/}"
    done
    do_it mkdir -p "$ROOT/usr/local/bin"
    [ -n "$current" ] || do_it ln -s "versions/$VERSION" "$ROOT$VERSIONS/current"
    do_it ln -sfn "$VERSIONS/current/routeros-mcp" "$ROOT/usr/local/bin/routeros-mcp"
    [ -e "$ROOT/etc/routeros-mcp/config.toml" ] || do_it put 640 "$from/systemd/config.toml" "$ROOT/etc/routeros-mcp/config.toml"
    people
}

# The user and the directories that only it may enter.
people() {
    if have systemd-sysusers && have systemd-tmpfiles; then
        do_it systemd-sysusers ${ROOT:+--root="$ROOT"} "$ROOT/usr/local/lib/sysusers.d/routeros-mcp.conf"
        do_it systemd-tmpfiles ${ROOT:+--root="$ROOT"} --create "$ROOT/usr/local/lib/tmpfiles.d/routeros-mcp.conf"
    else
        [ -z "$ROOT" ] || die 69 "--root needs systemd-sysusers and systemd-tmpfiles"
        id routeros-mcp >/dev/null 2>&1 || do_it useradd --system --user-group --home-dir /var/lib/routeros-mcp --shell /usr/sbin/nologin routeros-mcp
        do_it install -d -m 750 -g routeros-mcp /etc/routeros-mcp /etc/routeros-mcp/instances
        do_it chgrp routeros-mcp /etc/routeros-mcp/config.toml
        do_it install -d -m 700 -o routeros-mcp -g routeros-mcp /var/lib/routeros-mcp
    fi
}

start() {
    if [ "$DRY" = yes ]; then say "nothing was changed (--dry-run)" && return; fi
    if [ -n "$ROOT" ] || [ ! -d /run/systemd/system ]; then
        say "installed; nothing was started. Start it with your supervisor: /usr/local/bin/routeros-mcp serve, then: routeros-mcp setup-token" && return
    fi
    systemctl daemon-reload
    systemctl enable --quiet --now routeros-mcp-update.path routeros-mcp.service ||
        die 70 "installed, but it does not start; the reason: journalctl -u routeros-mcp"
    /usr/local/bin/routeros-mcp setup-token || say "it runs; people can sign in already, or ask again: routeros-mcp setup-token"
}

main() {
    arguments "$@"
    machine
    work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT && trap 'exit 130' INT TERM HUP
    verified
    place
    start
}
main "$@"
