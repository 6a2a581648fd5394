"""Copies objects from layer to layer, as they are or in another form of Neuroglancer."""
