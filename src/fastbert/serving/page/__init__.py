"""The page to try a model in a browser, the API for readers, and the papers of each model."""
