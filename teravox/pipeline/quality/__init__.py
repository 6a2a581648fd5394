"""How good a layer is and what it cost: what is measured for `teravox report`, and the page that shows it."""
