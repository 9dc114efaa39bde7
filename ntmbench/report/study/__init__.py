"""What the report is computed from: the runs in groups, their outcomes, figures and tables."""
