"""What the server keeps of visitors who have gone."""

import httpx

from notclip.space.app import MAX_SESSIONS


def test_the_server_forgets_the_longest_unused_sessions(space):
    app, address, _ = space
    with httpx.Client(base_url=address, timeout=60) as web:
        for number in range(MAX_SESSIONS + 20):
            call = {"data": ["a dog, no cat"], "session_hash": f"visitor-{number}"}
            web.post("/gradio_api/run/read_query", json=call).raise_for_status()
    held = app.state_holder.session_data
    assert len(held) == MAX_SESSIONS
    assert "visitor-0" not in held
    assert f"visitor-{MAX_SESSIONS + 19}" in held
