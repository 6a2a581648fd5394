"""The kinds of job: one file is one kind, and its path is its name."""
