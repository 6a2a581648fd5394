"""The page that shows how good a layer is: one file that needs no network and no program."""
