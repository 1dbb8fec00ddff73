"""What every feature of `staff` stands on and that knows none of them."""
