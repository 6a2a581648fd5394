"""Learning from labels that people paint: layers of labels, training data, models, and where to label next."""
