"""The built-in commands: one file is one command, and its path is its name."""
