"""Benchmarks. Every figure is given beside a baseline of the same run, since machines differ."""
