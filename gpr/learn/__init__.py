"""From examples to an adapter: rows of tokens, the losses, training with its limits of time, and what a run
keeps."""
