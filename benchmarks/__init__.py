"""Measurements of FastBert against its peers on public data.

Run from the repository root; not part of the package.
"""
