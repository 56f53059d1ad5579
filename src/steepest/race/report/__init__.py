"""`race.html`: what a race found, in one file that needs no network.

    write(race, path, curves)

    facts     the race with its statistics, each worked out once; nothing is recomputed here
    looks     colour, dash and marker of each entrant
    charts    one file a chart: figures without colours, and the same figures as text
    tables    the tables of the result
    setup     configuration, machines, the commands that repeat the race
    page      all of it as HTML, with the template, style and script in `template/`

Whatever a user has named (tasks, optimizers, metrics) is text in the page, never markup.
"""

from steepest.race.report.page import html as html, write as write
