"""The ground floor: streams of random words, layouts of sequences, lengths, files."""
