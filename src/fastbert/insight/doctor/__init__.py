"""The data doctor: what is worth a look in a table before a model is trained on it, and cleaned copies."""
