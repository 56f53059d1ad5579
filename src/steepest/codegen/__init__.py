"""Printers: a pass or a graph as text. Nothing here runs anything."""
