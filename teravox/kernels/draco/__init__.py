"""Packs meshes as Draco does: the bitstream 2.2 of https://google.github.io/draco/spec, by Edgebreaker and rANS."""
