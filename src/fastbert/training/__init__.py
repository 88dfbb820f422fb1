"""The learner, its loop and its defaults."""
