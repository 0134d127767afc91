"""What everything agrees on: contracts, seeds, the learning loop and the model folder. Knows no kind and no engine."""
