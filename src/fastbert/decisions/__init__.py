"""What turns scores into answers; saved in the bundle."""
