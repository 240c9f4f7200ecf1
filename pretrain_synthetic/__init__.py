"""Synthetic people with exact labels, as training data for real3d.

`python -m pretrain_synthetic --help` lists the commands.
"""
