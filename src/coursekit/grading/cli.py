"""The command `coursekit`: grade a folder of notebooks, build a Gradescope autograder, test the jail.

coursekit make-key course.key
coursekit grade submissions --sheet 05 --key course.key --out grades
coursekit gradescope --sheet 05 --key course.key --out autograder.zip
coursekit check-jail
"""

from __future__ import annotations

import os
import pathlib
import secrets
import sys


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    missing = []
    for name in ("click", "rich"):
        try:
            __import__(name)
        except ImportError:
            missing.append(name)
    if missing:
        sys.exit(f"coursekit: {' and '.join(missing)} not found; the commands need: pip install 'coursekit[grading]'")
    if os.name != "posix":
        sys.exit("coursekit: grading needs Linux (on Windows use WSL, on a Mac a Linux container)")
    import click

    from ..errors import CourseError

    try:
        _commands()(arguments, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit("\ncoursekit: stopped. What is graded is kept: the same command goes on from here.")
    except CourseError as error:
        sys.exit(f"coursekit: {error}")


def _commands():
    import click

    @click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
    @click.version_option(__import__("coursekit").__version__, prog_name="coursekit")
    def coursekit():
        """Grade exercise sheets, with the students' code sealed off."""

    @coursekit.command()
    @click.argument("submissions", type=click.Path(file_okay=False, path_type=pathlib.Path))
    @click.option("--sheet", required=True, help="Which sheet: 05.")
    @click.option(
        "--key", required=True, type=click.Path(path_type=pathlib.Path), help="File with your key (make-key)."
    )
    @click.option(
        "--out", required=True, type=click.Path(file_okay=False, path_type=pathlib.Path), help="Where to write."
    )
    @click.option("--jobs", type=click.IntRange(1, 256), help="Submissions at a time.  [default: one a processor]")
    @click.option("--allow-weak-jail", is_flag=True, help="Grade although no jail holds here. Trust every student.")
    @click.option(
        "--roster", type=click.Path(exists=True, dir_okay=False), help="CSV: student, name, email, canvas_id, ..."
    )
    @click.option("--due", help="When it is due: 2026-03-01T23:59+01:00.")
    @click.option("--late-policy", default="none", show_default=True,
                  help='none, refuse, "10%/day", "10%/day up to 50% after 15 minutes".')  # fmt: skip
    @click.option(
        "--keep", type=click.Choice(["last", "best"]), default="last", show_default=True, help="Which attempt counts."
    )
    @click.option("--regrade", multiple=True, metavar="QUESTION", help="Run 05.2 again and leave the rest. Repeatable.")
    @click.option("--cell-seconds", type=float, default=20.0, show_default=True, help="Longest run of a cell.")
    @click.option("--call-seconds", type=float, default=10.0, show_default=True, help="Longest call of an answer.")
    @click.option("--scheduler", help="Dask scheduler: tls://host:8786. Needs the three --tls options.")
    @click.option("--tls-ca", type=click.Path(exists=True, dir_okay=False), help="Certificate of the authority.")
    @click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), help="Your certificate.")
    @click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), help="Its private key.")
    def grade(**options):
        """Grade a folder of notebooks. The same command again goes on where a stopped one was."""
        _grade(**options)

    @coursekit.command("check-jail")
    def check_jail():
        """Try to break out of each jail on this machine, and say which one marks can rest on."""
        _check_jail()

    @coursekit.command()
    @click.option("--sheet", required=True, help="Which sheet: 05.")
    @click.option(
        "--key", required=True, type=click.Path(path_type=pathlib.Path), help="File with your key (make-key)."
    )
    @click.option("--out", required=True, type=click.Path(dir_okay=False, path_type=pathlib.Path), help="The zip file.")
    def gradescope(sheet, key, out):
        """Build the autograder.zip that Gradescope asks for."""
        from .sealed.grade import read_key
        from .sealed.gradescope import build

        build(sheet, read_key(key), out)
        click.echo(f"Wrote {out}. It holds your key: upload it to Gradescope, and give it to nobody else.")

    @coursekit.command("make-key")
    @click.argument("file", type=click.Path(dir_okay=False, path_type=pathlib.Path))
    def make_key(file):
        """Write a new random key, which decides seeds and shapes of the graded cases."""
        try:
            fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            raise click.ClickException(f"{file} is there already; a new key would change every case") from None
        with os.fdopen(fd, "w") as out:
            out.write(secrets.token_hex(32) + "\n")
        click.echo(f"Wrote {file}. Keep it, and keep it from students.")

    return coursekit


def _grade(submissions, sheet, key, out, jobs, allow_weak_jail, roster, due, late_policy, keep, regrade, cell_seconds,
           call_seconds, scheduler, tls_ca, tls_cert, tls_key):  # fmt: skip
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from ..errors import CourseError
    from .cases import load_sheet
    from .sealed import books
    from .sealed.grade import grade_folder, read_key
    from .sealed.jail import Limits
    from .sealed.probe import choose_tier
    from .sealed.submissions import find_submissions, parse_time

    console = Console()
    policy = books.LatePolicy.parse(late_policy)
    due = parse_time(due) if due else None
    if due is None and late_policy != "none":
        raise CourseError("a late policy needs --due, such as --due 2026-03-01T23:59+01:00")
    if cell_seconds <= 0 or call_seconds <= 0:
        raise CourseError("--cell-seconds and --call-seconds must be more than 0")
    secret, the_sheet = read_key(key), load_sheet(sheet)
    people = books.read_roster(roster) if roster else None
    where, home = out.resolve(), submissions.resolve()
    if where == home or home in where.parents:
        raise CourseError(f"--out {out} lies inside {submissions}; choose a folder outside")
    if home in key.resolve().parents:
        raise CourseError(f"the key {key} lies among the submissions; keep it elsewhere")
    found = find_submissions(submissions, sheet)
    runner = None
    if scheduler:
        from .sealed.cluster import dask_runner

        tier, runner = dask_runner(scheduler, tls_ca, tls_cert, tls_key, allow_weak_jail)
    else:
        tier, _ = choose_tier(allow_weak_jail)
    console.print(f"Sheet {the_sheet.id}, {the_sheet.title}: {len(found)} files. Jail: [bold]{tier}[/]")
    if tier == "limits":
        console.print("[bold red]Nothing stops harmful code in this jail.[/] Grade only students you trust.")
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    started = time.monotonic()
    limits = Limits(
        cell_seconds=cell_seconds, call_seconds=call_seconds, question_seconds=3 * (cell_seconds + call_seconds)
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("grading", total=len(found))
        records = grade_folder(
            found,
            the_sheet,
            secret,
            out,
            tier=tier,
            jobs=jobs or os.cpu_count() or 1,
            limits=limits,
            regrade=regrade,
            progress=lambda submission, record: bar.advance(task),
            runner=runner,
        )
    table = books.rows(list(records.values()), people, due, policy, keep)
    files = books.write_books(out, the_sheet, list(records.values()), table, tier)
    seconds = time.monotonic() - started
    unread = sum(1 for r in records.values() if r["error"])
    handed = [row.total for row in table if row.record is not None]
    mean = sum(handed) / len(handed) if handed else 0.0
    console.print(
        f"{len(found)} files of {len(handed)} students in {seconds:.1f} s. Mean {mean:.2f} of {the_sheet.points:g}."
        + (f" {unread} could not be read." if unread else "")
    )
    for name in ("gradebook.csv", "canvas.csv", "moodle.csv", "similarity.csv"):
        console.print(f"  {files[name]}", highlight=False, soft_wrap=True)
    console.print(
        f"  {out / 'feedback'}, {out / 'gradescope'}: one page and one results file a student", soft_wrap=True
    )


def _check_jail():
    from rich.console import Console
    from rich.table import Table

    from .sealed.jail import TIERS
    from .sealed.probe import probe

    table = Table("jail", "for marks", "held", "what got out, or why it does not start")
    chosen = None
    for tier in TIERS:
        result = probe(tier)
        if result.safe and chosen is None:
            chosen = tier
        table.add_row(
            tier, "yes" if result.safe else "no", str(len(result.held)), result.error or "; ".join(result.broken)
        )
    console = Console()
    console.print(table)
    if chosen is None:
        console.print("No jail holds here: apt-get install bubblewrap, or grade in a Linux container.")
        sys.exit(1)
    console.print(f"coursekit grade uses: [bold]{chosen}[/]")


if __name__ == "__main__":
    main()
