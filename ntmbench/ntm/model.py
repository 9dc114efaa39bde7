"""The Neural Turing Machine as a SequenceModel."""
