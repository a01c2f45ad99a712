"""Use a model: predictions for files and over HTTP, by the bundle that was tested and by nothing else."""
