"""Images: pyramids and what is made from them."""
