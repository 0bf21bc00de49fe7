"""The household's program, part by part: what is managed, purchases, sales, tracking, and the limits of all of them."""
