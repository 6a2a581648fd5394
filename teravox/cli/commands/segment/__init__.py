"""What goes with segmenting: the steps that there are, and a trial of them."""
