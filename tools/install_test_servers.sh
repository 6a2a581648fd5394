#!/usr/bin/env bash
# Installs the servers that the tests start on loopback: Debian packages where we may, fauxqs into the given folder.
set -euo pipefail
folder=$1
mkdir -p "$folder"

packages=(slurm-wlm munge faketime strace ceph-mon ceph-osd ceph-mds ceph-fuse ceph-common iproute2 chromium postgresql)
commands=(slurmctld munged faketime strace ceph-mon ceph-osd ceph-mds ceph-fuse ceph ip chromium)
missing=()
for command in "${commands[@]}"; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "$command" >/dev/null || missing+=("$command")
done
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing+=(postgres)
if [ ${#missing[@]} -gt 0 ]; then
    if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
        echo "not installed: ${missing[*]}. As root on Debian or Ubuntu: apt-get install ${packages[*]}" >&2
        exit 1
    fi
    echo "installing for the tests: ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 # at level 1 no package starts its service
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${packages[@]}" </dev/null >"$folder/apt.log" 2>&1 || {
        tail -n 20 "$folder/apt.log" >&2
        exit 1
    }
fi

if ! command -v npm >/dev/null; then
    echo "not installed: npm. On Debian or Ubuntu: apt-get install npm" >&2
    exit 1
fi
npm install --silent --no-audit --no-fund --prefix "$folder" fauxqs@1.9.2
