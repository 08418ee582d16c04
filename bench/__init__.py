"""What one rotation costs: its time as ratios, its calls, and its price per thousand, counted on a sandbox of its own.

Measured and reported, never asserted: no test depends on a time. Not here: the cold imports of the function zips, which
`make build` reports.
"""
