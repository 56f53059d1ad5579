"""The playground: optimizers walking down surfaces of two weights, in one page that needs no server.

>>> from steepest.play import page
>>> page().startswith("<!doctype html>")
True
"""

from steepest.play.page import page as page
