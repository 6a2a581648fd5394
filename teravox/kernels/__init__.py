"""Pure array code: numpy in, numpy out."""
