"""What `teravox demo` works on: a folder of its own, with an image that is drawn there and a pipeline file."""
