"""The report as people read it: blocks, tables and numbers as text, and the templates."""
