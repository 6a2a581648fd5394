"""Cuts the skeletons of all labels out of one piece."""

from __future__ import annotations
