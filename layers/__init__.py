"""Maps, pages and the command line."""
