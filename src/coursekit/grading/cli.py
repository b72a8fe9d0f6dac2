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

    _FILE = click.Path(exists=True, dir_okay=False, path_type=pathlib.Path)

    @click.group(context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=True)
    @click.version_option(__import__("coursekit").__version__, prog_name="coursekit")
    def coursekit():
        """Grade exercise sheets, with the students' code sealed off."""

    @coursekit.command()
    @click.argument("submissions", type=click.Path(path_type=pathlib.Path))
    @click.option("--sheet", required=True, help="Which sheet: 05.")
    @click.option(
        "--key", required=True, type=click.Path(path_type=pathlib.Path), help="File with your key (make-key)."
    )
    @click.option(
        "--out", required=True, type=click.Path(file_okay=False, path_type=pathlib.Path), help="Where to write."
    )
    @click.option("--jobs", type=click.IntRange(1, 256), help="Submissions at a time.  [default: one a processor]")
    @click.option("--allow-weak-jail", is_flag=True, help="Grade although no jail holds here. Trust every student.")
    @click.option("--accept", is_flag=True, help="What is not understood has been looked at: end with status 0.")
    @click.option("--roster", type=_FILE, help="List: student, name, email, canvas_id, ...; or Canvas's gradebook.")
    @click.option("--due", help="When it is due: 2026-03-01T23:59. The last minute counts as in time.")
    @click.option("--file-times", is_flag=True, help="Where nothing else is known, files' own times say who is late.")
    @click.option("--zone", help="Zone of times without an offset: Asia/Seoul.  [default: UTC]")
    @click.option("--late-policy", default="none", show_default=True,
                  help='none, refuse, "10%/day", "10%/day up to 50% after 15 minutes".')  # fmt: skip
    @click.option(
        "--keep", type=click.Choice(["last", "best"]), default="last", show_default=True, help="Which attempt counts."
    )
    @click.option("--extensions", type=_FILE, help="List: student, due, excused.")
    @click.option(
        "--overrides", type=_FILE, help="List: student, question, points, comment.  [default: OUT/overrides.csv]"
    )
    @click.option("--rubric", type=_FILE, help="List of questions that you mark: question, title, points, criteria.")
    @click.option("--moodle-worksheet", type=_FILE, help="Moodle's own grading worksheet, to be filled in.")
    @click.option(
        "--own-inputs",
        is_flag=True,
        help="Other inputs for each student and attempt: where work may be handed in again after feedback.",
    )
    @click.option("--regrade", multiple=True, metavar="QUESTION", help="Run 05.2 again and leave the rest. Repeatable.")
    @click.option("--cell-seconds", type=float, default=10.0, show_default=True, help="Longest run of a cell.")
    @click.option("--call-seconds", type=float, default=2.0, show_default=True, help="Longest call of an answer.")
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


LOOK = 3  # the exit status when there is something that a person must look at


def _grade(submissions, sheet, key, out, jobs, allow_weak_jail, scheduler, tls_ca, tls_cert, tls_key, **options):
    import time
    from types import SimpleNamespace

    from rich.console import Console

    from ..errors import CourseError
    from .cases import load_sheet
    from .sealed import books
    from .sealed.collect import collect
    from .sealed.grade import read_key
    from .sealed.probe import choose_tier

    console, o = Console(), SimpleNamespace(**options)
    settings = _settings(o)
    secret, the_sheet = read_key(key), load_sheet(sheet)
    for id in o.regrade:
        the_sheet[id]  # says which questions there are
    people = books.read_roster(o.roster) if o.roster else None
    _keep_apart(submissions, key, out)
    found = collect(submissions, the_sheet, people, settings.zone, out / "unpacked")
    if not found.attempts:
        raise CourseError(f"there are no .ipynb or .zip files in {str(submissions)!r}")
    if found.fitting == 0 and any(t.kind == "wrong sheet" for t in found.troubles) and not o.accept:
        other = found.other_sheets.most_common(1)[0][0]
        like = f"; most carry checks of sheet {other}" if other else ""
        raise CourseError(
            f"none of the {len(found.attempts)} files is a notebook of sheet {sheet}{like}. Is it the right folder? "
            "Nothing was graded; --accept grades them all the same"
        )
    runner = None
    if scheduler:
        from .sealed.cluster import dask_runner

        tier, runner = dask_runner(scheduler, tls_ca, tls_cert, tls_key, allow_weak_jail)
    else:
        tier, _ = choose_tier(allow_weak_jail)
    todo = found.attempts if o.keep == "best" else found.last()
    console.print(f"Sheet {the_sheet.id}, {the_sheet.title}: {len(todo)} files. Jail: [bold]{tier}[/]")
    if tier == "limits":
        console.print("[bold red]Nothing stops harmful code in this jail.[/] Grade only students you trust.")
    if settings.due is not None:
        console.print(f"Due {settings.due.isoformat(sep=' ')} ({settings.zone}{settings.guess}).")
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    started = time.monotonic()
    records = _run(console, todo, the_sheet, secret, out, tier, jobs or os.cpu_count() or 1, runner, o)
    stops = _write(console, the_sheet, found, records, people, out, tier, settings, o, time.monotonic() - started)
    if stops and not o.accept:
        console.print(
            f"[bold]{stops} things need a look[/] (above, and in {out / 'collected.html'}). Everything is graded and "
            "written; with --accept the same command ends with status 0.", soft_wrap=True
        )  # fmt: skip
        sys.exit(LOOK)


def _settings(o):
    import zoneinfo
    from types import SimpleNamespace

    from ..errors import CourseError
    from .sealed import books
    from .sealed.submissions import parse_time

    try:
        zone = zoneinfo.ZoneInfo(o.zone or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise CourseError(f"zone {o.zone!r} is not known; write it as Europe/Berlin, Asia/Seoul or UTC") from None
    policy = books.LatePolicy.parse(o.late_policy)
    due = parse_time(o.due, zone) if o.due else None
    if due is None and o.late_policy != "none":
        raise CourseError("a late policy needs --due, such as --due 2026-03-01T23:59+01:00")
    if o.cell_seconds <= 0 or o.call_seconds <= 0:
        raise CourseError("--cell-seconds and --call-seconds must be more than 0")
    guess = "" if o.zone or "+" in (o.due or "") else "; no zone was given, --zone changes it"
    return SimpleNamespace(zone=zone, policy=policy, due=due, guess=guess)


def _keep_apart(submissions, key, out):
    from ..errors import CourseError

    where, home = out.resolve(), submissions.resolve()
    if where == home or home in where.parents:
        raise CourseError(f"--out {out} lies inside {submissions}; choose a folder outside")
    if home in key.resolve().parents:
        raise CourseError(f"the key {key} lies among the submissions; keep it elsewhere")


def _run(console, todo, sheet, secret, out, tier, jobs, runner, o):
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from .sealed.grade import grade_folder
    from .sealed.jail import Limits

    limits = Limits(
        cell_seconds=o.cell_seconds,
        call_seconds=o.call_seconds,
        question_seconds=3 * (o.cell_seconds + o.call_seconds),
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("grading", total=len(todo))
        return grade_folder(
            todo,
            sheet,
            secret,
            out,
            tier=tier,
            jobs=jobs,
            limits=limits,
            regrade=o.regrade,
            progress=lambda submission, record: bar.advance(task),
            runner=runner,
            own_inputs=o.own_inputs,
        )


def _write(console, sheet, found, records, people, out, tier, settings, o, seconds) -> int:
    """Write the books and say what came; how many things a person must look at."""
    from rich.markup import escape

    from .sealed import books, report
    from .sealed.alike import alike_page
    from .sealed.collect import Trouble
    from .sealed.decisions import read_decisions
    from .sealed.returning import Worksheet

    records = list(records.values())
    students = {*(people or ()), *(r["student"] for r in records)}
    overrides = o.overrides or (out / "overrides.csv" if (out / "overrides.csv").is_file() else None)
    decisions = read_decisions(sheet, students, settings.zone, overrides, o.extensions, o.rubric)
    worksheet = Worksheet(o.moodle_worksheet) if o.moodle_worksheet else None
    table = books.rows(records, people, settings.due, settings.policy, o.keep, decisions, o.file_times)
    excused = {f"{who} {(people or {}).get(who, {}).get('name', '')}".strip() for who in decisions.excused}
    found.troubles = [t for t in found.troubles if not (t.kind == "no submission" and t.text in excused)]
    found.troubles += [Trouble("list", note, False) for note in decisions.notes]
    found.troubles += [Trouble("list", note) for note in decisions.unknown]
    found.troubles += report.late_troubles(table, settings.due, o.file_times)
    lost = [r for r in records if r.get("ungraded")]
    found.troubles += [Trouble("ungraded", f"{r['student']}: {r['ungraded']}") for r in lost]
    report.write_collected(out, found)
    alike = books.alike_of(sheet, table)
    files = books.write_books(out, sheet, records, table, tier, o.keep, decisions, worksheet, alike)
    alike_page(out, alike, found, sheet)
    files["alike.html"] = str(out / "alike.html")
    if decisions.written:
        report.rubric_page(out, table, found, decisions.written)
    for title, troubles in report.by_kind(found.troubles):
        console.print(f"[bold]{escape(title)}[/]: {len(troubles)}", highlight=False)
        for trouble in troubles[:12]:
            console.print(f"  {escape(trouble.text)}", highlight=False, soft_wrap=True)
        if len(troubles) > 12:
            console.print(f"  and {len(troubles) - 12} more: collected.html")
    over = [line for line in found.lines if line.taken == "passed over"]
    if over:
        console.print(f"[bold]Passed over[/]: {len(over)} files")
        for line in over[:12]:
            console.print(f"  {escape(line.file)}: {escape(line.why)}", highlight=False, soft_wrap=True)
        if len(over) > 12:
            console.print(f"  and {len(over) - 12} more: collected.html")
    unread = sum(1 for r in records if r["error"])
    marks = [row.total for row in table if row.graded]
    mean = sum(marks) / len(marks) if marks else 0.0
    console.print(
        f"{len(records)} files of {sum(1 for row in table if row.record is not None)} students in {seconds:.1f} s. "
        f"Mean {mean:.2f} of {books.out_of(sheet, decisions):g}." + (f" {unread} could not be read." if unread else "")
    )
    _say_changes(console, report.changed_marks(out, sheet, table, o.regrade), sheet, o)
    for name in ("gradebook.csv", "canvas.csv", "moodle.csv", "similarity.csv", "alike.html", "class.html"):
        console.print(f"  {files[name]}", highlight=False, soft_wrap=True)
    console.print(
        f"  {out / 'feedback'}, {out / 'gradescope'}: one page and one results file a student", soft_wrap=True
    )
    return sum(1 for t in found.troubles if t.stops)


def _say_changes(console, changes, sheet, o):
    import inspect

    from rich.markup import escape

    if o.regrade:
        console.print(f"Cases: {inspect.getsourcefile(sheet.cases[0].function)}", highlight=False, soft_wrap=True)
    if changes or o.regrade:
        console.print(f"[bold]{len(changes)} marks changed[/] since the last run" + (":" if changes else "."))
    for change in changes[:20]:
        console.print(f"  {escape(change)}", highlight=False, soft_wrap=True)
    if len(changes) > 20:
        console.print(f"  and {len(changes) - 20} more: changes.csv")


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
