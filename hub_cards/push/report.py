"""What a push did, or would do, in words."""

from collections.abc import Sequence

from notclip.hub_cards.push.config import PushConfig
from notclip.hub_cards.push.plan import RepoPlan
from notclip.hub_cards.staging.staged_release import StagedRelease

SHOWN = 12


def report(release: StagedRelease, plans: Sequence[RepoPlan], config: PushConfig, *, anonymous: bool = False) -> str:
    """A block for each repository: what happens to it, and which files are sent."""
    lines: list[str] = []
    for plan in plans:
        if config.dry_run or plan.note:
            lines += _about(plan, config)
    sent = sum(plan.bytes_sent for plan in plans)
    unchanged = sum(len(plan.changes.unchanged) for plan in plans)
    total = f"{_megabytes(sent)} in {sum(len(plan.changes.sent) for plan in plans)} files, {unchanged} files unchanged"
    if not config.dry_run:
        return "\n".join([*lines, f"{release.name} {release.version}: sent {total}."])
    lines.append(f"{release.name} {release.version} would send {total}. Nothing was changed (--dry-run).")
    if anonymous:
        lines.append("There is no token: private repositories were not seen, and look as if they were missing.")
    return "\n".join(lines)


def _about(plan: RepoPlan, config: PushConfig) -> list[str]:
    visibility = "private" if config.private else "public"
    what = {
        "create": f"create ({visibility}), one commit, tag {plan.repo.tag}",
        "update": f"one commit on {plan.earlier or 'an empty repository'}, tag {plan.repo.tag}",
        "tag": f"files are there; tag {plan.repo.tag}",
        "done": "nothing to do",
    }[plan.state]
    if config.create_pr and plan.changes.sent:
        what = what.replace("one commit", "one pull request").partition(", tag")[0]
    lines = [f"{plan.repo.repo_type} {plan.repo.repo_id}: {what}"]
    if plan.note:
        lines.append(f"  note: {plan.note}")
    changes = [
        *((f"  + {name}", name) for name in plan.changes.added),
        *((f"  ~ {name}", name) for name in plan.changes.changed),
        *((f"  - {name}", None) for name in plan.changes.deleted),
    ]
    for line, name in changes[:SHOWN]:
        lines.append(line if name is None else f"{line}  ({_megabytes(plan.repo.files[name]['size'])})")
    if len(changes) > SHOWN:
        lines.append(f"  … and {len(changes) - SHOWN} more files")
    if plan.changes.unchanged and plan.state != "done":
        lines.append(f"  = {len(plan.changes.unchanged)} files unchanged, not sent")
    return lines


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 50_000 else f"{size / 1e3:.1f} kB"
