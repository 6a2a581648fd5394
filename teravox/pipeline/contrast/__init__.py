"""Contrast of grey images: what is measured of a layer, and what is made of it in a layer of its own."""
