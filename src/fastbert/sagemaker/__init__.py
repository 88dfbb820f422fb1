"""Training as a job of Amazon SageMaker: its folders and files, its metric lines, its stop, and the packed model."""
