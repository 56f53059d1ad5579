"""A fair race of optimizers: equal tuning for all, fresh seeds for the result, everything written down.

    tasks        what is trained: data, model, loss, length, target
    spaces       the search space of each optimizer, by one rule from its defaults
    points       quasi-random points, the same on every machine
    entrants     who races: ours, any other package's, copies
    protocol     the rules: which runs, with which seeds, in which order
    presets      three sizes of race
    training     one run
    preflight    what is checked, and timed, before anything is written
    store        the database: one Optuna study, a trial for each run of the plan
    address      SQLite file or PostgreSQL server
    curves       Parquet
    environment  versions, hardware, code
    worker       takes runs from the database until none is left
    engine       starts workers and watches them
    progress     bars, and how long it will take
    record       what was measured, as plain data
    reading      from the database to the record; two records as one
    statistics   what the record says
    summary      the table in the terminal
    command      `steepest race`

Needs the extra packages of `pip install 'steepest[race]'`; a module that uses one says so if it is missing.
"""
