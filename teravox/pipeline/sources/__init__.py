"""Images as they come from microscopes and other programs: one file of this room, one format."""
