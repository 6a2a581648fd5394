"""Look at a queue, and put in order what is in it."""
