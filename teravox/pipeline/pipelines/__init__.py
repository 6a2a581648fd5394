"""Pipeline files: steps that follow each other, each begun when what it waits for is done."""
