"""Orders and their money, added up."""

from dataclasses import dataclass


@dataclass(slots=True)
class Totals:
    """How many orders, and their face values in yuan."""

    orders: int = 0
    money: int = 0

    def add(self, orders: int, money: int) -> None:
        self.orders += orders
        self.money += money
