"""A Django project with one page, on which one talks to a journey."""
