"""What training needs of a model: loading, losses, layer groups, optimizers and schedules."""
