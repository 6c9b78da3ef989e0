"""A plan as a table: its steps, the kernel of each and why, and what it costs."""

from __future__ import annotations

from nb3d.plan.cost import flops, traffic
from nb3d.plan.schedule import Schedule, ScheduledStep


def human(number: float, unit: str) -> str:
    """A number with a decimal prefix: ``12.3 GFLOP``."""
    for prefix in ("", "k", "M", "G", "T"):
        if abs(number) < 1000 or prefix == "T":
            return f"{number:.3g} {prefix}{unit}"
        number /= 1000
    raise AssertionError


def moved(item: ScheduledStep, plan: Schedule) -> int:
    """Bytes that a step reads and writes at the least."""
    return 0 if item.step.output in plan.views else traffic(item.case)


def _row(index: int, item: ScheduledStep, plan: Schedule) -> tuple[str, ...]:
    step, choice = item.step, item.choice
    operation = " + ".join((step.op.name, *step.fused))
    name = choice.implementation.name
    kernel = "view" if step.output in plan.views else f"host: {name}" if item.is_on_host(plan.device) else name
    why = "; ".join(f"not {name}: {reason}" for name, reason in choice.refusals) or "best of the table"
    return (
        str(index),
        step.label or "-",
        operation,
        "x".join(map(str, item.case.out)),
        kernel,
        human(flops(item.case), "FLOP"),
        human(moved(item, plan), "B"),
        "the same bytes" if kernel == "view" else why,
    )


_TITLES = ("step", "layer", "operation", "output", "kernel", "arithmetic", "traffic", "why")


def explain(plan: Schedule) -> str:
    """The plan's table and its totals."""
    rows = [_TITLES, *(_row(index, item, plan) for index, item in enumerate(plan.steps))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_TITLES))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "-" * max(map(len, lines)))
    total = sum(flops(item.case) for item in plan.steps)
    total_moved = sum(moved(item, plan) for item in plan.steps)
    lines += [
        lines[1],
        f"{len(plan.steps)} steps, {human(total, 'FLOP')}, {human(total_moved, 'B')} moved; "
        f"weights {human(plan.constant_bytes, 'B')}, arena {human(plan.arena_bytes, 'B')} "
        f"(of which scratch {human(plan.scratch, 'B')}); peak {human(plan.constant_bytes + plan.arena_bytes, 'B')}",
    ]
    return "\n".join(lines)
