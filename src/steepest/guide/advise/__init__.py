"""`steepest advise`: from a model, or what is said of it, to a ranked short list with reasons.

situation      the question: family, size, batch, memory, length, tuning budget; refuses what cannot be
question       completes it by what is seen and by what is usual
tables         what is advised, as data: choices, starting points, adjustments, outsiders
candidates     the registered optimizers and their starting points
circumstances  what about a situation moves a choice
choosing       from the tables and the circumstances to a ranked short list
scaling        starting hyperparameters for this batch, size and length
racing         the race that would settle it
advice         the answer as data
code           the answer as code for three frameworks
text           the answer for a terminal
advising       all of it in one call
command        the command line
"""
