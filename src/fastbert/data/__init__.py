"""Tables to typed examples, tokens and batches; no torch."""
