"""The front desk: two journeys in one conversation."""

from __future__ import annotations

from examples.front_desk import FrontDesk

from agent_runtime_core.testing import ScriptedLLM, tool_call_reply


async def test_a_member_books_a_table_and_turns_away_in_between(talk, store_url):
    llm = ScriptedLLM(
        [
            "Only members can book. Do you want to join?",
            tool_call_reply("start_join"),
            "What is your name?",
            tool_call_reply("save_name", name="Ada"),
            "Welcome, Ada!",
            tool_call_reply("start_book"),
            "Which day?",
            tool_call_reply("save_day", day="Friday"),
            "How many are you?",
            tool_call_reply("start_join"),
            "Who joins?",
            tool_call_reply("save_name", name="Ada Byron"),
            "Saved. How many are you?",
            tool_call_reply("book_table", guests=2),
            "See you on Friday!",
        ],
        strict=True,
    )
    async with FrontDesk(llm, store=store_url) as desk:
        await talk(desk, "A table, please", "I want to join", "Ada", "And now a table", "On Friday")
        await talk(desk, "My name is wrong, by the way", "Ada Byron")
        state = await desk.get_state("a-conversation")
        assert [(each.journey, each.state.step, each.state.day) for each in state.stack] == [  # type: ignore[union-attr]
            ("book", "guests", "Friday")
        ]

        result = await talk(desk, "Two")

        state = await desk.get_state("a-conversation")
        assert result.response == "See you on Friday!"
        assert (state.profile, state.stack) == ({"name": "Ada Byron", "last_booking": "Friday"}, [])  # type: ignore[union-attr]
    assert "book (it needs: name)" in llm.calls[0]["messages"][-1]["content"]
    assert "start_book" not in str(llm.calls[0]["tools"])
