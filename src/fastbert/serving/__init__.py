"""A server for bundles: batches requests, keeps to its limits, and speaks the contracts of other servers."""
