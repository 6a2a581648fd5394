#!/usr/bin/env bash
# Makes a small layer in the given folder and takes it through a queue, and through what else can be done with it.
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
show teravox image count ./seg -p 2
show teravox image ccl auto ./seg ./parts --shape 384,384,128 -p 2 --quiet
show teravox shard image ./seg ./sharded -p 2
show teravox mesh forge ./seg --shape 512,512,128 -p 2
show teravox mesh merge ./seg
show teravox skeleton forge ./seg --shape 512,512,128 -p 2
show teravox skeleton merge ./seg
show teravox skeleton measure ./seg --output ./lengths.csv
show teravox show ./seg

echo
echo "Made in $PWD:"
du -sh seg parts sharded | sed 's/^/  /'
echo "  seg is a segmentation with three mips, meshes and skeletons, and sharded is its voxels in few files; parts are its components; lengths.csv has a line for each skeleton."
echo "  q is the queue, with what is done in q/done."
echo "To look at it: pip install 'teravox[view]', and then"
echo "  $(command -v teravox) view $PWD/seg"
