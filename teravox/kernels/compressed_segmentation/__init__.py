"""Labels to and from the blocks of Neuroglancer's compressed_segmentation.

The format: https://github.com/google/neuroglancer/blob/master/src/sliceview/compressed_segmentation/README.md
"""
