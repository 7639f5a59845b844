"""The routes: each reads a request, changes or reads the store once, and answers in the API's form."""
