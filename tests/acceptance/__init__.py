"""What a user does, told through the command line."""
