"""Labels to and from crackle: plane by plane, the cracks between regions as chains of moves, and a label for each region.

The format: https://github.com/seung-lab/crackle
"""
