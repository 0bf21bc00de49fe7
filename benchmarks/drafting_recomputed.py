from dataclasses import dataclass
@dataclass(frozen=True)
class Truth:
    firm: object
    result: object
def compared(order, filled, checked, mentioned): return []
