"""What users do, through the command line."""
