"""Training: recipe, schedule, loss, loop, resumable checkpoints, log."""
