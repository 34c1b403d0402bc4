"""The evidence on one page: `render` turns a `Report` into a single HTML file that needs nothing beside it."""
