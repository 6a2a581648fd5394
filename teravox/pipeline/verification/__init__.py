"""Verification: is a layer whole and sound, which tasks make what is not, and doing these again."""

from __future__ import annotations
