"""Tests of the Neural Turing Machine."""
