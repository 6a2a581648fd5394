"""Connected components of a whole volume, exactly, as tasks."""
