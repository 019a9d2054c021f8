"""Tables of the project."""
