"""VERB. What was spent, and on what, as pages and API tell it: sums only, and only what who asks may see."""
