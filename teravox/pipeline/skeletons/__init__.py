"""Skeletons: how they are forged, merged, stored, read and measured."""
