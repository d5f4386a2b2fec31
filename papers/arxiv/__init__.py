"""The edge to arXiv: bytes in, `Listing`s out. Imports no model and no setting."""
