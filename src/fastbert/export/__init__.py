"""A trained model made into files for other engines, each checked against the model before it is kept."""
