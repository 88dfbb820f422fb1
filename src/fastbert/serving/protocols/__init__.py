"""Contracts: how other servers are asked, each as a table of routes over the same models."""
