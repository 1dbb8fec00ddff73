"""How a request comes in and an error goes out, before any feature is asked."""
