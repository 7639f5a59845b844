"""What is looked for across rows and within their texts. It looks at canonical lines, so that every way of reading them
comes to the same; and it never changes one.
"""
