"""The function zips: the same bytes from the same sources, with one store's SDK each and byte code beside the sources.

`build` makes them, `report` says how big they are and how fast they import. Nothing here runs in a function.
"""
