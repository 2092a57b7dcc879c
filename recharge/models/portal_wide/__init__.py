"""What is about the portal as a whole rather than about an order, a batch or a card."""
