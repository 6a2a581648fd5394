"""Which labels of two neighbouring blocks are one: counted in what both have seen, and decided by rules."""
