"""Tests of the files in deploy/: that they say what the code does."""
