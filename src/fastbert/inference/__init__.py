"""Answers from a bundle; torch only inside its own backend."""
