"""Graphs: edges are told in any order, and then asked about."""
