"""Connected components of a whole volume: what its stages share, and the files that they leave for each other."""
