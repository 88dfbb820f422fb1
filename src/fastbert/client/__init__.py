"""What asks a FastBert server and answers like a predictor of this process."""
