"""A fair race of optimizers: equal tuning for all, fresh seeds for the result, everything written down.

    tasks       what is trained: data, model, loss, length, target
    protocol    the rules: learning-rate grids, seeds, which learning rate is chosen
    training    one run; the cost of one step
    runner      all runs, in parallel processes
    record      what was measured, as data: race.json
    statistics  means, intervals, medians over seeds
    figures     the charts of the report
    report      race.html
    command     `steepest race`

Needs the extra packages of `pip install 'steepest[race]'`; a module that uses one says so if it is missing.
"""
