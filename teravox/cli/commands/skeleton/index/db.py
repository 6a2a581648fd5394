"""`teravox skeleton index db`: the spatial index of the skeletons in a database."""

from __future__ import annotations

from typing import ClassVar

from teravox.cli.index_db import IndexDb
from teravox.pipeline.objects.index_pieces import Dir
from teravox.pipeline.objects.sort import SKELETON, Sort


class Db(IndexDb, frozen=True):
    """Put the spatial index of skeletons into a database, SQLite or PostgreSQL.

    It is made of what the forge has left, so before `skeleton clean`. There are two tables, which are replaced:
    `index_files` (id, filename) has the pieces, and `file_lookup` (label, fid, min_x to max_z) the labels of each with
    their boxes in nanometres. Databases have signed numbers: a label from 2^63 on is stored as the label - 2^64.

        teravox skeleton index db ./seg sqlite:///skeletons.db
    """

    sort: ClassVar[Sort] = SKELETON

    dir: Dir = SKELETON.one
