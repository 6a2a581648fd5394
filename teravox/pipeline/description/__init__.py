"""What there is to know of a layer, as `teravox show` and `teravox report` tell it."""
