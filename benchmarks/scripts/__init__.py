"""Small programs that use the product as a library, as pipelines do. Each is run in a process of its own."""
