"""The peers: other tools on the same rows and the same encoder. Nothing here imports FastBert."""
