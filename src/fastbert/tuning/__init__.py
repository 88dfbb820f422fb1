"""Search for options of a training: spaces, trials, the study that holds them, and what is made of the best."""
