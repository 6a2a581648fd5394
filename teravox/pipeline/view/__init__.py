"""Shows layers in a browser on this machine, with the Neuroglancer client and without the internet."""
