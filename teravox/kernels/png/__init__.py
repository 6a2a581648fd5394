"""The rows of a PNG as differences to their neighbours, and back."""
