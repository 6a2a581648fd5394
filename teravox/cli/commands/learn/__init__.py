"""Learning from a few labels: painting them, training, predicting, and how good that is."""
