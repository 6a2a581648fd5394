"""Scripts for SLURM: arrays of workers, and pipelines with workers beside them."""
