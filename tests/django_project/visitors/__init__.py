"""An app of the tests' project: people without a user."""
