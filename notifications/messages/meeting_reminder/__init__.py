"""We have met and the household still thinks about taking part: we are there."""
