"""Scores of predictions; numpy and scikit-learn, no torch."""
