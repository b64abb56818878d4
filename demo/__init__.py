"""The demo shop: free images of garments, the products made of them, and the command that creates it all."""
