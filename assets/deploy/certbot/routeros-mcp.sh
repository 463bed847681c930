#!/bin/sh
# /etc/letsencrypt/renewal-hooks/deploy/routeros-mcp.sh (0755): certbot runs it after each renewal, and you once by hand:
#   RENEWED_LINEAGE=/etc/letsencrypt/live/mcp.example.com sh /etc/letsencrypt/renewal-hooks/deploy/routeros-mcp.sh
#
# live/ and archive/ are root's alone. This copies what the service needs to where its group may read it, each file at once,
# and has the service read them. In config.toml:
#   [http]  tls = "files"
#           tls_cert_file = "/etc/routeros-mcp/tls/fullchain.pem"
#           tls_key_file  = "/etc/routeros-mcp/tls/privkey.pem"
set -eu
umask 077

: "${RENEWED_LINEAGE:?certbot sets it; by hand, name the directory below /etc/letsencrypt/live}"
to=${ROUTEROS_MCP_TLS_DIR:-/etc/routeros-mcp/tls}
group=${ROUTEROS_MCP_GROUP:-routeros-mcp}

mkdir -p "$to"
chgrp "$group" "$to"
chmod 0750 "$to"
for name in privkey.pem fullchain.pem; do
    # Through the link: live/ holds links into archive/.
    cp -L "$RENEWED_LINEAGE/$name" "$to/$name.new"
    chgrp "$group" "$to/$name.new"
    chmod 0640 "$to/$name.new"
    mv "$to/$name.new" "$to/$name"
done

# Without it the files are found within 10 s all the same.
if command -v systemctl >/dev/null 2>&1; then
    systemctl try-reload-or-restart routeros-mcp.service || true
fi
