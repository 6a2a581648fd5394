"""Centres of objects in slices: how they are found, and the tables that they are kept in."""
