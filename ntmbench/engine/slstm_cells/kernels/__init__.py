"""The compiled passes of the sLSTM's cells.

A row has a number for each cell of a head, and zeros up to a whole number of vectors: L in all.
The four gates of a step and a head are four such rows.
"""
