"""Upkeep of what is stored: each step bounded in time, resumed where it ended, safe to run twice and in parallel.

Read `handler`, then `steps`, then each step: `restored`, `reclustering`, `retention`, `naming`, `activity`, `verifying`, `tables`.
"""
