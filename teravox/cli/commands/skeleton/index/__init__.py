"""Where in the volume skeletons lie."""
