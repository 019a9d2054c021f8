"""Two journeys in one conversation: a user joins the club, books a table, and may turn from one to the other.

agent-runtime chat examples/front_desk.py --provider offline
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent_runtime_framework import (
    BaseJourneyState,
    BaseJourneyTools,
    JourneyAgent,
    JourneyRouter,
    PromptTemplate,
    tool,
)


class Join(StrEnum):
    NAME = "name"
    JOINED = "joined"


@dataclass
class Member(BaseJourneyState[Join]):
    step: Join = Join.NAME
    name: str = ""

    def is_complete(self) -> bool:
        return self.step is Join.JOINED


class JoinTools(BaseJourneyTools[Member]):
    @tool(step=Join.NAME, to=Join.JOINED)
    async def save_name(self, name: str) -> str:
        """Save the user's name.

        Args:
            name: The user's name.
        """
        self.state.name = name
        return f"{name} is a member now."


class JoinClub(JourneyAgent[Member, JoinTools, Join]):
    key = "join"
    prompts = {  # noqa: RUF012
        Join.NAME: "Ask for the user's name and save it with save_name.",
        Join.JOINED: PromptTemplate("Welcome $name to the club."),
    }


class Book(StrEnum):
    DAY = "day"
    GUESTS = "guests"
    BOOKED = "booked"


@dataclass
class Booking(BaseJourneyState[Book]):
    step: Book = Book.DAY
    name: str = ""
    day: str = ""
    guests: int = 0

    def is_complete(self) -> bool:
        return self.step is Book.BOOKED


class BookingTools(BaseJourneyTools[Booking]):
    @tool(step=Book.DAY, to=Book.GUESTS)
    async def save_day(self, day: str) -> str:
        """Save the day of the booking.

        Args:
            day: The day, in the user's words.
        """
        self.state.day = day
        return f"Saved {day}."

    @tool(step=Book.GUESTS, to=Book.BOOKED, once=True)
    async def book_table(self, guests: int) -> str:
        """Book the table.

        Args:
            guests: How many people come.
        """
        self.state.guests = guests
        return f"Booked for {guests} on {self.state.day}, in the name of {self.state.name}."


class BookTable(JourneyAgent[Booking, BookingTools, Book]):
    key = "book"
    prompts = {  # noqa: RUF012
        Book.DAY: PromptTemplate("Ask $name for which day, and save it with save_day."),
        Book.GUESTS: "Ask how many people come, and call book_table.",
        Book.BOOKED: PromptTemplate("A table is booked for $guests on $day. Say so."),
    }

    def result(self, state: Booking) -> str:
        return state.day


def remember_member(profile: dict[str, Any], member: Member) -> None:
    """What the profile keeps of a new member."""
    profile["name"] = member.name


def remember_booking(profile: dict[str, Any], day: str) -> None:
    """What the profile keeps of a booking."""
    profile["last_booking"] = day


class FrontDesk(JourneyRouter):
    key = "front_desk"
    instructions = "You are the front desk of a small restaurant with a club."

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.add(
            JoinClub,
            when="The user wants to join the club.",
            keywords=["join", "member"],
            on_result=remember_member,
        )
        self.add(
            BookTable,
            when="The user wants to book a table.",
            keywords=["book", "table"],
            requires="name",  # only for members
            start=lambda profile: Booking(name=profile["name"]),
            on_result=remember_booking,
        )
