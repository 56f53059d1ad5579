"""The pages of the site that are made from the code, the facts and the records. `make docs` builds it.

    hooks        what MkDocs calls
    pages        every generated page, and what is filled in on written ones
    optimizers   a page for each registered optimizer, and the table of all
    frameworks   the code of one strategy in PyTorch, Keras and optax
    parity       what a name means elsewhere
    evidence     facts: the page of all, an optimizer's own, those that contradict each other
    choices      which optimizer for which model
    race         what is raced, and the points of its audit
    claims       the textbook's statements and what we measured
    reference    the public names, from their docstrings
    commands     the command line, from its parsers
    formulas     LaTeX as MathML, which browsers draw without a script
    markdown     tables, links, anchors

Every page is a function from nothing to Markdown, so that tests can read it without building the site.
"""
