"""Cuts the fragments of all labels out of one piece."""

from __future__ import annotations
