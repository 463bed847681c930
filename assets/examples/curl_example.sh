#!/bin/sh
# Asks routeros-mcp over HTTP with curl and jq: which routers there are, and which of them need attention.
#
#   export ROUTEROS_MCP_URL=https://mcp.example.com/mcp ROUTEROS_MCP_TOKEN=rmcp_…
#   sh curl_example.sh [TOOL [ARGUMENTS]]        e.g.  sh curl_example.sh system.get_overview '{"device": "edge"}'
#
# A certificate that the system does not trust: export CURL_CA_BUNDLE=/path/to/certificate.pem
set -eu
: "${ROUTEROS_MCP_URL:?the address of MCP, such as https://mcp.example.com/mcp}"
: "${ROUTEROS_MCP_TOKEN:?a token of routeros-mcp token create}"
tool=${1:-fleet.get_summary}
if [ $# -ge 2 ]; then arguments=$2; else arguments='{}'; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
umask 077
# The token goes through a file: a command line is seen by everybody on the machine.
printf 'header = "Authorization: Bearer %s"\n' "$ROUTEROS_MCP_TOKEN" >"$work/curlrc"

# post BODY [HEADER]: one message; the answer is JSON, or a stream whose line `data:` has it.
post() {
    printf '%s' "$1" | curl -sS --config "$work/curlrc" --max-time 60 --dump-header "$work/head" \
        -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' ${2:+-H "$2"} \
        --data-binary @- "$ROUTEROS_MCP_URL" | sed -n 's/^data: *{/{/; /^{/p'
}

hello='{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"curl_example","version":"1"}}}'
answer=$(post "$hello")
if ! printf '%s' "$answer" | jq -e .result >/dev/null; then
    printf '%s\n' "${answer:-no answer}" >&2
    exit 1
fi
session=$(tr -d '\r' <"$work/head" | sed -n 's/^mcp-session-id: *//Ip')
post '{"jsonrpc":"2.0","method":"notifications/initialized"}' "Mcp-Session-Id: $session" >/dev/null

call=$(jq -nc --arg tool "$tool" --argjson arguments "$arguments" \
    '{jsonrpc: "2.0", id: 2, method: "tools/call", params: {name: $tool, arguments: $arguments}}')
answer=$(post "$call" "Mcp-Session-Id: $session")
curl -sS --config "$work/curlrc" -o /dev/null -X DELETE -H "Mcp-Session-Id: $session" "$ROUTEROS_MCP_URL"

# What the tool says; an error ends with 1, so that scripts notice.
printf '%s' "$answer" | jq '.result.structuredContent // .error'
printf '%s' "$answer" | jq -e '.result and (.result.isError | not)' >/dev/null
