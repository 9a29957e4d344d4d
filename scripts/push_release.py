"""Push a staged release to the Hub: one atomic commit a repository, a tag, and a collection of them all.

    notclip push-release build/hub --dry-run       # what would change against what is there
    notclip push-release build/hub                 # public
    notclip push-release build/hub --private
    notclip push-release build/hub --create-pr     # pull requests instead of commits

The token is that of `hf auth login`, or HF_TOKEN. Broken off anywhere, the same command goes on and ends the same.
Rehearse it first: `notclip rehearse build/hub`.
"""

import sys

from notclip.command_line import command, parse
from notclip.errors import BadInputError
from notclip.files.escapes import terminal_text
from notclip.hub_cards.push.config import PushConfig


@command(again="The same command goes on where it was, and ends the same; `--dry-run` shows what is missing.")
def main(argv: list[str] | None = None) -> int:
    """Check the stage, compare it with the Hub, push, and say what was done."""
    config = parse(PushConfig, argv, prog="notclip push-release", description="Push a staged release to the Hub.")
    from huggingface_hub import HfApi, get_token

    from notclip.hub_cards.push.hub_client import HubClient
    from notclip.hub_cards.push.push import push_release
    from notclip.hub_cards.push.report import report
    from notclip.hub_cards.staging.staged_release import StagedRelease

    release = StagedRelease.read(config.release)
    token = get_token()  # HF_TOKEN, or what `hf auth login` kept
    if token is None and not config.dry_run:
        raise BadInputError(
            "No token of the Hub was found. Make one with write access at https://huggingface.co/settings/tokens, and "
            "log in with `hf auth login`, or set HF_TOKEN to it."
        )
    # Without a token the client would look for one again; False says that there is none.
    client = HubClient(
        HfApi(token=token or False, library_name="notclip"), say=lambda text: print(terminal_text(text), flush=True)
    )
    plans = push_release(client, release, config)
    print(terminal_text(report(release, plans, config, anonymous=token is None)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
