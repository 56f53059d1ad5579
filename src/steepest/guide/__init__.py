"""The guide: which optimizer, why, and how to begin with it.

facts        what is known, as data: statement, figure, conditions, source, grade, conflicts
queries      the figures of our own measurements, recomputed from the record of a race
situation    the question: family, size, batch, memory, length, tuning budget; refuses what cannot be
inventory    what a model is made of: arrays, their dtypes, who is trained; of torch, Keras, trees of shapes, or flags
families     from a model's parts to its family
memory       weights, gradients and optimizer state in bytes
candidates   what can be advised: the registered optimizers and their starting points
scaling      starting hyperparameters for this batch, size and length
choosing     from the table of choices and the circumstances to a ranked short list
advice       the answer as data
code         the answer as code for three frameworks
text         the answer for a terminal
advise       all of it in one call
command      `steepest advise`
claims       the textbook's sentences as experiments, with the verdicts that we measured
peers        optimizers of other packages, ready to race

Nothing here imports a framework: a model is looked at, whoever made it.
"""
