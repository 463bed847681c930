#!/bin/sh
# OpenWrt's build runs this on the installed package: name and version are its arguments.

case "$1" in
	routeros-mcp) routeros-mcp version | grep -F "$2" ;;
esac
