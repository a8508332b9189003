#!/bin/sh
# What has to be right before Yomitori starts in a container: its folders and, to serve, the token.
#
#   entrypoint.sh serve [...]                the service
#   entrypoint.sh fetch-models [MODEL...]    download what is not in the volume yet
#   entrypoint.sh COMMAND [...]              any other command of yomitori
set -eu

refuse() {
    code=$1
    printf 'yomitori: %s\n' "$2" >&2
    printf '  %s\n' "$3" >&2
    exit "$code"
}

user="$(id -u):$(id -g)"

check_folder() {
    [ -d "$1" ] || mkdir -p "$1" 2>/dev/null ||
        refuse 5 "The folder $1 cannot be made." "Mount a volume there that user $user may write to."
    [ -w "$1" ] && [ -x "$1" ] ||
        refuse 5 "User $user may not write to the folder $1." \
            "Give the volume to that user (chown -R $user), or run the container as its owner."
}

check_token() {
    file=${YOMITORI_SERVICE_TOKEN_FILE:-}
    hint="Mount a file with a token of 16 characters or more, and name it in YOMITORI_SERVICE_TOKEN_FILE."
    [ -n "$file" ] || refuse 2 "The service does not start without a token." "$hint"
    # A mount makes a folder where there was no file on the host.
    [ ! -d "$file" ] || refuse 2 "$file is a folder, not a file with a token." "$hint"
    [ -e "$file" ] || refuse 2 "There is no token at $file." "$hint"
    [ -r "$file" ] || refuse 2 "User $user may not read the token at $file." \
        "Let that user read it (mode 0644, in a folder of mode 0700), or run the container as its owner."
    [ -s "$file" ] || refuse 2 "The file $file is empty." "$hint"
}

[ $# -gt 0 ] || set -- serve
check_folder "${YOMITORI_HOME:-/data}"
case $1 in
    serve)
        check_token
        ;;
    fetch-models)
        check_folder "${HF_HOME:-/models}"
        shift
        exec python3 "${0%/*}/fetch_models.py" "$@"
        ;;
esac
exec yomitori "$@"
