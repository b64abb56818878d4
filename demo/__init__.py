"""The demo shop: free photographs of garments, the products made of them, and the command that creates it all."""
