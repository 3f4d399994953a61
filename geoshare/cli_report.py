"""What became of a contributed file, on the command line."""

from __future__ import annotations

import click

from geoshare.model.report import Report

MOST = 20


def show_report(report: Report, *, checked: bool = False) -> None:
    """Print a report: rows, repairs, refused rows, notes and findings."""
    taken = ", ".join(f"{count} {name}" for name, count in report.taken.items()) or "nothing"
    done = "found" if checked else "taken"
    click.echo(f"{report.file}: {report.rows_read} rows read, {taken} {done}, {report.refused} refused")
    for repair in report.repairs.values():
        click.echo(f"  repaired {repair.count}: {repair.message.en} / {repair.message.ja}")
    for refusal in report.refusals[:10]:
        click.echo(f"  refused row {refusal.row}: {refusal.message.en} / {refusal.message.ja}")
    for note in report.notes:
        click.echo(f"  note: {note.en} / {note.ja}")
    for finding in report.findings[:MOST]:
        at = "" if finding.lon_lat is None else f" ({finding.lon_lat[1]}, {finding.lon_lat[0]})"
        click.echo(f"  {finding.severity} {finding.rule}")
        click.echo(f"    {finding.feature}{at}: {finding.en} / {finding.ja}")
    every = sum(report.found.values())
    if every > MOST:
        click.echo(f"  and {every - MOST} more findings")
    if checked or every:
        counts = ", ".join(f"{count} {name}" for name, count in report.found.items()) or "nothing"
        click.echo(f"  findings: {counts}")
