"""From feeds to the queue."""
