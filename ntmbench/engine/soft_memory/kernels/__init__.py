"""The compiled part of the engine: the table of layers, and a pass each way for either memory."""
