"""The guide: which optimizer, why, and how to begin with it.

facts        what is known, as data: statement, figure, conditions, source, grade, conflicts
records      our own measurements, from which their figures are recomputed
claims       the textbook's sentences as experiments, with the verdicts that we measured
model        what a model is made of, its family, the memory it takes
advise       from a situation to a ranked short list, with starting points, reasons and code
peers        optimizers of other packages, ready to race

Nothing here imports a framework, but the tasks of the claims: a model is looked at, whoever made it.
"""
