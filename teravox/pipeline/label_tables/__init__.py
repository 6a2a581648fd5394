"""Tables of labels: counted in boxes, merged by ranges of labels, and read by whoever needs sizes."""
