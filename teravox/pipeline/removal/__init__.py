"""Chunks of a layer, removed for ever."""
