#!/bin/sh
# Make sure that the Debian packages named in a list are there: install the missing ones when root,
# otherwise say in one command what to install. Other systems are told the list and go on.
set -eu
list=$1
wanted=$(sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$list" | tr '\n' ' ')

if ! command -v dpkg-query >/dev/null 2>&1; then
    [ "$(uname -s)" = Linux ] || exit 0
    echo "This is no Debian or Ubuntu. If something does not start, install what these packages hold:"
    echo "  $wanted"
    exit 0
fi

missing=""
for name in $wanted; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q "install ok installed" || missing="$missing $name"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    echo "Installing system packages:$missing"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
else
    echo "These system packages are missing. Install them and run make again:"
    echo "  sudo apt-get install --no-install-recommends -y$missing"
    exit 1
fi
