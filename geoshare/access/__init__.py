"""Who asks, what they hold, and the views that show them that and nothing else."""
