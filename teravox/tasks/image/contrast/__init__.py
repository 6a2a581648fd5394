"""Contrast of grey images, slice by slice."""
