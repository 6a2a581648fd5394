#!/usr/bin/env bash
# Makes a small layer in the given folder and takes it through a queue and two worker processes.
set -euo pipefail
folder=${1:-demo}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

show() {
    echo
    echo "\$ $*"
    "$@"
}

show python "$here/make_layer.py" ./seg --size 768 768 128 --cells 300
show teravox image downsample ./seg --num-mips 2 --shape 256,256,32 --queue ./q
show teravox queue status ./q
show teravox execute ./q -p 2 --exit-on-empty
show teravox queue status ./q

echo
echo "Made in $PWD:"
du -sh seg/*_* | sed 's/^/  /'
echo "  seg is a segmentation with three mips; q is the queue, with what is done in q/done."
echo "To look at it, this serves it on the loopback for Neuroglancer, and says where:"
echo "  $(command -v python) -c 'from cloudvolume import CloudVolume; CloudVolume(\"file://$PWD/seg\").viewer()'"
