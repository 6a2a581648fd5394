"""Projects of ilastik's Pixel Classification, as its .ilp files (HDF5) hold them; nothing in them is ever executed."""
